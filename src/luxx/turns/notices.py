"""Notices: what pages that show other conversations want to know; they are not stored, a page that missed one reads again."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator

from luxx.turns.requests import Notice

QUEUE = 256
"""Notices that wait for one slow subscriber; the oldest give way, since each only says that something is to be read again."""


class _Subscription:
    def __init__(self) -> None:
        self.waiting: deque[Notice] = deque(maxlen=QUEUE)
        self.news = asyncio.Event()


class Notices:
    """Hands each person's notices to that person's subscribers; owns the subscriptions."""

    def __init__(self) -> None:
        self._subscriptions: dict[str, set[_Subscription]] = {}
        self._closed = False

    def publish(self, owner: str, notice: Notice) -> None:
        """Tell all of a person's subscribers."""
        for subscription in self._subscriptions.get(owner, ()):
            subscription.waiting.append(notice)
            subscription.news.set()

    async def subscribe(self, owner: str) -> AsyncGenerator[Notice | None, None]:
        """Yield the notices from now on, None at a tick without news; ends when the server drains."""
        subscription = _Subscription()
        subscriptions = self._subscriptions.setdefault(owner, set())
        subscriptions.add(subscription)
        try:
            while not self._closed:
                await subscription.news.wait()
                subscription.news.clear()
                if not subscription.waiting:
                    yield None
                while subscription.waiting:
                    yield subscription.waiting.popleft()
        finally:
            subscriptions.discard(subscription)
            if not subscriptions:
                self._subscriptions.pop(owner, None)

    def tick(self) -> None:
        """Wake all subscribers, with or without news."""
        for subscriptions in self._subscriptions.values():
            for subscription in subscriptions:
                subscription.news.set()

    def close(self) -> None:
        """End all subscriptions."""
        self._closed = True
        self.tick()
