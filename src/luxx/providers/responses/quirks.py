"""Quirks: what an endpoint does not take as the Responses API of OpenAI does, read from its refusals."""

import re

from luxx.core.prompts import AnswerPrompt, ModelRequest, ResultPrompt, Thinking
from luxx.providers.failures import Report
from luxx.providers.openai.contents import blames_one_file
from luxx.providers.unshown import shown_files

Quirk = str
"""A word for something that is left out or written otherwise: one of the constants here, or ``effort:`` and a level."""

NO_SUMMARY = "no_summary"
NO_EFFORT = "no_effort"
NO_INCLUDE = "no_include"
NO_CACHE_KEY = "no_cache_key"
NO_TEMPERATURE = "no_temperature"
NO_LIMIT = "no_limit"
NO_STORE = "no_store"
NO_STRICT = "no_strict"
NO_PHASE = "no_phase"
NO_IMAGES = "no_images"
NO_FILES = "no_files"
MORE_TOKENS = "more_tokens"
SYSTEM_INPUT = "system_input"
TEXT_RESULTS = "text_results"
WITH_IDS = "with_ids"
NO_REASONING = "no_reasoning"
NO_ITEMS = "no_items"

OF_HISTORY = frozenset({WITH_IDS, NO_REASONING, NO_ITEMS})
"""Quirks that a conversation's earlier answers cause; another conversation may do without them."""

LEAST_TOKENS = 16
"""OpenAI answers with no fewer."""

_EFFORTS: dict[Thinking, tuple[str, ...]] = {
    "off": ("none", "minimal", "low"),
    "low": ("low",),
    "medium": ("medium",),
    "high": ("high",),
}
_UNSUPPORTED = re.compile(
    r"support|deprecat|not permitted|not allowed|unrecognized|unknown|unexpected|extra (?:input|field)|only the default"
    r"|must be verified|not available|not accepted|forbidden|should be|invalid value",
    re.IGNORECASE,
)
_OUT_OF_RANGE = re.compile(r"range|between|less than|greater than|minimum|maximum|at most|at least", re.IGNORECASE)
_VALUE = re.compile(r"value|invalid_enum|one of|expected|should be", re.IGNORECASE)
_NO_THOUGHT = re.compile(
    r"encrypted[ _]content|reasoning.{0,20} item|type .?reasoning|could not be (?:verified|decrypted)|\brs_\w+"
    r"|reasoning_text|signature",
    re.IGNORECASE,
)
_WANTS_ID = re.compile(r"(?:missing|required|requires)\b.{0,60}\bid\b|\bid\b.{0,40}(?:missing|required)", re.IGNORECASE)
_OF_INPUT = re.compile(r"\binput\b|\bitems?\b|output_text|function_call", re.IGNORECASE)
_TEXT_ONLY = re.compile(r"\.output\b|function_call_output|output of tool call", re.IGNORECASE)
# Without the field a provider may keep the conversation: nothing but its plain refusal is a reason to leave it out.
_NO_STORE = re.compile(
    r"^\W*store\b|(?:parameter|argument|supplied|field|propert(?:y|ies)|body)\W{0,4}store\b", re.IGNORECASE
)
_WORDS_ONLY = re.compile(r"gpt-[34]|chatgpt|gpt-5[^/]*-chat", re.IGNORECASE)
# What is left out when a refusal names it: the first of these names that the refusal holds and that was sent decides.
_FIELDS = (
    ("reasoning.summary", NO_SUMMARY),
    ("reasoning summar", NO_SUMMARY),
    ("reasoning.encrypted_content", NO_INCLUDE),
    ("encrypted content is not supported", NO_INCLUDE),
    ("include", NO_INCLUDE),
    ("prompt_cache_key", NO_CACHE_KEY),
    ("max_output_tokens", NO_LIMIT),
    ("temperature", NO_TEMPERATURE),
    ("strict", NO_STRICT),
    ("phase", NO_PHASE),
    ("instructions", SYSTEM_INPUT),
    ("effort", NO_EFFORT),
    ("reasoningeffort", NO_EFFORT),
    ("summary", NO_SUMMARY),
    ("reasoning", NO_EFFORT),
    ("reasoning", NO_SUMMARY),
    ("input_file", NO_FILES),
    ("pdf", NO_FILES),
    ("file", NO_FILES),
    ("image", NO_IMAGES),
    ("vision", NO_IMAGES),
    ("multimodal", NO_IMAGES),
)


def known_quirks(model: str) -> frozenset[Quirk]:
    """Return what is known of a model by its name: OpenAI's that do not reason refuse to be asked for it."""
    return frozenset({NO_SUMMARY, NO_EFFORT, NO_INCLUDE}) if _WORDS_ONLY.search(model) else frozenset()


def effort_of(thinking: Thinking | None, quirks: frozenset[Quirk]) -> str | None:
    """Return the effort to ask for; None is the model's own. Not every model knows every level."""
    if thinking is None or NO_EFFORT in quirks:
        return None
    return next((level for level in _EFFORTS[thinking] if f"effort:{level}" not in quirks), None)


def quirk_in(report: Report, request: ModelRequest, quirks: frozenset[Quirk]) -> Quirk | None:
    """Return the new quirk that a refusal tells of, None if the request cannot do without what it complains about."""
    if blames_one_file(report) and shown_files(request):
        return None
    history = _quirk_of_history(report, request)
    if history and history not in quirks:
        return history
    found = _quirk_of_field(report, request, quirks)
    if found and found not in quirks:
        return found
    if _answered(request) and NO_ITEMS not in quirks and _OF_INPUT.search(f"{report.param} {report.text}"):
        return NO_ITEMS
    return None


def _quirk_of_field(report: Report, request: ModelRequest, quirks: frozenset[Quirk]) -> Quirk | None:
    said = f"{report.param} {report.text}".lower()
    words = f"{report.text} {' '.join(report.words)}"
    if "max_output_tokens" in said and request.max_tokens is not None and request.max_tokens < LEAST_TOKENS:
        return MORE_TOKENS
    if _TEXT_ONLY.search(said) and any(isinstance(prompt, ResultPrompt) and prompt.files for prompt in request.prompts):
        return TEXT_RESULTS
    if "summary" in report.param and "verified" in said:
        return NO_SUMMARY
    level = effort_of(request.thinking, quirks)
    if level and "effort" in said and _VALUE.search(words) and "unsupported parameter" not in said:
        return f"effort:{level}"
    if not _UNSUPPORTED.search(words):
        return None
    if _NO_STORE.search(said):
        return NO_STORE
    named = (quirk for name, quirk in _FIELDS if re.search(rf"(?<![a-z]){name}", said))
    found = next((quirk for quirk in named if quirk not in quirks and _is_sent(quirk, request)), None)
    return None if found in (NO_TEMPERATURE, NO_LIMIT) and _OUT_OF_RANGE.search(report.text) else found


def _quirk_of_history(report: Report, request: ModelRequest) -> Quirk | None:
    if not _answered(request):
        return None
    said = f"{report.param} {report.text} {' '.join(report.words)}"
    if _WANTS_ID.search(report.text):
        return WITH_IDS
    if re.search(r"item with id|not persisted|duplicate item|\.id\b", said, re.IGNORECASE):
        return NO_ITEMS
    if _NO_THOUGHT.search(said) and not re.search(r"encrypted content is not supported", said, re.IGNORECASE):
        return NO_REASONING
    return None


def _is_sent(quirk: Quirk, request: ModelRequest) -> bool:
    """Whether the request has what the quirk leaves out."""
    match quirk:
        case "no_effort":
            return request.thinking is not None
        case "no_temperature":
            return request.temperature is not None
        case "no_limit":
            return request.max_tokens is not None
        case "no_cache_key":
            return bool(request.conversation_id)
        case "no_strict":
            return bool(request.tools)
        case "system_input":
            return bool(request.system)
        case "no_images":
            return any(file.is_image for file in shown_files(request))
        case "no_files":
            return any(file.is_pdf for file in shown_files(request))
        case "no_phase":
            return _answered(request)
        case _:
            return True


def _answered(request: ModelRequest) -> bool:
    return any(isinstance(prompt, AnswerPrompt) and prompt.raw for prompt in request.prompts)
