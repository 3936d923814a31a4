"""Unshown: files that an endpoint refused, of which its model is told in words from then on, in that conversation only."""

import msgspec

from luxx.core.files import FileRef
from luxx.core.prompts import ModelRequest
from luxx.providers.remembered import Remembered


class Unshown:
    """Remembers the files that were left out of a conversation; without them it would stay stuck at the one that is broken.

    In a conversation a file's id stands for its content: the same content has the same id there.
    """

    def __init__(self) -> None:
        self._ids = Remembered[tuple[str, str], frozenset[str]](frozenset())

    def without(self, request: ModelRequest) -> ModelRequest:
        """Return a request without the contents of the files that are known to be refused."""
        return _without(request, self._ids.get((request.model, request.conversation_id)))

    def keep(self, request: ModelRequest, accepted: ModelRequest) -> None:
        """Remember what the accepted form of a request does without."""
        left_out = frozenset(request.files.keys() - accepted.files.keys())
        if left_out and request.conversation_id:
            self._ids.keep((request.model, request.conversation_id), left_out)


def relieved(request: ModelRequest, *, again: bool) -> ModelRequest | None:
    """Return a request without the files that a refusal of one can mean, None if there are none.

    Those are the newest ones, as those before were mostly taken; all of them if that was `again` refused.
    """
    groups = [ids for prompt in request.prompts if (ids := _seen(request, prompt.files))]
    if not groups:
        return None
    return _without(request, frozenset[str]().union(*groups) if again else groups[-1])


def shown_files(request: ModelRequest) -> tuple[FileRef, ...]:
    """Return the files that a request brings to be seen."""
    return tuple(file for prompt in request.prompts for file in prompt.files if file.id in request.files)


def _seen(request: ModelRequest, files: tuple[FileRef, ...]) -> frozenset[str]:
    return frozenset(file.id for file in files if file.id in request.files and (file.is_image or file.is_pdf))


def _without(request: ModelRequest, ids: frozenset[str]) -> ModelRequest:
    if not ids & request.files.keys():
        return request
    files = {id: content for id, content in request.files.items() if id not in ids}
    return msgspec.structs.replace(request, files=files)
