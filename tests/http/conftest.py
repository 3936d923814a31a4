"""What the HTTP tests share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.http.world import World, world


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[World]:
    """A server with nothing in it but a provider."""
    async with world(tmp_path) as found:
        yield found
