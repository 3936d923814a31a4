"""The parts that the gallery's model plays: what it answers to each question, piece by piece."""

from dataclasses import dataclass
from typing import Any

LOG = """A turn is an **append-only log**. Everything else is a view of it: the live stream, a reload, a second tab.

```python
async def follow(turn_id: str, after: int = 0) -> AsyncIterator[Event]:
    \"\"\"Yield each event once, in order, over any number of connections.\"\"\"
    while True:
        async for event in tail(turn_id, after):
            yield event
            after = event.seq
        if event.ends_turn:
            return
```

| part | what it does | cost |
|---|---|---:|
| writer | appends events in groups | 2 ms |
| reader | reads the log from any place | 0.1 ms |
| recovery | takes up what a dead server left | 40 ms |

An event waits for one flush at most, and for half of one on average:

$$
E[d] = \\tfrac{1}{2}\\, t_f + \\sqrt{\\frac{\\pi}{2}} \\sum_{n=1}^{N} \\frac{1}{n^2}
$$

1. Events are written first.
2. Then readers are woken: those in the same process at once, others with the next poll.
3. A reader that comes back names the last event it saw, and gets the rest.
"""

ROUTE = """The fast train at **08:12** is the better one: it arrives before your meeting at ten, and there will be rain from eleven on.

- Leave the house at 07:40; the walk takes 21 minutes.
- The way back is cheaper after 19:00.
"""

WALK = """The path follows the river for an hour, crosses it on a wooden bridge, and climbs through beeches to a ridge from \
which the whole valley can be seen.

On the far side it comes down between orchards. In the second village there is a bakery that opens at seven, and behind the \
church a bench in the shade.

From there it is an hour on the level, with the water on your left; """


DONE = "Done."


@dataclass(frozen=True)
class Part:
    """One model call: thinking, tool calls, text; `refusal` is a status in their place, and `stays` leaves the stream open."""

    thinking: str = ""
    calls: tuple[tuple[str, dict[str, Any]], ...] = ()
    text: str = ""
    stays: bool = False
    refusal: int = 0


@dataclass(frozen=True)
class Role:
    """What the model does in the model calls of a turn, one after the other."""

    parts: tuple[Part, ...] = (Part(text=WALK),)


ROLES: dict[str, Role] = {
    "How does a turn survive when its server dies?": Role(
        (Part(thinking="They ask how a turn survives: a log, its readers, and what a flush costs.", text=LOG),)
    ),
    "Which train should I take, and what does it cost with my discount?": Role(
        (
            Part(
                thinking="I need the time, the price and the distance. None depends on another: I ask for all at once.",
                calls=(
                    ("current_time", {"timezone": "Europe/Berlin"}),
                    ("calculator", {"expression": "2 * 17.9 * 0.75"}),
                    ("calculator", {"expression": "1700 / 81"}),
                ),
            ),
            Part(text=ROUTE),
        )
    ),
    "Wait for the late bus, and work out the fare meanwhile.": Role(
        (
            Part(
                thinking="Both can run side by side.",
                calls=(
                    ("wait", {"seconds": 120, "label": "bus 42"}),
                    ("calculator", {"expression": "2.9 * 4"}),
                    ("calculator", {"expression": "2.9 /"}),
                ),
            ),
        )
    ),
    "Book the two tickets.": Role((Part(calls=(("wait_unsafe", {"seconds": 1, "label": "two tickets, 08:12"}),)),)),
    "Describe a walk for tomorrow.": Role((Part(thinking="A walk, told calmly.", text=WALK, stays=True),)),
    "Think about the way home first.": Role(
        (Part(thinking="There are two ways home, one along the river and one over the hill. " * 3, stays=True),)
    ),
    "Is the key right?": Role((Part(refusal=401),)),
}
