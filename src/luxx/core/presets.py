"""Presets: well-known providers, which a name and a key are enough to set up."""

from collections.abc import Mapping
from typing import Literal

import msgspec


class Preset(msgspec.Struct, frozen=True, kw_only=True):
    """A well-known provider.

    `base_url` None: everyone has an address of their own. `key` says whether a key is needed; `key_url` is where to get one.
    `default_model` is for providers that list no models; `prefers` are patterns of the models to choose the default from, best
    first, whose groups are numbers that tell newer models from older ones. `headers` go with every request. `own` providers run
    on the person's own machines, where every model is free.
    """

    id: str
    name: str
    format: str
    base_url: str | None = None
    key: Literal["needed", "optional", "none"] = "needed"
    key_url: str | None = None
    default_model: str | None = None
    prefers: tuple[str, ...] = ()
    headers: Mapping[str, str] = {}
    own: bool = False
    hint: str | None = None
