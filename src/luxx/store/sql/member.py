"""Member: this process among those that share the database."""

from collections.abc import Iterable
from typing import Protocol


class Member(Protocol):
    """What the shared parts need to know of it, and whom they tell what others should know."""

    @property
    def shared(self) -> bool:
        """Whether other processes may write to the database too."""
        ...

    @property
    def node(self) -> str:
        """The id under which this process works now."""
        ...

    def tell_appended(self, turn_ids: Iterable[str]) -> None:
        """Tell others that these logs have grown; called in the event loop, after the commit, as are the next ones."""
        ...

    def tell_cancelled(self, turn_ids: Iterable[str]) -> None:
        """Tell the owners of these turns to stop them."""
        ...
