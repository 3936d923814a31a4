"""Images: what a model draws in a chat completion, in the field that OpenRouter made for it."""

import hashlib

from luxx.core.deltas import Delta, FileDelta, NoticeDelta
from luxx.core.text import storable
from luxx.providers.attachments import decode_base64, unreadable
from luxx.providers.values import fields_of, objects

_KINDS = {"image/png": "png", "image/jpeg": "jpeg", "image/webp": "webp", "image/gif": "gif"}
_LONGEST_ADDRESS = 500


class Images:
    """The images of one answer, each told once: gateways say them again at its end."""

    def __init__(self) -> None:
        self._told: set[bytes] = set()

    def take(self, images: object) -> list[Delta]:
        """Return the images that are new; one that is not within the answer is told of by its address."""
        return [delta for image in objects(images) for delta in self._image(image)]

    def _image(self, image: dict[str, object]) -> list[Delta]:
        place = image.get("image_url")
        url = place if isinstance(place, str) else fields_of(place).get("url")
        url = url.strip() if isinstance(url, str) else ""
        digest = hashlib.sha256(url.encode("utf-8", "surrogatepass")).digest()
        if not url or digest in self._told:
            return []
        self._told.add(digest)
        if not url.startswith("data:"):
            return [NoticeDelta(kind="image", text=f"The model made an image: {storable(url)[:_LONGEST_ADDRESS]}")]
        data = decode_base64(url)
        kind = url[len("data:") :].partition(";")[0].lower()
        return [FileDelta(data=data, name=f"image.{_KINDS.get(kind, 'png')}") if data else unreadable("image")]
