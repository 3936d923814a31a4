"""Quirks: what an endpoint does not take as others do, found out by its refusals."""

import re
from typing import Literal

from luxx.core.prompts import ModelRequest
from luxx.providers.failures import Report

Quirk = Literal[
    "no_call_ids",
    "no_signatures",
    "stand_in_signatures",
    "no_signature_field",
    "images_beside",
    "no_files",
    "coarse_thinking",
    "no_thinking_amount",
    "no_thinking",
    "older_schema",
    "system_as_text",
    "no_temperature",
]
"""What is done otherwise after a refusal."""

_SIGNATURE = re.compile(r"thought[ _]?signature")
_UNKNOWN = re.compile(r"unknown name|cannot find field|unknown field|unrecognized|no such field|extra inputs")
_THINKING = re.compile(r"thinking|include_?thoughts|thoughts? ")
_AMOUNT = re.compile(r"level|budget")
_SCHEMA = re.compile(
    r"parameters_?json_?schema|function_?declarations|\bschema|non-empty for object|\$ref|\$defs|additional_?properties"
    r"|parameters\.|\.parameters\b"
)
_UNSEEN = re.compile(
    r"(?:image|document|pdf|file|media|multimodal)s?(?: \w+){0,2} (?:is|are) not (?:enabled|supported)"
    r"|(?:not|n't) support (?:\w+ ){0,2}(?:image|document|pdf|file|media)|unsupported mime ?type|mime ?type .{0,60}not supported"
    r"|unable to process input image|document has no pages|inline_?data"
)
_NAMES = re.compile(r"function name|duplicate function")
_SYSTEM = re.compile(r"(?:developer|system)[ _]?instructions? (?:is|are) not (?:enabled|supported)")
_UNSUPPORTED = re.compile(r"support|deprecat|not permitted|not allowed|unrecognized|unknown|only the default")
_RANGE = re.compile(r"range|between|less than|greater than|minimum|maximum|at most|at least")


def quirk_in(report: Report, request: ModelRequest, known: frozenset[Quirk]) -> Quirk | None:
    """Return what to do otherwise after a refusal (400 or 422); None if nothing is known that helps."""
    said = f"{report.text} {report.param}".lower()
    found = (
        _of_signatures(said, known)
        or _of_fields(said)
        or _of_thinking(said, request, known)
        or _of_request(said, request)
    )
    return found if found not in known else None


def _of_signatures(said: str, known: frozenset[Quirk]) -> Quirk | None:
    if not _SIGNATURE.search(said):
        return None
    if _UNKNOWN.search(said) or ("no_signatures" in known and "missing" not in said):
        return "no_signature_field"
    return "stand_in_signatures" if "missing" in said else "no_signatures"


def _of_fields(said: str) -> Quirk | None:
    calls = "function_call" in said or "functioncall" in said
    results = "function_response" in said or "functionresponse" in said
    if (calls or results) and _UNKNOWN.search(said) and re.search(r"[\"'`.]id\b", said):
        return "no_call_ids"
    multimodal = "multimodal function response" in said or re.search(r"function_?response\.parts", said)
    if multimodal or (results and _UNKNOWN.search(said) and re.search(r"[\"'`]parts\b", said)):
        return "images_beside"
    return None


def _of_thinking(said: str, request: ModelRequest, known: frozenset[Quirk]) -> Quirk | None:
    if not _THINKING.search(said):
        return None
    if not _AMOUNT.search(said) or "no_thinking_amount" in known:
        return "no_thinking"
    finer = request.thinking in ("off", "medium") and "coarse_thinking" not in known
    return "coarse_thinking" if finer and "level" in said else "no_thinking_amount"


def _of_request(said: str, request: ModelRequest) -> Quirk | None:
    if request.files and _UNSEEN.search(said):
        return "no_files"
    if request.system and (_SYSTEM.search(said) or (_UNKNOWN.search(said) and "system" in said)):
        return "system_as_text"
    if request.tools and _SCHEMA.search(said) and not _NAMES.search(said):
        return "older_schema"
    if request.temperature is not None and "temperature" in said and _UNSUPPORTED.search(said):
        return None if _RANGE.search(said) else "no_temperature"
    return None
