"""Waiting in tests for what comes eventually."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def eventually(look: Callable[[], Awaitable[T]]) -> T:
    """Look until there is something to see, and return it; the test's own limit ends what never comes."""
    while True:
        if seen := await look():
            return seen
        await asyncio.sleep(0.01)
