"""What was said in a run goes into its log once, redacted, of agents that were asked for; over moto's logs."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from pentad.domain.errors import ConfigurationError, StoreUnavailable
from pentad.domain.ids import hash_user
from pentad.domain.runs import Run
from pentad.domain.secrets import mask_secrets
from pentad.observability.logs.personal import mask_personal
from pentad.orchestration.contents.adapters.contents_cloudwatch import CloudWatchContents
from pentad.orchestration.contents.adapters.names_comprehend import ComprehendNames
from pentad.orchestration.contents.write import MOST_MESSAGES, PART, WriteContents
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

        world = self.world
        return WriteContents(
            world.runs, world.sessions, self.log, world.telemetry, agents=agents, mask=mask, names=names
        )

    def talk(self, message: str = "What is 2 + 2?", answer: str = "It is 4.", **values: Any) -> Run:
        world = self.world
        world.model.script = [[("calculator", {"expression": "2 + 2"})], answer]
        run = world.begin(message, **values)
        decision = world.turn(run, 1)
        world.act(run, decision)
        world.turn(run, 2)
        return world.deliver.deliver(TENANT, run.run_id, 2)

    def read(self, run: Run) -> list[dict[str, Any]]:
        whose = hash_user(run.user_id) if run.user_id else "-"
        stream = f"{TENANT}/{whose}/{run.run_id}"
        found = self.logs.filter_log_events(logGroupName=GROUP, logStreamNames=[stream])
        return [json.loads(event["message"]) for event in found["events"]]

    def log_lines(self, run: Run) -> list[dict[str, Any]]:
        """Return all lines of a run, over the pages of its stream."""
        [stream] = [name for name in self.list_streams() if name.endswith(run.run_id)]
        pages = self.logs.get_paginator("filter_log_events").paginate(logGroupName=GROUP, logStreamNames=[stream])
        return [json.loads(event["message"]) for page in pages for event in page["events"]]

    def list_streams(self) -> list[str]:
        pages = self.logs.get_paginator("describe_log_streams").paginate(logGroupName=GROUP)
        return [one["logStreamName"] for page in pages for one in page["logStreams"]]


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
    assert said.make()("other", first.run_id) == 0
    assert len(said.list_streams()) == 1


def test_a_users_runs_are_in_streams_that_the_users_hash_begins_and_no_line_names_the_user(said: Said) -> None:
    runs = [said.talk(user_id=user) for user in ("ada@example.com", "ada@example.com", "ada", None)]
    for run in runs:
        said.make()(TENANT, run.run_id)
    begins = f"{TENANT}/{hash_user('ada@example.com')}/"
    own = [name for name in said.list_streams() if name.startswith(begins)]
    assert sorted(own) == sorted(f"{begins}{run.run_id}" for run in runs[:2])
    assert "ada" not in json.dumps([said.read(run) for run in runs]) + "".join(said.list_streams())


def test_of_a_run_that_is_gone_nothing_is_written_and_its_message_is_not_a_failure(said: Said) -> None:
    run = said.talk()
    del said.world.runs._runs[TENANT, run.run_id]
    assert said.make()(TENANT, run.run_id) == 0
    assert said.list_streams() == []
    [told] = [one for one in said.world.telemetry.events if one.name == "contents.run_gone"]
    assert told.fields["run"] == run.run_id


def test_what_was_written_while_the_run_was_erased_is_taken_back(said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = said.talk("stays", user_id="ada"), said.talk("goes", user_id="ada")
    said.make()(TENANT, first.run_id)
    put = said.logs.put_log_events

    def erase_meanwhile(**given: Any) -> Any:
        said.world.runs._runs.pop((TENANT, second.run_id), None)
        return put(**given)

    monkeypatch.setattr(said.logs, "put_log_events", erase_meanwhile, raising=False)
    assert said.make()(TENANT, second.run_id) == 0
    assert [name.rpartition("/")[2] for name in said.list_streams()] == [first.run_id]


@pytest.mark.parametrize("more", [0, 1, 120])
def test_a_run_with_more_messages_than_are_written_says_so(said: Said, more: int) -> None:
    run = said.talk()
    [first, *_] = said.world.sessions.read(TENANT, run.session_id, run.request_seq, run.request_seq)
    long = [first.message.model_copy(update={"message_id": f"m{number}"}) for number in range(MOST_MESSAGES + more)]

    class Long:
        def read(self, tenant_id: str, session_id: str, begin: int, end: int) -> list[Any]:
            stored = enumerate(long, run.request_seq)
            return [first.model_copy(update={"message": one, "seq": seq}) for seq, one in stored if begin <= seq <= end]

    said.world.sessions = Long()  # type: ignore[assignment]
    cut = more > 0
    assert said.make()(TENANT, run.run_id) == MOST_MESSAGES + cut
    last = said.log_lines(run)[-1]
    assert (last["kind"] == "cut", "first 2,000 messages" in last["text"]) == (cut, cut)
    assert [one.name for one in said.world.telemetry.events if one.name == "contents.cut"] == ["contents.cut"] * cut


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
