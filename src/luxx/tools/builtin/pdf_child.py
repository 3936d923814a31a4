"""PDF child: the program that reads a PDF from its input and writes its text as JSON; run by `pdf`."""

import io
import logging
import sys

import msgspec
import pypdf

from luxx.tools.builtin.pdf import PdfText

_MAX_PAGES = 500
_MAX_CHARS = 5_000_000
_MAX_BYTES = 1024 * 1024 * 1024
_MAX_CPU_S = 20


def main() -> None:
    """Read, write, and end with a code other than 0 if the PDF cannot be read."""
    _bound()
    logging.disable()
    reader = pypdf.PdfReader(io.BytesIO(sys.stdin.buffer.read()))
    pages: list[str] = []
    room = _MAX_CHARS
    for page in reader.pages[:_MAX_PAGES]:
        if room <= 0:
            break
        pages.append(page.extract_text()[:room].encode("utf-8", "replace").decode())
        room -= len(pages[-1])
    result = PdfText(pages, len(reader.pages) - len(pages))
    sys.stdout.buffer.write(msgspec.json.encode(result))


def _bound() -> None:
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (_MAX_BYTES, _MAX_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_MAX_CPU_S, _MAX_CPU_S))


if __name__ == "__main__":
    main()
