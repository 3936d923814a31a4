"""Sites: a web site that a test writes, on a loopback address that its guard takes for a public one."""

import asyncio
import contextlib
import ipaddress
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence

from luxx.tools.builtin.web.client import WebClient
from luxx.tools.builtin.web.guard import Address, Guard, is_public

PUBLIC = "127.0.0.2"
"""The address that stands for the public internet; 127.0.0.1 stays what it is."""

Handler = Callable[["Request", asyncio.StreamWriter], Awaitable[None]]


class Request:
    """What a client asked: method, target and headers, their names in lower case."""

    def __init__(self, head: bytes, body: bytes) -> None:
        first, *lines = head.decode("latin-1").split("\r\n")
        self.method, self.target, _ = first.split(" ")
        pairs = (line.partition(": ") for line in lines if line)
        self.headers = {name.lower(): value for name, _, value in pairs}
        self.body = body


class Site:
    """A running site; `requests` has all that it was asked, `answers` what it says by path."""

    def __init__(self) -> None:
        self.port = 0
        self.requests: list[Request] = []
        self.answers: dict[str, bytes | Handler] = {}
        self.serving: set[asyncio.Task[None]] = set()

    def url(self, path: str = "/", host: str = "site.example", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    def page(
        self, path: str, body: bytes | str, content_type: str = "text/html", status: int = 200, **headers: str
    ) -> None:
        """Put a page at a path."""
        data = body.encode() if isinstance(body, str) else body
        self.answers[path] = answer(data, {"Content-Type": content_type, **headers}, status)

    def redirect(self, path: str, target: str, status: int = 302) -> None:
        """Lead from a path to somewhere else."""
        self.answers[path] = answer(b"", {"Location": target}, status)

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take a connection."""
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self.serving.add(task)
        task.add_done_callback(self.serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            request = Request(head[:-4], b"")
            request.body = await reader.readexactly(int(request.headers.get("content-length", 0)))
            self.requests.append(request)
            what = self.answers.get(request.target.partition("?")[0], answer(b"no such page", {}, 404))
            if isinstance(what, bytes):
                writer.write(what)
                await writer.drain()
            else:
                await what(request, writer)
            writer.close()
            await writer.wait_closed()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()


def answer(body: bytes, headers: Mapping[str, str], status: int = 200) -> bytes:
    """Return a whole answer."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


@contextlib.asynccontextmanager
async def site(tls: ssl.SSLContext | None = None, address: str = PUBLIC) -> AsyncGenerator[Site]:
    """Run a site."""
    made = Site()
    server = await asyncio.start_server(made.accept, address, 0, ssl=tls)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for task in made.serving:
            task.cancel()
        await asyncio.gather(*made.serving, return_exceptions=True)
        await asyncio.sleep(0)


class Names:
    """A resolver that tests write: the answers of a host in their order, the last one for good; `asked` counts them."""

    def __init__(self, **hosts: Sequence[Sequence[str]]) -> None:
        self._hosts = {name.replace("_", "."): list(answers) for name, answers in hosts.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        answers = self._hosts.get(host, [[PUBLIC]] if host.endswith(".example") else [])
        if not answers:
            raise OSError("no such host")
        return answers.pop(0) if len(answers) > 1 else answers[0]


def allowed(address: Address) -> bool:
    """The rule of the tests: what is public, and the site's address."""
    return is_public(address) or address == ipaddress.ip_address(PUBLIC)


def client(
    names: Names | None = None, *, max_bytes: int = 100_000, timeout_s: float = 5.0, tls: ssl.SSLContext | None = None
) -> WebClient:
    """Return a client that reaches the site."""
    guard = Guard(names or Names(), allowed, lambda _: True)
    return WebClient(guard, max_bytes=max_bytes, timeout_s=timeout_s, tls=tls)
