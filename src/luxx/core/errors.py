"""The errors of Luxx.

LuxxError
├── InvalidRequest        the caller's input is wrong; `field` names where
├── NotFound              no such thing, or not the caller's
├── Conflict              the thing is in a state that forbids the call
├── LimitReached          more than the settings allow at once, or nothing at all: it starts or shuts down
├── SecretRequired        only who has the owner's secret may do this
├── ConfigurationError    the installation is set up wrongly; the text says what to do
│   └── DirectoryInUse        another process holds the data directory
├── StorageError          the store refused or failed
│   └── Fenced            another owner holds the turn: stop without a trace
├── ToolServerFailed      an MCP server or an API cannot be reached, or does not do what it should
├── TooManyIterations     a turn used up its model calls
├── TurnAbandoned         a turn was taken over too often: it may be what kills the server
└── ProviderError         the model's provider failed
    ├── ProviderUnreachable   no connection, or it broke
    ├── ProviderTimeout       no answer, or no further token, in time
    ├── ProviderAuth          the key is missing, wrong or has no right to the model
    ├── RateLimited           too many requests
    │   └── CreditExhausted   the account has no credit left: waiting does not help
    ├── ContextOverflow       the conversation is longer than the model's window
    ├── ProviderRejected      another 4xx: the request does not suit the provider
    ├── ProviderOverloaded    a 5xx
    ├── AnswerTooLong         more than the settings allow
    └── AnswerIncomplete      the stream ended without a finish reason

`code` is stable public API: it stands in problem documents and in `error` events.
"""

from typing import ClassVar


class LuxxError(Exception):
    """Anything that Luxx itself reports; the text is fit to be shown to a person."""

    code: ClassVar[str] = "internal"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidRequest(LuxxError):
    """The caller's input is wrong."""

    code = "invalid_request"

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class NotFound(LuxxError):
    """There is no such thing, or it belongs to someone else."""

    code = "not_found"


class Conflict(LuxxError):
    """The thing is in a state that forbids the call.

    `reason` is the stable code (such as ``turn_running`` or ``ahead_of_log``), `turn_id` the turn in the way.
    """

    code = "conflict"

    def __init__(self, reason: str, message: str, turn_id: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.turn_id = turn_id


class LimitReached(LuxxError):
    """More than the settings allow at once; to try again later helps.

    `reason` is the stable code, such as ``too_many_turns``; ``starting`` and ``draining`` are servers that take nothing.
    """

    code = "limit_reached"

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class SecretRequired(LuxxError):
    """The owner's secret is missing or wrong."""

    code = "owner_secret_required"


class ConfigurationError(LuxxError):
    """The installation is set up wrongly."""

    code = "configuration"


class DirectoryInUse(ConfigurationError):
    """Another process holds the data directory; it may be one that starts or ends at this moment."""


class StorageError(LuxxError):
    """The store refused a write or cannot be used."""

    code = "storage"


class Fenced(StorageError):
    """Another owner holds the turn; whoever gets this stops and shows nothing."""

    code = "fenced"


class ToolServerFailed(LuxxError):
    """An MCP server or an API cannot be reached, has died, or does not do what it should; the text says what is wrong with it."""

    code = "tool_server_failed"


class TooManyIterations(LuxxError):
    """A turn used up its model calls."""

    code = "max_iterations"


class TurnAbandoned(LuxxError):
    """A turn was taken over too often without getting anywhere: it may be what kills the server."""

    code = "turn_abandoned"


class ProviderError(LuxxError):
    """The model's provider failed. `status` is its HTTP status, where there was one."""

    code = "provider_error"
    retryable: ClassVar[bool] = False
    elsewhere: ClassVar[bool] = False
    """Whether another provider may do better, though this one would not if it was asked again."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class ProviderUnreachable(ProviderError):
    """The provider cannot be reached, or the connection broke."""

    code = "provider_unreachable"
    retryable = True


class ProviderTimeout(ProviderError):
    """The provider did not answer, or fell silent in mid-answer; asking again would only double the wait."""

    code = "provider_timeout"
    elsewhere = True


class ProviderAuth(ProviderError):
    """The key is missing, wrong or has no right to the model."""

    code = "provider_auth"
    elsewhere = True


class RateLimited(ProviderError):
    """Too many requests. `retry_after` is in seconds, where the provider gave it."""

    code = "rate_limited"
    retryable = True

    def __init__(self, message: str, status: int | None = 429, retry_after: float | None = None) -> None:
        super().__init__(message, status)
        self.retry_after = retry_after


class CreditExhausted(RateLimited):
    """The account at the provider has no credit or quota left; to ask again is of no use."""

    code = "credit_exhausted"
    retryable = False
    elsewhere = True


class ContextOverflow(ProviderError):
    """The conversation is longer than the model's window."""

    code = "context_overflow"


class ProviderRejected(ProviderError):
    """The provider refuses the request as it is."""

    code = "provider_rejected"


class ProviderOverloaded(ProviderError):
    """The provider failed or is overloaded."""

    code = "provider_overloaded"
    retryable = True


class AnswerTooLong(ProviderError):
    """The answer is longer than the settings allow; what came until then is kept."""

    code = "answer_too_long"


class AnswerIncomplete(ProviderError):
    """The stream ended without a finish reason: the answer may be cut."""

    code = "answer_incomplete"
    retryable = True
