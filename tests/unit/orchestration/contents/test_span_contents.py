"""What was said is put into spans that leave for a tracing product: of agents that were asked for, and redacted."""

import json
import time
from typing import Any

import pytest

from pentad.domain.errors import StoreUnavailable
from pentad.domain.runs import Run
from pentad.domain.secrets import mask_secrets
from pentad.observability.export.annotate import SendAnnotations
from pentad.observability.export.export import SendSpans
from pentad.observability.export.ports import Receipt
from pentad.observability.export.targets import Addressed, Target
from pentad.observability.logs.personal import mask_personal
from pentad.orchestration.contents.span_contents import MOST_TEXT, SpanContents
from tests.unit.orchestration.world import TENANT, World

CARD, KEY = "4111 1111 1111 1111", "sk-ant-" + "a1" * 12
IDS = {"trace_id": "a" * 32, "span_id": "b" * 16, "start": 1, "end": 2}


class Said:
    """A world, and what adds what was said in it."""

    def __init__(self) -> None:
        self.world = World()

    def talk(self, message: str = "What is 2 + 2?", answer: str = "It is 4.", **values: Any) -> Run:
        world = self.world
        world.model.script = [[("calculator", {"expression": "2 + 2"})], answer]
        run = world.begin(message, **values)
        decision = world.turn(run, 1)
        world.act(run, decision)
        world.turn(run, 2)
        return world.deliver.deliver(TENANT, run.run_id, 2)

    def add(self, *spans: dict[str, Any], agents: tuple[str, ...] = ("assistant",)) -> list[dict[str, Any]]:
        def mask(text: str) -> str:
            return mask_personal(mask_secrets(text))

        adding = SpanContents(self.world.runs, self.world.sessions, agents=agents, mask=mask)
        return [dict(one["attributes"]) for one in adding(spans)]


@pytest.fixture
def said() -> Said:
    return Said()


def span(run: Run, operation: str, *, tenant: str = TENANT, **attributes: Any) -> dict[str, Any]:
    given = {"gen_ai.operation.name": operation, **attributes}
    return {**IDS, "name": operation, "tenant": tenant, "run": run.run_id, "attributes": given}


def turn(run: Run, step: int, outcome: str = "ok", **values: Any) -> dict[str, Any]:
    return span(run, "chat", **{"pentad.step": step, "pentad.attempt.outcome": outcome, **values})


def test_a_turn_has_what_the_model_was_told_of_the_run_and_its_reply(said: Said) -> None:
    run = said.talk()
    ended: dict[str, Any] = {"gen_ai.response.finish_reasons": ["tool_call"]}
    first, second = said.add(turn(run, 1, **ended), turn(run, 2))
    [asked] = json.loads(first["gen_ai.input.messages"])
    assert asked == {"role": "user", "parts": [{"type": "text", "content": "What is 2 + 2?"}]}
    [called] = json.loads(first["gen_ai.output.messages"])[0]["parts"]
    assert (called["type"], called["name"], json.loads(called["arguments"])) == (
        "tool_call",
        "calculator",
        {"expression": "2 + 2"},
    )
    told = json.loads(second["gen_ai.input.messages"])
    assert [one["role"] for one in told] == ["user", "assistant", "tool"]
    assert told[2]["parts"] == [{"type": "tool_call_response", "id": called["id"], "response": "4"}]
    [answered] = json.loads(second["gen_ai.output.messages"])
    assert answered["parts"][0]["content"] == "It is 4."
    # The conventions' schema of a reply requires it.
    assert (json.loads(first["gen_ai.output.messages"])[0]["finish_reason"], answered["finish_reason"]) == (
        "tool_call",
        "stop",
    )


def test_a_call_has_arguments_and_result_and_a_run_its_question_and_answer(said: Said) -> None:
    run = said.talk()
    [call] = said.world.runs.list_calls(TENANT, run.run_id, 1)
    tool, root = said.add(span(run, "execute_tool", **{"gen_ai.tool.call.id": call.call_id}), span(run, "invoke_agent"))
    assert json.loads(tool["gen_ai.tool.call.arguments"]) == {"expression": "2 + 2"}
    assert tool["gen_ai.tool.call.result"] == "4"
    texts = [json.loads(root[f"gen_ai.{side}.messages"])[0]["parts"][0]["content"] for side in ("input", "output")]
    assert texts == ["What is 2 + 2?", "It is 4."]


def test_other_agents_other_tenants_failed_attempts_judges_and_runs_that_are_gone_have_nothing(said: Said) -> None:
    run = said.talk("CANARY")
    gone = run.model_copy(update={"run_id": "run_" + "0" * 26})
    spans = [
        turn(run, 1, outcome="rate_limit"),
        turn(run, 7),
        turn(run, 1, **{"pentad.purpose": "judge"}),
        span(run, "embeddings"),
        span(run, "invoke_agent", tenant="other"),
        span(gone, "invoke_agent"),
        {**IDS, "name": "x", "attributes": {"gen_ai.operation.name": "chat"}},
    ]
    assert said.add(*spans) == [one["attributes"] for one in spans]
    whole = [turn(run, 1), span(run, "invoke_agent")]
    assert said.add(*whole, agents=("clerk",)) == [one["attributes"] for one in whole]


def test_what_a_run_has_not_stored_yet_is_waited_for_a_minute(said: Said) -> None:
    world = said.world
    world.model.script = [[("calculator", {"expression": "2 + 2"})], "It is 4."]
    run = world.begin("What is 2 + 2?")
    world.act(run, world.turn(run, 1))
    [call] = world.runs.list_calls(TENANT, run.run_id, 1)
    tool, reply = span(run, "execute_tool", **{"gen_ai.tool.call.id": call.call_id}), turn(run, 2)
    for one in (tool, reply):
        with pytest.raises(StoreUnavailable, match="not stored yet"):
            said.add(one | {"end": time.time_ns()})
    # What never comes keeps no span back.
    assert "gen_ai.tool.call.result" not in said.add(tool)[0]
    assert said.add(reply) == [reply["attributes"]]
    world.turn(run, 2)
    [found] = said.add(tool | {"end": time.time_ns()})
    assert found["gen_ai.tool.call.result"] == "4"


def test_secrets_and_personal_data_are_masked_also_where_a_text_is_cut(said: Said) -> None:
    long = "x" * (MOST_TEXT - 8) + f" {CARD} and more"
    run = said.talk(f"My key is {KEY}, ada@example.com", long)
    [root] = said.add(span(run, "invoke_agent"))
    [asked], [answered] = (json.loads(root[f"gen_ai.{side}.messages"])[0]["parts"] for side in ("input", "output"))
    assert asked["content"] == "My key is [masked], [email]"
    assert answered["content"].endswith("[cut]") and "4111" not in answered["content"]


def test_what_json_escapes_is_masked_in_arguments_and_results(said: Said) -> None:
    world, note = said.world, f"card:\n{CARD.replace(' ', '')}\nIBAN:\tDE89370400440532013000"
    given = {"note": note, "mail": "j\u00fcrgen@m\u00fcller.de", "password": 12345678, "n": "\u00e9"}
    world.model.script = [[("calculator", {"expression": json.dumps(given), "more": given})], "Done."]
    run = world.begin("?")
    world.act(run, world.turn(run, 1), work=lambda _tool, arguments: json.dumps({"rows": [arguments["more"]]}))
    world.turn(run, 2)
    world.deliver.deliver(TENANT, run.run_id, 2)
    [call] = world.runs.list_calls(TENANT, run.run_id, 1)
    tool, last = said.add(span(run, "execute_tool", **{"gen_ai.tool.call.id": call.call_id}), turn(run, 2))
    clean = {"note": "card:\n[card]\nIBAN:\t[iban]", "mail": "[email]", "password": "[masked]", "n": "\u00e9"}
    arguments = json.loads(tool["gen_ai.tool.call.arguments"])
    assert (json.loads(arguments["expression"]), arguments["more"]) == (clean, clean)
    assert json.loads(tool["gen_ai.tool.call.result"]) == {"rows": [clean]}
    assert not any(part in json.dumps(last) for part in ("4111", "4405", "rgen", "12345678"))


def test_the_answer_of_a_run_of_many_messages_is_its_own(said: Said) -> None:
    run = said.talk(answer="The answer.")
    stored = said.world.sessions.read(TENANT, run.session_id, run.request_seq, run.request_seq + 3)
    middle, steps = stored[1:3] * 150, range(1, 302)
    messages = [stored[0].message, *(one.message for one in middle), stored[3].message]
    for place, one in enumerate(messages[1:]):
        messages[place + 1] = one.model_copy(update={"step": steps[place // 2]})

    class Long:
        def read(self, tenant_id: str, session_id: str, begin: int, end: int) -> list[Any]:
            made = enumerate(messages, run.request_seq)
            return [
                stored[0].model_copy(update={"message": one, "seq": seq}) for seq, one in made if begin <= seq <= end
            ]

    said.world.sessions = Long()  # type: ignore[assignment]
    root, last, early = said.add(span(run, "invoke_agent"), turn(run, messages[-1].step or 0), turn(run, 1))
    for found in (root, last):
        assert json.loads(found["gen_ai.output.messages"])[0]["parts"][0]["content"] == "The answer."
    assert json.loads(root["gen_ai.input.messages"])[0]["role"] == "user"
    assert len(json.loads(last["gen_ai.input.messages"])) == 20
    assert "calculator" in early["gen_ai.output.messages"]


@pytest.mark.parametrize(("contents", "there"), [(True, True), (False, False)])
def test_only_a_target_that_asks_for_it_is_sent_what_was_said(said: Said, contents: bool, there: bool) -> None:
    run = said.talk("CANARY")
    sent: list[bytes] = []

    class Sender:
        def send(self, to: Addressed, body: bytes) -> Receipt:
            sent.append(body)
            return Receipt()

        def send_json(self, to: Addressed, body: Any) -> bool:
            raise AssertionError("no target asks for feedback")

    class Secrets:
        def get_json(self, secret_id: str) -> dict[str, Any]:
            return {}

        def forget(self, secret_id: str) -> None:
            """Nothing is kept."""

    adding = SpanContents(said.world.runs, said.world.sessions, agents=["assistant"], mask=mask_secrets)
    target = Target(name="one", kind="otlp", endpoint="https://one", contents=contents)
    telemetry = said.world.telemetry
    annotate = SendAnnotations(Sender(), telemetry)
    place: dict[str, Any] = {"stage": "dev", "region": "eu-west-1"}
    sending = SendSpans([target], Sender(), Secrets(), "s", telemetry, annotate, **place, add_contents=adding)
    sending(json.dumps({"target": "one", "service": "f", "spans": [span(run, "invoke_agent")]}))
    assert (b"CANARY" in sent[0]) is there
