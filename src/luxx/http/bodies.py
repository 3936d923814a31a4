"""Bodies: what requests may hold. Unknown fields are refused, lengths are bounded, numbers are finite.

Free text keeps its meaning: what JSON can say but UTF-8 and the store cannot hold becomes U+FFFD. Names, ids and keys with
such characters are refused.
"""

import hashlib
import unicodedata
from collections.abc import Iterable
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET, UnsetType
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from luxx.core.prices import Price
from luxx.core.prompts import Thinking
from luxx.core.rules import Action, ToolRule
from luxx.core.text import storable
from luxx.store.records import ClientRequest, ConversationSettings, OnBusy
from luxx.turns.requests import Overrides

T = TypeVar("T")

_SQL_INTEGER = 2**31 - 1
_PROMPT_CHARS = 100_000
_URL_CHARS = 2_000


def _whole(value: object) -> object:
    return storable(value) if isinstance(value, str) else value


def _visible(value: str) -> str:
    if not value.strip() or any(unicodedata.category(character) in ("Cc", "Cs") for character in value):
        raise ValueError("must have visible characters and no control characters")
    return value


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be empty")
    return value


def _stripped(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


def _address(value: str) -> str:
    """Return a base URL without the slash at its end. Raises ValueError."""
    try:
        url = urlsplit(value)
        port = url.port
    except ValueError:
        raise ValueError("is not a URL") from None
    if not value.isascii() or any(character <= " " or character in '\\"<>^`{|}\x7f' for character in value):
        raise ValueError("must have no spaces, control characters or characters outside ASCII")
    if url.scheme not in ("http", "https") or not url.hostname or port == 0:
        raise ValueError("must be an address of the kind https://host/path")
    if url.username is not None or url.password is not None:
        raise ValueError("must have no user name or password: the key has its own field")
    if "?" in value or "#" in value:
        raise ValueError("must have no query and no fragment")
    return value.rstrip("/")


FreeText = Annotated[str, BeforeValidator(_whole)]
Title = Annotated[FreeText, StringConstraints(min_length=1, max_length=200), AfterValidator(_not_blank)]
SystemPrompt = Annotated[FreeText, StringConstraints(max_length=_PROMPT_CHARS)]
MessageText = Annotated[FreeText, StringConstraints(min_length=1), AfterValidator(_not_blank)]
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
RequestId = Annotated[str, StringConstraints(min_length=1, max_length=128), AfterValidator(_visible)]
ModelName = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_visible)]
ProviderName = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(_visible)]
Format = Annotated[str, StringConstraints(min_length=1, max_length=50), AfterValidator(_visible)]
BaseUrl = Annotated[str, BeforeValidator(_stripped), StringConstraints(max_length=_URL_CHARS), AfterValidator(_address)]
ApiKey = Annotated[
    str, BeforeValidator(_stripped), StringConstraints(min_length=1, max_length=4096, pattern=r"^[!-~]+$")
]
Temperature = Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)]
Dollars = Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)]
MaxTokens = Annotated[int, Field(ge=1, le=_SQL_INTEGER)]


class Body(BaseModel):
    """What all bodies have in common."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    def given(self, name: str, value: T) -> T | UnsetType:
        """Return the value of a field that was sent, else UNSET."""
        return value if name in self.model_fields_set else UNSET


class Nothing(Body):
    """An empty object."""


class Rule(Body):
    """What to do with calls of the tools whose name fits the pattern (``*``, ``?`` and ``[abc]`` as in a shell)."""

    tool: Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[!-~]+$")]
    action: Action


RuleItems = Annotated[list[Rule], Field(max_length=200)]


def rules_of(items: Iterable[Rule]) -> tuple[ToolRule, ...]:
    """Return the rules that a body names."""
    return tuple(ToolRule(tool=item.tool, action=item.action) for item in items)


class Rules(Body):
    """A person's rules; the first one that fits a tool's name counts."""

    items: RuleItems


class DecideApproval(Body):
    """A decision. `arguments` replace those of the model, or answer a tool's question; `always` holds for the conversation."""

    approve: bool
    arguments: dict[str, Any] | None = None
    always: bool = False


class Repeatable(Body):
    """A body that may bring the client's own id for it, which makes it safe to send again."""

    client_request_id: RequestId | None = None

    def request(self, target: str) -> ClientRequest | None:
        """Return the client's id with the target and a hash of the rest, which tells other bodies apart."""
        if self.client_request_id is None:
            return None
        rest = self.model_dump(exclude_unset=True, exclude={"client_request_id"})
        digest = hashlib.sha256(msgspec.json.encode(rest, order="sorted")).digest()
        return ClientRequest(self.client_request_id, target, digest)


class Settings(Body):
    """The settings of a conversation; null is the provider's default."""

    system_prompt: SystemPrompt | None = None
    provider_id: Id | None = None
    model: ModelName | None = None
    temperature: Temperature | None = None
    max_tokens: MaxTokens | None = None
    tools_enabled: bool | None = None
    thinking: Thinking | None = None
    rules: RuleItems | None = None

    def sent_settings(self) -> dict[str, Any]:
        """Return the settings that were sent, by their names."""
        sent = {
            name: getattr(self, name)
            for name in ConversationSettings.__struct_fields__
            if name in self.model_fields_set
        }
        if sent.get("tools_enabled", True) is None:
            sent["tools_enabled"] = True
        if "rules" in sent:
            sent["rules"] = rules_of(self.rules or ())
        return sent


class NewConversation(Settings, Repeatable):
    """A conversation to make; everything may be left out."""

    title: Title | None = None


class ChangeConversation(Settings):
    """The fields to change; null clears a field. `leaf_id` is the last message of the branch to show."""

    title: Title | None = None
    leaf_id: Id | None = None
    pinned: bool | None = None
    unread: bool | None = None


class TurnBody(Repeatable):
    """Settings for one turn; what is left out is the conversation's. Null for `model` is the provider's default."""

    provider_id: Id | None = None
    model: ModelName | None = None
    temperature: Temperature | None = None
    max_tokens: MaxTokens | None = None
    tools_enabled: bool | None = None
    thinking: Thinking | None = None

    def overrides(self) -> Overrides:
        """Return the settings that were sent."""
        tools_enabled = UNSET if self.tools_enabled is None else self.tools_enabled
        return Overrides(
            provider_id=self.given("provider_id", self.provider_id),
            model=self.given("model", self.model),
            temperature=self.given("temperature", self.temperature),
            max_tokens=self.given("max_tokens", self.max_tokens),
            tools_enabled=tools_enabled,
            thinking=self.given("thinking", self.thinking),
        )


class NewMessage(TurnBody):
    """A message to send. Without `parent_id` it goes to the end of the branch shown; null starts a new root.

    `attachments` are ids of files: uploaded ones, or those of the conversation. With them, the text may be empty.
    """

    attachments: list[Id] = []
    text: Annotated[FreeText, Field(validate_default=True)] = ""
    parent_id: Id | None = None
    on_busy: OnBusy = "reject"

    @field_validator("text")
    @classmethod
    def _says_something(cls, text: str, info: ValidationInfo) -> str:
        if not text.strip() and not info.data.get("attachments"):
            raise ValueError("must not be empty")
        return text


class Again(TurnBody):
    """Another answer. `summary`, for regenerate only, replaces the one that the answer begins with."""

    summary: Annotated[FreeText, StringConstraints(min_length=1, max_length=_PROMPT_CHARS)] | None = None


class ModelPrice(Body):
    """US dollars for a million tokens; input from the provider's cache, or put there, costs what other input does if nothing is said."""

    input: Dollars
    output: Dollars
    cached_input: Dollars | None = None
    cache_write: Dollars | None = None

    def price(self) -> Price:
        """Return the price."""
        return Price(input=self.input, output=self.output, cached_input=self.cached_input, cache_write=self.cache_write)


NewPrices = Annotated[dict[ModelName, ModelPrice], Field(max_length=500)]
Prices = Annotated[dict[ModelName, ModelPrice | None], Field(max_length=500)]


class NewProvider(Body):
    """A provider to add: with a `preset` the key may be enough, without one `name` and `format` are needed.

    `base_url` is needed where neither the preset nor the format has an address of its own. `prices` are by the names of the models.
    """

    preset: Id | None = None
    name: ProviderName | None = None
    format: Format | None = None
    base_url: BaseUrl | None = None
    api_key: ApiKey | None = Field(None, repr=False)
    default_model: ModelName | None = None
    is_default: bool | None = None
    fallback_id: Id | None = None
    prices: NewPrices | None = None


class ChangeProvider(Body):
    """The fields to change; null clears a field. A new `base_url` deletes the key, unless a new one comes with it.

    `prices` names the models whose prices change; null for one takes its price away, and for all of it every price.
    """

    name: ProviderName | None = None
    base_url: BaseUrl | None = None
    api_key: ApiKey | None = Field(None, repr=False)
    default_model: ModelName | None = None
    is_default: bool | None = None
    fallback_id: Id | None = None
    prices: Prices | None = None
