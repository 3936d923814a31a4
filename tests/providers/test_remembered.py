"""What refusals taught is bounded: the oldest is forgotten."""

from luxx.providers.remembered import MOST, Remembered


def test_the_oldest_is_forgotten_and_what_is_learned_again_is_not_old() -> None:
    known = Remembered[int, str]("nothing")
    for number in range(MOST):
        known.keep(number, "a")
    known.keep(0, "b")
    known.keep(MOST, "c")
    assert [known.get(number) for number in (0, 1, 2, MOST, MOST + 1)] == ["b", "nothing", "a", "c", "nothing"]
