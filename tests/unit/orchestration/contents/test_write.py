"""What was said in a run goes into its log once, redacted, of agents that were asked for; over moto's logs."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from pentad.domain.errors import ConfigurationError, NotFound, StoreUnavailable
from pentad.domain.runs import Run
from pentad.domain.secrets import mask_secrets
from pentad.observability.logs.personal import mask_personal
from pentad.orchestration.contents.adapters.contents_cloudwatch import CloudWatchContents
from pentad.orchestration.contents.adapters.names_comprehend import ComprehendNames
from pentad.orchestration.contents.write import PART, WriteContents
from tests.moto_clients import client
from tests.unit.orchestration.world import START, TENANT, World

GROUP = "/pentad/pentad-dev/contents"
CARD, KEY = "4111 1111 1111 1111", "sk-ant-" + "a1" * 12


class Said:
    """A world with a log of contents."""

    def __init__(self) -> None:
        self.world = World()
        self.logs = client("logs")
        self.logs.create_log_group(logGroupName=GROUP)
        self.log = CloudWatchContents(self.logs, GROUP, clock=lambda: datetime.now(UTC))

    def make(self, *, agents: tuple[str, ...] = ("assistant",), names: Any = None) -> WriteContents:
        def mask(text: str) -> str:
            return mask_personal(mask_secrets(text))

        return WriteContents(self.world.runs, self.world.sessions, self.log, agents=agents, mask=mask, names=names)

    def talk(self, message: str = "What is 2 + 2?", answer: str = "It is 4.", **values: Any) -> Run:
        world = self.world
        world.model.script = [[("calculator", {"expression": "2 + 2"})], answer]
        run = world.begin(message, **values)
        decision = world.turn(run, 1)
        world.act(run, decision)
        world.turn(run, 2)
        return world.deliver.deliver(TENANT, run.run_id, 2)

    def read(self, run: Run) -> list[dict[str, Any]]:
        found = self.logs.filter_log_events(logGroupName=GROUP, logStreamNames=[f"{TENANT}/{run.run_id}"])
        return [json.loads(event["message"]) for event in found["events"]]


@pytest.fixture
def said() -> Iterator[Said]:
    with mock_aws():
        yield Said()


def test_all_that_was_said_is_there_in_order_with_whose_it_is(said: Said) -> None:
    run = said.talk()
    assert said.make()(TENANT, run.run_id) == 4
    lines = said.read(run)
    assert [(line["role"], line["kind"]) for line in lines] == [
        ("user", "text"),
        ("assistant", "tool_call"),
        ("user", "tool_result"),
        ("assistant", "text"),
    ]
    assert [lines[0]["text"], lines[2]["text"], lines[3]["text"]] == ["What is 2 + 2?", "4", "It is 4."]
    assert json.loads(lines[1]["text"]) == {"tool": "calculator", "arguments": {"expression": "2 + 2"}}
    assert {(line["tenant"], line["run"], line["session"], line["agent"]) for line in lines} == {
        (TENANT, run.run_id, run.session_id, "assistant")
    }


def test_a_message_that_comes_again_writes_nothing_twice(said: Said) -> None:
    run = said.talk()
    write = said.make()
    assert [write(TENANT, run.run_id) for _ in range(3)] == [4, 0, 0]
    assert len(said.read(run)) == 4


def test_what_a_crash_has_cut_off_is_written_the_next_time(said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    run = said.talk()
    put = said.logs.put_log_events
    monkeypatch.setattr("pentad.orchestration.contents.adapters.contents_cloudwatch._BATCH_LINES", 2)
    calls: list[Any] = []

    def fail_second(**given: Any) -> Any:
        calls.append(given)
        if len(calls) == 2:
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "no"}}, "PutLogEvents")
        return put(**given)

    monkeypatch.setattr(said.logs, "put_log_events", fail_second, raising=False)
    with pytest.raises(StoreUnavailable):
        said.make()(TENANT, run.run_id)
    assert said.make()(TENANT, run.run_id) == 2
    assert len({line["line"] for line in said.read(run)}) == len(said.read(run)) == 4


def test_other_agents_runs_other_runs_of_the_session_and_other_tenants_are_left_out(said: Said) -> None:
    first = said.talk("the first question")
    second = said.talk("the second question", session_id=first.session_id)
    assert said.make(agents=("clerk",))(TENANT, first.run_id) == 0
    said.make()(TENANT, second.run_id)
    assert "the first question" not in json.dumps(said.read(second))
    with pytest.raises(NotFound):
        said.make()("other", first.run_id)


def test_secrets_and_personal_data_are_masked_before_they_are_written(said: Said) -> None:
    run = said.talk(f"My card is {CARD}, my key {KEY}, ada@example.com", "I keep DE89 3704 0044 0532 0130 00.")
    said.make()(TENANT, run.run_id)
    text = json.dumps(said.read(run))
    assert "My card is [card], my key [masked], [email]" in text and "I keep [iban]." in text


def test_a_long_text_is_cut_into_lines_and_hidden_characters_do_not_end_one(said: Said) -> None:
    answer = "é\u2028\x00" * PART
    run = said.talk(answer=answer)
    said.make()(TENANT, run.run_id)
    parts = [line for line in said.read(run) if line["kind"] == "text" and line["role"] == "assistant"]
    assert len(parts) == 3 and "".join(line["text"] for line in parts) == answer
    raw = said.logs.filter_log_events(logGroupName=GROUP)["events"]
    assert all(len(event["message"].encode()) < 256 * 1024 for event in raw)


def test_a_log_group_that_is_not_there_is_told(said: Said) -> None:
    run = said.talk()
    said.logs.delete_log_group(logGroupName=GROUP)
    with pytest.raises(ConfigurationError, match="the log of contents"):
        said.make()(TENANT, run.run_id)


def test_a_line_tells_when_it_was_said_and_is_written_by_the_present_time(said: Said) -> None:
    run = said.talk()  # in the world's time
    said.make()(TENANT, run.run_id)
    [event, *_] = said.logs.filter_log_events(logGroupName=GROUP)["events"]
    # CloudWatch Logs takes nothing that is older than 14 days, and a run may wait longer for a human.
    assert abs(event["timestamp"] / 1000 - datetime.now(UTC).timestamp()) < 3600
    assert json.loads(event["message"])["timestamp"] == START.isoformat(timespec="milliseconds")


class Comprehend:
    """Finds what it is told to, as ``DetectPiiEntities`` answers."""

    def __init__(self, *words: tuple[str, str, float]) -> None:
        self.words = words
        self.asked: list[str] = []

    def detect_pii_entities(self, *, Text: str, LanguageCode: str) -> Any:
        self.asked.append(Text)
        return {
            "Entities": [
                {"Type": kind, "Score": sure, "BeginOffset": at, "EndOffset": at + len(word)}
                for word, kind, sure in self.words
                if (at := Text.find(word)) >= 0
            ]
        }


def test_names_are_masked_by_comprehend_which_sees_nothing_that_has_a_form(said: Said) -> None:
    found = Comprehend(("Ada Lovelace", "NAME", 0.99), ("Lovelace", "NAME", 0.9), ("Monday", "DATE_TIME", 0.99))
    run = said.talk(f"I am Ada Lovelace, {CARD}, on Monday")
    said.make(names=ComprehendNames(found))(TENANT, run.run_id)
    assert said.read(run)[0]["text"] == "I am [name], [card], on Monday"
    assert not [text for text in found.asked if CARD in text]


def test_a_text_is_given_to_comprehend_in_parts_that_it_takes() -> None:
    found = Comprehend()
    text = "é" * 70_000
    assert ComprehendNames(found).mask(text) == text
    assert all(len(part.encode()) <= 100_000 for part in found.asked) and len(found.asked) == 4
