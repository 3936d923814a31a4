"""Content: answers as models write them, prose, code, tables, lists and formulas mixed, in tokens of four characters."""

import msgspec

TOKEN = 4
"""Characters of a token."""
_SECTION = """## Part of the answer

The **second** law says that a system left alone goes to the state that has *most* ways to be. In `print(entropy)` terms that is
a sum over states, as [the book](https://example.org/book) has it; what is left out there is said below, in the words of people
who measured it.

- the first point, with **weight** on a word
- the second, with `code` and $x_1^2$ in it
- the third, which is longer than the others so that it takes two lines of the column on any screen, however wide
- the fourth

```python
def entropy(states: dict[str, float]) -> float:
    \"\"\"Return the entropy of a distribution.\"\"\"
    total = sum(states.values())
    return -sum(p / total * log(p / total) for p in states.values() if p)


for name, states in systems.items():
    print(f"{name}: {entropy(states):.3f}")
```

| quantity | symbol | value | unit |
|---|:-:|--:|---|
| entropy | $S$ | 12.5 | J/K |
| **energy** | $U$ | 3.1 | kJ |
| volume | $V$ | 0.02 | m3 |

$$
S = -k \\sum_i p_i \\ln p_i + \\int_0^1 \\sqrt{1 + x^2}\\,dx
$$

1. So the sum is never negative.
2. It is zero for one state only.

"""


def mixed(tokens: int) -> str:
    """Return a text of so many tokens."""
    size = tokens * TOKEN
    return (_SECTION * (size // len(_SECTION) + 1))[:size]


def streamed(*phases: tuple[int, int]) -> str:
    """Return the message that makes the scripted model write phases of so many tokens at so many a second (docs/scripted.md).

    A phase at 0 comes as fast as it can. Before the last phase there is a pause, and its predecessor ends with the word `measured`.
    """
    actions: list[dict[str, object]] = []
    for at, (tokens, rate) in enumerate(phases):
        if at:
            actions += [_say("\n\nmeasured\n\n", 0, 0), {"type": "pause", "ms": PAUSE_S * 1000}]
        actions += _repeated(tokens, rate)
    return _script(actions)


PAUSE_S = 2.0
"""The pause between two phases."""


def exchange(number: int) -> str:
    """Return a message whose answer is a short one, the `number`th of a long conversation."""
    return _script([_say(f"Answer {number}. {_SECTION[25:420]}\n```js\nconst answer = {number};\n```\n", 0, 0)])


def _repeated(tokens: int, rate: int) -> list[dict[str, object]]:
    whole, rest = divmod(tokens * TOKEN, len(_SECTION))
    return [_say(_SECTION, rate, whole)] * (whole > 0) + [_say(_SECTION[:rest], rate, 1)] * (rest > 0)


def _say(text: str, rate: int, repeat: int) -> dict[str, object]:
    pace = {"chunk": TOKEN, "delay_ms": 1000 / rate} if rate else {"chunk": 100 * TOKEN}
    return {"type": "text", "text": text, "repeat": max(repeat, 1), **pace}


def _script(actions: list[dict[str, object]]) -> str:
    return msgspec.json.encode({"script": [actions]}).decode()
