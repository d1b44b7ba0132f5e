"""Recordings with the real tools: which can't run so, and how results are compared."""

import json
from pathlib import Path
from typing import Any, cast

import pytest

from pentad.orchestration.timetravel.recording import Recording
from pentad.testing import recordings
from tests.recordings import FOLDER, load


def refused(recording: Recording) -> str:
    nothing = cast(Any, None)
    with pytest.raises(AssertionError) as told:
        recordings.replay_live(nothing, nothing, recording, ())
    return str(told.value)


def test_a_file_that_is_no_recording_is_told_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"can't read the recording '.*nothing.json': No such file"):
        recordings.load_recording(tmp_path / "nothing.json")
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(AssertionError, match=r"other\.json' is not a recording of this version"):
        recordings.load_recording(tmp_path / "other.json")


def test_what_a_recording_does_not_hold_is_said_before_anything_runs() -> None:
    assert "no model could be reached" in refused(load(FOLDER / "degraded.json"))
    assert "rates its turns" in refused(load(FOLDER / "draft_rejected_then_approved.json"))
    fork = load(FOLDER / "answer.json").model_copy(update={"first_step": 2})
    assert "it is of a fork" in refused(fork)


@pytest.mark.parametrize(
    ("recorded", "now", "same"),
    [
        ('{"a": 1, "id": "x"}', '{"id": "y", "a": 1.0}', True),
        ('[{"deep": {"id": 1, "b": 2}}]', '[{"deep": {"id": 9, "b": 3}}]', False),
        ("plain words", "plain words", True),
        ("plain words", "Plain words", False),
        ("1", '"1"', False),
        (None, "null", True),
        (json.dumps("{}"), "{}", False),
    ],
)
def test_results_are_compared_by_value_without_what_may_differ(recorded: str | None, now: str, same: bool) -> None:
    ignore = frozenset({"id"})
    assert (recordings._read_result(recorded, ignore) == recordings._read_result(now, ignore)) is same
