"""The errors of the client.

ClientError
├── Unreachable      no server answers at the address, or none came back in time
├── ProtocolError    what answers does not speak Luxx's API
└── ApiError         the server refused; `reason` is the stable code of its problem document
"""

from luxx.core.errors import LuxxError


class ClientError(LuxxError):
    """A call to a server failed."""

    code = "client"


class Unreachable(ClientError):
    """No server answers, or none came back for as long as the client was told to wait.

    `unsent` says that the request did not get to one.
    """

    code = "unreachable"

    def __init__(self, message: str, *, unsent: bool = False) -> None:
        super().__init__(message)
        self.unsent = unsent


class ProtocolError(ClientError):
    """What answers at the address is not a Luxx server, or one of another kind."""

    code = "protocol"


class ApiError(ClientError):
    """The server refused the call.

    `status` is the HTTP status, `reason` the stable code of the problem document, `detail` its text for people. `turn_id` is
    the turn in the way (``turn_running``).
    """

    code = "api"

    def __init__(self, status: int, reason: str, detail: str, turn_id: str | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.reason = reason
        self.detail = detail
        self.turn_id = turn_id
