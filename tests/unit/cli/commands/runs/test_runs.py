"""What options of `pentad run` say."""

from typing import Any

import pytest
from typer.testing import CliRunner

from pentad.cli.client import ApiClient
from pentad.cli.commands.runs import runs
from pentad.cli.commands.runs.runs import parse_metadata
from pentad.cli.console import CommandError
from pentad.cli.main import app


def test_metadata_is_taken_by_name_and_value() -> None:
    assert parse_metadata(["order=4711", "note=a=b"]) == {"order": "4711", "note": "a=b"}
    assert parse_metadata([]) is None


@pytest.mark.parametrize("entry", ["order", "=4711", ""])
def test_metadata_of_another_form_is_refused(entry: str) -> None:
    with pytest.raises(CommandError, match="name=value"):
        parse_metadata([entry])


@pytest.mark.parametrize(("arguments", "sent"), [(["--user", "ada"], "ada"), ([], None)])
def test_a_run_is_for_the_user_that_is_named(
    arguments: list[str], sent: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []

    class Api(ApiClient):
        def __init__(self) -> None:
            """Reach nothing."""

        def call(self, method: str, path: str, *, body: Any = None, headers: dict[str, str] | None = None) -> Any:
            asked.append(body)
            return {"run_id": "r", "status": "succeeded", "pending_approval": None}

    monkeypatch.setattr(runs, "create_api_client", Api)
    done = CliRunner().invoke(app, ["--json", "run", "Hi.", *arguments])
    assert done.exit_code == 0, done.output
    assert [body.get("user") for body in asked] == [sent]
