"""What the routes about searching, keeping and sharing take and give."""

from typing import Annotated

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from luxx.core.archive import ShareInclude
from luxx.store.archive import Hit, Share


class SearchResults(msgspec.Struct, frozen=True):
    """A page of hits, the best first; `next_cursor` is opaque."""

    items: tuple[Hit, ...]
    next_cursor: str | None


class ShareList(msgspec.Struct, frozen=True):
    """All shares, newest first."""

    items: tuple[Share, ...]


class NewShareView(msgspec.Struct, frozen=True):
    """A share that was just made; `path` holds its token, which is told only now."""

    share: Share
    path: str


class ImportProblem(msgspec.Struct, frozen=True):
    """Why a conversation was not taken."""

    title: str
    reason: str


class ImportReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a file.

    `found` conversations are `imported`, `skipped` (here already, from an earlier import) or `refused`. `left_out` counts what could not be
    taken, such as ``image``, `mended` what had to be made up, such as ``question_without_answer``, by kind; `problems` are the first reasons.
    """

    found: int
    imported: int
    skipped: int
    refused: int
    messages: int
    sources: dict[str, int]
    left_out: dict[str, int]
    mended: dict[str, int]
    problems: tuple[ImportProblem, ...]
    conversation_ids: tuple[str, ...]


class NewShare(BaseModel):
    """What to share: the branch that ends in `leaf` (default: the one shown), and what of it besides the words."""

    model_config = ConfigDict(extra="forbid")

    leaf: Annotated[str | None, Field(max_length=64)] = None
    include: Annotated[tuple[ShareInclude, ...], Field(max_length=5)] = ()
