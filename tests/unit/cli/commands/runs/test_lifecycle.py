"""How failed runs are listed."""

from pentad.cli.commands.runs.lifecycle import _drop_sessions


def test_a_failed_run_is_listed_with_what_went_wrong_and_without_its_session() -> None:
    run = {"run_id": "run_1", "session": "ses_1", "ended_at": "2026-11-23T00:04:35.185818+00:00", "error": "it died"}
    [shown] = _drop_sessions([run])
    assert list(shown) == ["run_id", "ended_at", "error"]
    assert len(shown["ended_at"]) == len("11-23 00:04")
    assert _drop_sessions([run | {"ended_at": None}])[0]["ended_at"] is None
