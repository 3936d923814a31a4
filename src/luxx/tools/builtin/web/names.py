"""Names: the addresses of hosts, asked of the system in threads of their own.

A host can make its name servers slow; in the event loop's shared pool of threads that would hold up everything else that needs one.
"""

import socket
from collections.abc import Sequence

from luxx.tools.threads import Threads


class SystemNames:
    """Resolves names as the system does, at most `at_once` at a time; a resolver for a Guard."""

    def __init__(self, at_once: int = 8) -> None:
        self._threads = Threads(at_once)

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """Return the addresses of a host. Raises OSError."""
        await self._threads.reserve()
        found = await self._threads.run(lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))
