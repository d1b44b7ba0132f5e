"""`pentad feedback export`: wrong answers become cases, each with its run's recording."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pentad.cli.client import ProblemError
from pentad.cli.commands.quality import feedback
from pentad.cli.commands.quality.cases import build_case
from pentad.cli.main import app
from pentad.domain.runs import RunStatus
from pentad.observability.feedback.cases import CASES
from pentad.orchestration.timetravel.recording import Recording, record
from pentad.testing.cases import load_cases
from tests.unit.api.client import Client
from tests.unit.orchestration.world import TENANT, World

Json = dict[str, Any]


class Api:
    """The API, over services in memory."""

    def __init__(self, client: Client | None = None) -> None:
        self.client = client or Client()

    def close(self) -> None:
        pass

    def answer(self, question: str, answer: str, session: str) -> str:
        world = self.client.world
        world.model.script.append(answer)
        run = world.begin(question, session=session)
        world.turn(run)
        return world.runs.finish(TENANT, run.run_id, RunStatus.SUCCEEDED, at=world.clock(), answer=answer).run_id

    def say(self, run_id: str, **body: Any) -> str:
        given = self.client("POST", f"/v1/runs/{run_id}/feedback", body)
        assert given.status == 200, given.text
        return str(given.json["feedback"])

    def call(self, method: str, path: str) -> Json:
        answer = self.client(method, path)
        if answer.status != 200:
            raise ProblemError(answer.status, answer.json)
        found: Json = answer.json
        return found

    def iter_items(self, path: str, *, limit: int, **query: Any) -> Iterator[Json]:
        given = "&".join(f"{name}={value}" for name, value in query.items() if value is not None)
        yield from self.call("GET", f"{path}?{given}")["items"][:limit]


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    api = Api()
    monkeypatch.setattr(feedback, "create_api_client", lambda: api)
    return api


def run(*arguments: str, code: int = 0) -> str:
    result = CliRunner(env={"COLUMNS": "200"}).invoke(app, [*arguments])
    assert result.exit_code == code, result.output
    return result.output


def test_a_wrong_answer_becomes_a_case_with_its_conversation_and_its_recording(api: Api, tmp_path: Path) -> None:
    api.answer("My name is Ann.", "Hello Ann.", "s1")
    wrong = api.answer("What is 2 + 2?\u2028Now.", "It is 5.", "s1")
    right = api.answer("Who are you?", "An assistant.", "s2")
    case_id = api.say(wrong, score=0, correction="It is 4.", comment="count")
    api.say(right, score=1)
    assert "1 case in" in run("feedback", "export", "--output", str(tmp_path / "cases"))
    [case] = load_cases(tmp_path / "cases")
    assert [(one.role, one.content) for one in case.messages] == [
        ("user", "My name is Ann."),
        ("assistant", "Hello Ann."),
        ("user", "What is 2 + 2?\u2028Now."),
    ]
    assert (case.case, case.answer, case.expected, case.verdict) == (case_id, "It is 5.", "It is 4.", "wrong")
    assert case.question == "What is 2 + 2?\u2028Now."
    recording = Recording.model_validate_json((tmp_path / "cases" / case.recording).read_text(encoding="utf-8"))
    assert (recording.run_id, recording.outcome.answer) == (wrong, "It is 5.")


def test_again_adds_what_is_new_and_renews_what_has_changed(api: Api, tmp_path: Path) -> None:
    first, second = (api.answer("What is 2 + 2?", "It is 5.", session) for session in ("s1", "s2"))
    api.say(first, score=0)
    run("feedback", "export", "-o", str(tmp_path))
    api.say(first, score=0, correction="It is 4.")
    api.say(second, score=0)
    run("feedback", "export", "-o", str(tmp_path))
    assert [(one.run_id, one.expected) for one in load_cases(tmp_path)] == [(first, "It is 4."), (second, None)]
    run("feedback", "export", first, "-o", str(tmp_path / "one"))
    assert [one.run_id for one in load_cases(tmp_path / "one")] == [first]


def test_what_can_not_be_recorded_is_left_out_and_told(api: Api, tmp_path: Path) -> None:
    gone = api.answer("What is 2 + 2?", "It is 5.", "s1")
    api.say(gone, score=0)
    api.client.world.runs.remove_session(TENANT, "s1")
    assert f"left out {gone}" in run("feedback", "export", "-o", str(tmp_path), code=1)
    assert not (tmp_path / CASES).exists()
    shown = json.loads(run("--json", "feedback", "export", "-o", str(tmp_path), code=1))
    assert (shown["cases"], [one["run_id"] for one in shown["skipped"]]) == ([], [gone])


def test_nothing_wrong_is_no_fault_and_a_file_of_something_else_is_left_alone(api: Api, tmp_path: Path) -> None:
    assert "No answer was said to be wrong." in run("feedback", "export", "-o", str(tmp_path))
    api.say(api.answer("What is 2 + 2?", "It is 5.", "s1"), score=0)
    (tmp_path / CASES).write_text('{"mine": 1}\n')
    assert "is not a case" in run("feedback", "export", "-o", str(tmp_path), code=2)
    assert (tmp_path / CASES).read_text() == '{"mine": 1}\n'


def test_what_tools_and_passages_said_is_in_the_recording_and_not_in_the_messages() -> None:
    world = World()
    world.model.script = [[("calculator", {"expression": "2 + 2"})], "It is 4."]
    begun = world.begin("What is 2 + 2?", session="s1")
    world.act(begun, world.turn(begun))
    world.turn(begun, 2)
    ended = world.deliver.deliver(TENANT, begun.run_id, 2)
    stores = (world.catalog, world.runs, world.sessions, world.approvals)
    recording = json.loads(record(ended, *stores, at=world.clock()).model_dump_json())
    said = {"feedback": "fbk_1", "agent": "assistant", "verdict": "wrong", "correction": None, "comment": None}
    case = build_case(said | {"confidence": None, "run_id": ended.run_id}, recording)
    assert [one.content for one in case.messages] == ["What is 2 + 2?"]
    assert len(recording["steps"]) == 2
