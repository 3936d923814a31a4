"""The typed HTTP client of a Luxx server, for the command line, tests and users.

Here is what a program needs to talk to `/api`: one method for each route, and `follow`, which reads a turn's events through
cuts and restarts. It knows nothing of the server's inside; showing what comes back is the caller's business.
"""

from luxx.client.archive import ImportReport
from luxx.client.client import Client, TurnHandle
from luxx.client.errors import ApiError, ClientError, ProtocolError, Unreachable
from luxx.client.mcp_servers import McpServer, McpServerFields
from luxx.client.openapi_servers import OpenApiRefreshed, OpenApiServer, OpenApiServerFields
from luxx.client.patience import Reconnecting, Retry
from luxx.client.records import (
    Conversation,
    ConversationFields,
    ConversationPage,
    Health,
    Limits,
    Message,
    MessagePage,
    Overrides,
    Preset,
    Provider,
    ProviderFields,
    StartedTurn,
    Turn,
    TurnRef,
)

__all__ = [
    "ApiError",
    "Client",
    "ClientError",
    "Conversation",
    "ConversationFields",
    "ConversationPage",
    "Health",
    "ImportReport",
    "Limits",
    "McpServer",
    "McpServerFields",
    "Message",
    "MessagePage",
    "OpenApiRefreshed",
    "OpenApiServer",
    "OpenApiServerFields",
    "Overrides",
    "Preset",
    "ProtocolError",
    "Provider",
    "ProviderFields",
    "Reconnecting",
    "Retry",
    "StartedTurn",
    "Turn",
    "TurnHandle",
    "TurnRef",
    "Unreachable",
]
