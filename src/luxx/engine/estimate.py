"""Estimate: how many tokens a text takes, where no provider has counted them."""

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from luxx.core.files import FileRef
from luxx.core.prompts import AnswerPrompt, ModelRequest, Prompt, ResultPrompt, ToolSpec, UserPrompt
from luxx.core.usage import Usage

ASCII_TOKENS, OTHER_TOKENS = 0.29, 0.7
"""Tokens for a character, on the high side: of English and code, and of texts with other letters."""
FILE_TOKENS = 1_600
PROMPT_TOKENS = 4


def tokens_of(prompt: Prompt) -> float:
    """Return how much room a prompt takes in a window, rather too much than too little."""
    return sum(map(tokens_in, _texts(prompt))) + sum(map(_file_tokens, prompt.files)) + PROMPT_TOKENS


def tokens_of_tools(tools: Sequence[ToolSpec]) -> float:
    """Return how much room the definitions of tools take in a window."""
    return sum(tokens_in(tool.description) + tokens_in(str(tool.parameters)) for tool in tools)


def tokens_in(text: str) -> float:
    """Return how much room a text takes in a window, rather too much than too little."""
    return len(text) * (ASCII_TOKENS if text.isascii() else OTHER_TOKENS)


def chars_of(text: str, tokens: float) -> int:
    """Return how many characters of a text take so much room."""
    return int(tokens / (ASCII_TOKENS if text.isascii() else OTHER_TOKENS))


def _file_tokens(file: FileRef) -> float:
    """Text goes to the model whole, whatever its size; of other files the size says little."""
    return file.size * ASCII_TOKENS if file.is_text else FILE_TOKENS


def usage_of(request: ModelRequest, written: int) -> Usage:
    """Return the usage of a call whose answer has so many characters; four of them count as a token."""
    characters = len(request.system or "") + sum(len(text) for prompt in request.prompts for text in _texts(prompt))
    read, wrote = -(-characters // 4), -(-written // 4)
    return Usage(input_tokens=read, output_tokens=wrote, total_tokens=read + wrote, estimated=True)


def grown(usage: Usage, written: int) -> Usage:
    """Return the usage of a call that has written so many characters more than the usage tells of."""
    if not written:
        return usage
    more = -(-written // 4)
    output, total = usage.output_tokens + more, usage.total_tokens + more
    return replace(usage, output_tokens=output, total_tokens=total, estimated=True, cost=None)


def _texts(prompt: Prompt) -> Iterator[str]:
    match prompt:
        case UserPrompt(text=text):
            yield text
        case AnswerPrompt(text=text, calls=calls, raw=raw):
            yield text
            yield " " * (len(raw) // 2)  # signatures and the like
            for call in calls:
                yield call.arguments
        case ResultPrompt(content=content):
            yield content
