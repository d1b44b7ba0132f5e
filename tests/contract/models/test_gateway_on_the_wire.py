"""The gateway over real adapters: what is on the ledger is what was on the wire."""

import logging
import traceback
from typing import Any

import pytest

from pentad.domain.errors import ModelUnavailable, PentadError
from pentad.domain.models import ChatRequest, Outcome
from pentad.models.catalog.catalog import ModelEntry, load
from pentad.models.gateway.gateway import Gateway
from pentad.models.providers.exchange import SIMULATED, ProviderFailure, ProviderReply
from pentad.models.providers.ports import ProviderChat
from tests.contract.models.conftest import KEY, Adapters, Desk
from tests.contract.models.test_chat_adapters import FAULTS
from tests.unit.models.samples import ADD, request, user
from twin.simulator import SimulatorControl

EVERYWHERE = [fault for fault, _ in FAULTS] + [
    {"kind": kind}
    for kind in (
        "refusal",
        "truncated_tool_args",
        "malformed_tool_args",
        "no_usage",
        "half_pair",
        "odd_end",
        "plain_ids",
    )
]


@pytest.mark.parametrize("fault", EVERYWHERE, ids=lambda fault: f"{fault['kind']}-{fault.get('status', '')}")
@pytest.mark.parametrize("times", [1, 2, None])
def test_requests_on_the_wire_equal_attempts_on_the_ledger(
    desk: Desk, control: SimulatorControl, fault: dict[str, Any], times: int | None
) -> None:
    control.add_faults({**fault, "times": times})
    try:
        reply = desk.complete(request(user("What is 1 + 2?"), tools=(ADD,)))
    except PentadError:
        pass
    else:
        assert reply.attempts == tuple(desk.ledger.all)
    wire = control.list_requests()
    assert [entry["model"] for entry in wire] == [attempt.model for attempt in desk.ledger.all]
    ids = [attempt.request_id for attempt in desk.ledger.all]
    assert all(seen in (None, entry["request_id"]) for seen, entry in zip(ids, wire, strict=True))


def test_an_overloaded_primary_is_answered_for_by_the_other_provider(desk: Desk, control: SimulatorControl) -> None:
    control.add_faults({"kind": "status", "status": 529, "provider": "anthropic"})
    reply = desk.complete(request(user("Hello?")))
    assert reply.provider == "openai"
    assert reply.notices == (SIMULATED, "GPT-6.1 Sol answered because the primary model was unavailable.")


class Hurried:
    """A real adapter that is given a moment of the time that the gateway allows, which goes by on the desk's clock."""

    def __init__(self, desk: Desk, adapter: ProviderChat) -> None:
        self.desk, self.adapter = desk, adapter
        self.timeouts: list[float] = []

    def send(self, model: ModelEntry, request: ChatRequest, *, timeout: float, **options: Any) -> ProviderReply:
        self.timeouts.append(timeout)
        try:
            return self.adapter.send(model, request, timeout=min(timeout, 0.3), **options)
        except ProviderFailure as failure:
            if failure.outcome is Outcome.TIMEOUT:
                self.desk.now += timeout
            raise


def test_a_primary_that_hangs_is_asked_once_and_the_other_provider_answers(
    desk: Desk, control: SimulatorControl
) -> None:
    hurried = Hurried(desk, desk.adapters.by_provider["anthropic"])
    providers = {**desk.adapters.by_provider, "anthropic": hurried}
    gateway = Gateway(providers, load(), desk.ledger, clock=lambda: desk.now, sleep=desk.sleep)
    control.add_faults({"kind": "timeout", "seconds": 20, "provider": "anthropic"})
    began = desk.now
    reply = gateway.complete(request(user("Hello?")), deadline=began + 295)
    assert (reply.provider, hurried.timeouts, desk.now - began) == ("openai", [85.0], 85.0)
    assert [attempt.outcome for attempt in desk.ledger.all] == [Outcome.TIMEOUT, Outcome.OK]
    assert [entry["provider"] for entry in control.list_requests()] == ["anthropic", "openai"]


def test_half_of_a_pair_is_one_unknown_character_and_goes_back_as_one(desk: Desk, control: SimulatorControl) -> None:
    control.add_faults({"kind": "half_pair"})
    asked = request(user("What is 1 + 2?"))
    first = desk.complete(asked)
    assert first.message.text.endswith("\ufffd")
    control.clear_faults()
    again = desk.complete(asked.model_copy(update={"messages": (*asked.messages, first.message, user("And 2 + 3?"))}))
    assert "5" in again.message.text
    assert [attempt.outcome for attempt in desk.ledger.all] == [Outcome.OK, Outcome.OK]


def test_a_reply_that_ends_in_an_unknown_word_is_asked_again(desk: Desk, control: SimulatorControl) -> None:
    control.add_faults({"kind": "odd_end", "stop": "insufficient_system_resource", "times": 1})
    assert desk.complete(request(user("Hello?"))).message.text
    assert [attempt.outcome for attempt in desk.ledger.all] == [Outcome.MALFORMED, Outcome.OK]


def test_with_both_providers_down_the_error_tells_what_became_of_each_attempt(
    desk: Desk, control: SimulatorControl
) -> None:
    control.add_faults({"kind": "status", "status": 529})
    with pytest.raises(ModelUnavailable) as caught:
        desk.complete(request(user("Hello?")))
    assert {attempt.provider for attempt in caught.value.attempts} == {"anthropic", "openai"}
    assert {attempt.outcome for attempt in caught.value.attempts} == {Outcome.OVERLOAD}


def test_a_refused_key_is_answered_for_by_the_other_provider(control: SimulatorControl, adapters: Adapters) -> None:
    refused = Adapters(adapters.url, key="invalid")
    refused.openai.close()
    refused.openai = adapters.openai
    reply = Desk(refused).complete(request(user("Hello?")))
    refused.anthropic.close()
    assert reply.provider == "openai"
    assert [attempt.outcome for attempt in reply.attempts] == [Outcome.AUTHENTICATION, Outcome.OK]


def test_malformed_arguments_are_repaired_on_the_wire(desk: Desk, control: SimulatorControl) -> None:
    bad = {"tool_calls": [{"name": "add", "arguments": {"a": "one"}}]}
    good = {"tool_calls": [{"name": "add", "arguments": {"a": 1, "b": 2}}]}
    control.load_script({"reply": bad}, {"match": {"contains": "was not used"}, "reply": good})
    reply = desk.complete(request(user("Add 1 and 2."), tools=(ADD,)))
    assert reply.message.tool_calls[0].arguments == {"a": 1, "b": 2}
    control.assert_consumed()


def test_no_key_is_in_any_log_or_traceback(
    desk: Desk, control: SimulatorControl, caplog: pytest.LogCaptureFixture
) -> None:
    shown = []
    with caplog.at_level(logging.DEBUG):
        for fault, _ in FAULTS:
            control.clear_faults()
            control.add_faults(fault)
            try:
                desk.complete(request(user("Hello?")))
            except PentadError as error:
                shown.append("".join(traceback.format_exception(error)))
    shown.extend(attempt.model_dump_json() for attempt in desk.ledger.all)
    ours = [record.getMessage() for record in caplog.records]
    assert KEY not in "\n".join(shown + ours)
