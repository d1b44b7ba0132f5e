"""The benchmark of trajectories: options, what it tells, what it does with a conversation that is not played."""

from typing import Any

import pytest
from rich.console import Console

from benchmarks import trajectories
from benchmarks.trajectories import Report, Row, arguments, spread, summary
from tests.twin.trajectories.bfcl.deployed import Benchmark
from tests.twin.trajectories.bfcl.entries import Entry, Turn


def row(name: str, calls: int, *differences: str, same_state: bool = True) -> Row:
    return Row(name, ("TicketAPI",), 2, 0, calls, 1, same_state, list(differences), 1.0)


def test_the_base_category_is_the_default_and_whole() -> None:
    given = arguments([])
    assert (given.category, given.limit, given.json) == ("base", None, False)


@pytest.mark.parametrize("given", [["--category", "all"], ["--limit", "0"], ["--limit", "x"]])
def test_options_that_make_no_sense_are_refused(given: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        arguments(given)
    assert given[0] in capsys.readouterr().err


def test_the_summary_counts_what_is_equal() -> None:
    rows = [row("a", 3), row("b", 4, "run 2 is stopped: None"), row("c", 5, "the state differs", same_state=False)]
    console = Console(width=120, record=True)
    console.print(summary(Report("base", 0.0, rows)))
    [line] = [line for line in console.export_text().splitlines() if line.strip().startswith("any")]
    assert [cell.strip() for cell in line.split("│")] == ["any", "3", "6", "12", "1", "2", "1"]


def test_calls_of_a_conversation_are_told_with_how_often_they_occur() -> None:
    assert spread([3, 2, 3]) == "2: 1, 3: 2"


def test_playing_none_is_no_success(capsys: pytest.CaptureFixture[str]) -> None:
    assert trajectories.run(arguments(["--category", "miss_func"])) == 1
    assert "200 where the user says nothing in a turn" in capsys.readouterr().out


def test_a_conversation_that_is_not_played_differs_and_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def late(*args: Any) -> None:
        raise AssertionError("the end of run_1 did not happen within 120 s")

    monkeypatch.setattr(trajectories, "replay", late)
    entry = Entry("mine", (Turn("Hello", ("mean([1])",)),), ("MathAPI",), {}, long=False)
    found = trajectories._row(None, Benchmark.of([entry]), entry)
    assert (found.same_state, found.calls) == (False, 1)
    assert found.differences == ["it was not played: the end of run_1 did not happen within 120 s"]
