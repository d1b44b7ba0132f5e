"""Processes are ended while a fault lasts, however that ends, and not after it."""

import threading
from typing import Any, cast

import pytest

from pentad.cli.commands.operations.alarms.faults import platform
from pentad.cli.commands.operations.alarms.faults.world import FaultWorld


class Killer:
    """Notes whose processes were ended; says when the second time has come."""

    def __init__(self) -> None:
        self.ended: list[str] = []
        self.twice = threading.Event()

    def __call__(self, function: str) -> None:
        self.ended.append(function)
        if len(self.ended) > 1:
            self.twice.set()


def make_world(**more: Any) -> FaultWorld:
    return FaultWorld("http://127.0.0.1:1", cast(Any, None), cast(Any, None), {}, "pentad-dev", **more)


@pytest.mark.parametrize("fails", [False, True])
def test_processes_are_ended_again_and_again_until_the_fault_is_over(
    fails: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "_KILL_SECONDS", 0.001)
    killer = Killer()

    def use() -> None:
        with platform.kill("recall")(make_world(kill_processes=killer)):
            assert killer.twice.wait(30)
            if fails:
                raise TimeoutError("a run does not end")

    if fails:
        with pytest.raises(TimeoutError):
            use()
    else:
        use()
    assert set(killer.ended) == {"recall"}
    assert not [one for one in threading.enumerate() if one.name.startswith("drill")]


def test_where_no_process_can_be_ended_the_fault_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "_KILL_SECONDS", 0.001)
    over = threading.Event()
    with pytest.raises(NotImplementedError, match="no process can be ended"), platform.kill("recall")(make_world()):
        over.wait(0.1)
