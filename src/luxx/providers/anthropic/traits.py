"""Traits: what a model of this format takes, told by its name. What its endpoint refuses corrects it (see quirks)."""

import re
from typing import Literal

import msgspec

Mode = Literal["none", "budget", "adaptive"]
"""How a model is asked to think: not at all, with a number of tokens, or with an effort."""

Off = Literal["omit", "disabled", "between_tools", "low"]
"""How a model is kept from thinking: without the field, with a word, or, where it always thinks, with the lowest effort."""

_NEW_NAME = re.compile(r"claude-(?P<family>[a-z]+)-(?P<major>\d{1,2})(?!\d)(?:[-.](?P<minor>\d{1,2})(?!\d))?")
_OLD_NAME = re.compile(r"claude-v?(?P<major>\d{1,2})(?!\d)(?:[-.](?P<minor>\d{1,2})(?!\d))?(?:-(?P<family>[a-z]+))?")
_ALWAYS_THINK = ("fable", "mythos")
_LATEST: tuple[int, int] = (99, 0)


class Traits(msgspec.Struct, frozen=True, kw_only=True):
    """What a model takes. `thinks` says that it does so unasked, `shows` that its thoughts have to be asked for."""

    claude: bool = True
    max_output: int = 32_000
    mode: Mode = "none"
    off: Off = "omit"
    thinks: bool = False
    shows: bool = False
    temperature: bool = True


def traits_of(model: str) -> Traits:
    """Return the traits of a model by its name, as Anthropic, the clouds and the gateways write it.

    A Claude without a known version is taken for a new one. Anything else (other makers offer this format too) is asked as the
    older Claudes are, which is what they imitate.
    """
    name = model.lower()
    if "claude" not in name:
        return Traits(claude=False, mode="budget", off="disabled")
    found = _NEW_NAME.search(name) or _OLD_NAME.search(name)
    family = (found["family"] if found else next((f for f in _ALWAYS_THINK if f in name), "")) or ""
    version: tuple[int, int] = (int(found["major"]), int(found["minor"] or 0)) if found else _LATEST
    if version < (3, 7):
        return Traits(max_output=8192 if version == (3, 5) else 4096)
    if version < (4, 6):
        small = family == "opus" and version < (4, 5)
        return Traits(max_output=32_000 if small else 64_000, mode="budget")
    if version < (4, 7):
        return Traits(max_output=128_000, mode="adaptive")
    if version < (5, 0):
        return Traits(max_output=128_000, mode="adaptive", shows=True, temperature=False)
    return Traits(
        max_output=128_000, mode="adaptive", off=_off(family, version), thinks=True, shows=True, temperature=False
    )


def _off(family: str, version: tuple[int, int]) -> Off:
    if family == "sonnet" and version >= (5, 5):
        return "between_tools"
    always = family in (*_ALWAYS_THINK, "") or (family == "opus" and version >= (5, 5))
    return "low" if always else "disabled"
