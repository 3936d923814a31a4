"""Streams are read as they come while there is time, and less often under load."""

import asyncio

from luxx.providers.pace import LONGEST_REST_S, SAMPLE_S, Pace


class Machine:
    """A clock, and a loop thread that works as much as the test says."""

    def __init__(self) -> None:
        self.now = 100.0
        self.worked = 5.0

    def go_on(self, share: float) -> None:
        """Let a sample's time pass with this share of it at work."""
        self.now += SAMPLE_S
        self.worked += SAMPLE_S * share


def pace_of(machine: Machine) -> Pace:
    return Pace(lambda: machine.now, lambda: machine.worked)


def test_there_is_no_rest_while_the_loop_has_time() -> None:
    machine = Machine()
    pace = pace_of(machine)
    for _ in range(20):
        machine.go_on(0.4)
        assert pace.rest_s() == 0


def test_the_rest_grows_with_the_load_and_ends_with_it() -> None:
    machine = Machine()
    pace = pace_of(machine)
    rests: list[float] = []
    for share in (1.0,) * 8 + (0.0,) * 8:
        machine.go_on(share)
        rests.append(pace.rest_s())
    assert rests[:8] == sorted(rests[:8])
    assert rests[7] == LONGEST_REST_S
    assert rests[-1] == 0


async def test_all_that_rest_are_woken_together() -> None:
    pace = Pace()
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        early = group.create_task(pace.rest(0.02))
        await asyncio.sleep(0)
        late = group.create_task(pace.rest(60))
        await early
        await late


async def test_one_that_is_cancelled_leaves_the_others_to_their_rest() -> None:
    pace = Pace()
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        gone = group.create_task(pace.rest(0.02))
        stays = group.create_task(pace.rest(0.02))
        await asyncio.sleep(0)
        gone.cancel()
        await stays
