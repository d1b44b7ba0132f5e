"""Rates and sums in the tool runner: who may run now, who counts once, and who gives back."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from pentad.domain.canonical import call_key
from pentad.domain.declarations.approval_rules import AskWhenSum
from pentad.domain.errors import PolicyDenied, ToolBusy, ToolFailed, ToolThrottled, ToolUnavailable
from pentad.domain.runs import CallStatus
from pentad.observability.metrics import names
from pentad.tools.declare import Undoable, tool
from pentad.tools.declare.context import ToolContext
from pentad.tools.policy.adapters.sums_memory import MemoryCallSums
from pentad.tools.policy.admission import CallAdmission
from pentad.tools.policy.sums import PlannedSums, TakeSums, name_place
from pentad.tools.rates.adapters.buckets_memory import MemoryTokenBuckets
from pentad.tools.rates.limit import ToolRates
from pentad.tools.runtime.adapters.effects_memory import MemoryEffects
from tests.unit.tools.worlds import RUN, START, Crash, Crashing, World

DAILY = AskWhenSum("amount", above=100)
failing: list[Exception] = []


def take_back(data: dict[str, Any], context: ToolContext) -> None:
    """Take it back."""


@tool(effects="external", approval=[DAILY], rate_limit="2/minute per user", undo=take_back, idempotent=True)
def refund(amount: Annotated[float, Field(ge=0)], context: ToolContext) -> Undoable[str]:
    """Refund."""
    if failing:
        raise failing.pop()
    return Undoable("done", undo={})


@tool(effects="external", approval=[DAILY], undo=take_back, undo_kind="compensate", idempotent=True)
def send_back(amount: float) -> Undoable[str]:
    """Send money back, which an undo can only ask for again."""
    return Undoable("done", undo={})


IN_ALL = AskWhenSum("amount", above=100)
BY_CURRENCY = AskWhenSum("amount", above=200, currency="currency")


@tool(effects="external", approval=[BY_CURRENCY, IN_ALL], idempotent=True)
def pay(amount: float, currency: Literal["EUR", "USD", "GBP"]) -> str:
    """Pay."""
    return "done"


@tool(effects="external", approval=[DAILY])
def misprint(amount: float) -> int:
    """Pay, and print the receipt wrong."""
    return "no number"  # type: ignore[return-value]


@tool(effects="none", approval=[DAILY])
def quote(amount: float) -> str:
    """Ask for an offer."""
    raise failing.pop()


@tool(effects="none", rate_limit="2/minute")
def look(word: str) -> str:
    """Look a word up."""
    return word


@dataclass
class Limited:
    """A world with rates and sums."""

    world: World
    sums: MemoryCallSums = field(default_factory=MemoryCallSums)

    def __post_init__(self) -> None:
        self.world.admission = CallAdmission(
            ToolRates(MemoryTokenBuckets(), self.world.telemetry, lambda: self.world.moment),
            TakeSums(self.sums, lambda: self.world.moment),
        )

    def call(self, index: int, arguments: dict[str, Any], **more: Any) -> str:
        self.world.add_call(arguments, index=index, **more)
        self.world.execute(index=index)
        return str(self.stored(index).status.value)

    def stored(self, index: int) -> Any:
        return self.world.calls.get_call("acme", RUN, 1, index)

    @property
    def spent(self) -> Decimal:
        run = self.world.calls.get("acme", RUN)
        return self.sums.get(name_place("refund", DAILY, run, "", self.world.moment))


def test_calls_beyond_the_rate_do_not_run_and_the_model_is_told_when_it_may_call_again() -> None:
    limited = Limited(World(look))
    assert [limited.call(index, {"word": f"w{index}"}) for index in range(3)] == ["succeeded", "succeeded", "failed"]
    refused = limited.stored(2)
    assert refused.error_type == "ToolThrottled"
    assert "'look' may be called 2/minute" in refused.result
    assert "again in 30 s, at 09:30:30 UTC" in refused.result
    assert [one.name for one in limited.world.telemetry.counts].count(names.TOOL_RATE_REFUSALS) == 1
    limited.world.moment += timedelta(seconds=30)
    assert limited.call(3, {"word": "later"}) == "succeeded"


def test_a_refused_call_begins_no_effect_and_is_audited() -> None:
    limited = Limited(World(refund))
    for index in range(3):
        limited.call(index, {"amount": 1.0})
    audited = [entry.action for entry in limited.world.audit.list_for_run("acme", RUN)]
    assert audited == ["asked", "executed", "asked", "executed", "denied"]
    assert limited.spent == 2


def test_a_try_after_a_crash_takes_no_second_token_and_counts_once() -> None:
    limited = Limited(World(refund))
    world = limited.world
    world.effects = Crashing(world.effects, "finish", before=True)
    world.add_call({"amount": 30.0})
    with pytest.raises(Crash):
        world.execute()
    assert world.execute()["status"] == "succeeded"
    assert limited.spent == 30
    assert limited.call(1, {"amount": 30.0}) == "succeeded"
    assert limited.call(2, {"amount": 30.0}) == "failed"


def test_a_throttled_call_is_tried_again_with_its_token_and_its_amount() -> None:
    limited = Limited(World(refund))
    failing[:] = [ToolThrottled("slow down")]
    limited.world.add_call({"amount": 90.0})
    with pytest.raises(ToolThrottled):
        limited.world.execute()
    assert limited.spent == 0
    assert limited.world.execute()["status"] == "succeeded"
    assert limited.spent == 90
    assert limited.call(1, {"amount": 5.0}) == "succeeded"


def test_calls_that_pass_the_sum_together_do_not_all_run_and_the_model_may_ask_again() -> None:
    limited = Limited(World(refund))
    assert limited.call(0, {"amount": 80.0}) == "succeeded"
    # It was planned while the sum had room.
    assert limited.call(1, {"amount": 30.0}) == "failed"
    assert "a human will be asked" in limited.stored(1).result
    assert limited.spent == 80


def test_a_sum_by_currency_and_one_of_all_currencies_both_count() -> None:
    limited = Limited(World(pay))
    assert limited.call(0, {"amount": 80.0, "currency": "EUR"}) == "succeeded"
    run = limited.world.calls.get("acme", RUN)
    places = [(BY_CURRENCY, "EUR"), (BY_CURRENCY, "USD"), (IN_ALL, "")]
    sums = [limited.sums.get(name_place("pay", rule, run, currency, START)) for rule, currency in places]
    assert sums == [80, 0, 80]
    assert limited.call(1, {"amount": 80.0, "currency": "USD"}) == "failed"
    assert "exceeds 100" in limited.stored(1).result
    # What the first rule had counted of it is given back: nothing ran.
    assert [limited.sums.get(name_place("pay", rule, run, currency, START)) for rule, currency in places] == sums


def test_an_approved_call_counts_and_runs_beyond_the_sum() -> None:
    limited = Limited(World(refund))
    assert limited.call(0, {"amount": 500.0}, status=CallStatus.APPROVED) == "succeeded"
    assert limited.spent == 500


def test_a_call_that_was_undone_is_given_back() -> None:
    limited = Limited(World(refund))
    assert limited.call(0, {"amount": 60.0}) == "succeeded"
    assert limited.spent == 60
    for _ in range(2):
        limited.world.undo()
    assert limited.spent == 0


def test_a_call_whose_effect_stays_counts_though_another_one_makes_up_for_it() -> None:
    limited = Limited(World(send_back))
    assert limited.call(0, {"amount": 60.0}) == "succeeded"
    limited.world.undo()
    assert limited.call(1, {"amount": 60.0}) == "failed"
    assert "exceeds 100" in limited.stored(1).result


@pytest.mark.parametrize(
    "error", [RuntimeError("no receipt"), ToolFailed("it said no"), KeyError("id"), TimeoutError()]
)
def test_a_call_that_ran_and_failed_counts(error: Exception) -> None:
    limited = Limited(World(refund))
    failing[:] = [error]
    assert limited.call(0, {"amount": 90.0}) == "failed"
    assert limited.spent == 90
    assert limited.call(1, {"amount": 90.0}) == "failed"
    assert "a human will be asked" in limited.stored(1).result


def test_a_call_that_returned_what_it_does_not_declare_counts() -> None:
    limited = Limited(World(misprint))
    assert limited.call(0, {"amount": 90.0}) == "failed"
    assert "the tool ran" in limited.stored(0).result
    run = limited.world.calls.get("acme", RUN)
    assert limited.sums.get(name_place("misprint", DAILY, run, "", START)) == 90


def test_a_call_whose_backend_stays_away_counts_however_its_tries_end() -> None:
    limited = Limited(World(refund))
    limited.world.add_call({"amount": 90.0})
    for error in (ToolUnavailable("no answer"), ToolThrottled("slow down"), ToolUnavailable("no answer")):
        failing[:] = [error]
        with pytest.raises(type(error)):
            limited.world.execute()
    # The state machine gives up here: the first try may have paid.
    assert limited.spent == 90


def test_a_run_that_ended_before_its_call_began_is_given_back() -> None:
    limited = Limited(World(refund, effects=MemoryEffects(lambda tenant, run: run == RUN)))
    limited.world.add_call({"amount": 90.0})
    with pytest.raises(PolicyDenied, match="ended"):
        limited.world.execute()
    assert limited.spent == 0


def test_what_a_failed_run_may_have_done_counts_though_its_second_run_is_refused() -> None:
    limited = Limited(World(refund))
    failing[:] = [ToolUnavailable("no answer")]
    limited.world.add_call({"amount": 90.0})
    with pytest.raises(ToolUnavailable):
        limited.world.execute()
    call = limited.world.call
    again = call.model_copy(update={"step": 2, "effect_key": call_key(call)})
    limited.world.calls.stored["acme", RUN, 2, 0] = again
    failing[:] = [ToolThrottled("slow down")]
    with pytest.raises(ToolThrottled):
        limited.world.runtime().execute("acme", RUN, "helper", 2, 0, invocation=limited.world.invocation())
    assert limited.spent == 90


def test_a_throttled_call_without_effects_is_given_back() -> None:
    limited = Limited(World(quote))
    failing[:] = [ToolThrottled("slow down")]
    limited.world.add_call({"amount": 90.0})
    with pytest.raises(ToolThrottled):
        limited.world.execute()
    run = limited.world.calls.get("acme", RUN)
    assert limited.sums.get(name_place("quote", DAILY, run, "", START)) == 0


def test_wrong_arguments_are_given_back() -> None:
    limited = Limited(World(refund))
    assert limited.call(0, {"amount": 60.0, "more": 1}) == "failed"
    assert limited.spent == 0


def test_a_runner_that_keeps_no_sums_runs_nothing_of_such_a_rule_unasked() -> None:
    world = World(refund)
    world.add_call({"amount": 1.0})
    assert world.execute()["status"] == "failed"
    assert world.call.error_type == "PolicyDenied"


def test_an_amount_that_can_not_be_added_up_never_runs_unasked() -> None:
    limited = Limited(World(refund))
    limited.world.add_call({"amount": "lots"})
    with pytest.raises(PolicyDenied, match="can't be added up"):
        limited.world.execute()


def test_calls_of_one_reply_are_planned_with_each_other() -> None:
    limited = Limited(World(refund))
    limited.world.add_call({"amount": 40.0})
    planned = PlannedSums(limited.sums, lambda: START)
    run, call = limited.world.calls.get("acme", RUN), limited.world.call
    spent = planned.of(refund.spec, run)
    assert spent(DAILY, "") == 0
    planned.note(refund.spec, run, call)
    planned.note(refund.spec, run, call)
    assert spent(DAILY, "") == 80
    assert PlannedSums(None, lambda: START).of(refund.spec, run)(DAILY, "") is None


def test_a_call_that_its_rate_refuses_is_not_the_one_that_tries_a_tool_out_of_order() -> None:
    limited = Limited(World(look))
    admitted: list[str] = []

    class Gate:
        def admit(self, tenant_id: str, agent: str, tool_name: str, call_key: str) -> str | None:
            admitted.append(tool_name)
            return None

        def record_success(self, tenant_id: str, tool_name: str) -> None:
            return None

        def record_failure(self, tenant_id: str, tool_name: str, error: str) -> None:
            return None

    limited.world.gate = Gate()
    for index in range(4):
        limited.call(index, {"word": f"w{index}"})
    assert admitted == ["look", "look"]


@tool(effects="external", approval=[DAILY], rate_limit="2/minute per user")
def transfer(amount: float) -> str:
    """Pay; a second time is a second payment."""
    transferred.append(amount)
    return "done"


transferred: list[float] = []


@pytest.mark.parametrize("status", [CallStatus.PENDING, CallStatus.APPROVED])
@pytest.mark.parametrize("declared", [refund, transfer])
def test_a_call_that_lambda_had_no_room_for_runs_once_with_one_token_and_one_amount(
    status: CallStatus, declared: Any
) -> None:
    limited = Limited(World(declared))
    world = limited.world
    world.add_call({"amount": 90.0}, status=status)
    place = name_place(declared.spec.name, DAILY, world.calls.get("acme", RUN), "", START)
    transferred.clear()
    world.refusals = 8
    while world.refusals:
        with pytest.raises(ToolBusy):
            world.execute()
        assert world.effects.find("acme", RUN, call_key(world.call)) is None
        assert (limited.sums.get(place), world.call.status) == (Decimal(0), status)
    for _ in range(2):
        assert world.execute()["status"] == "succeeded"
    assert limited.sums.get(place) == 90
    assert transferred == ([] if declared is refund else [90.0])
    assert world.actions.count("executed") == 1
    # Of two tokens a minute one is left.
    assert [limited.call(index, {"amount": 1.0}) for index in (1, 2)] == ["succeeded", "failed"]


def test_a_call_waits_for_room_no_longer_than_its_run_has_time() -> None:
    limited = Limited(World(transfer))
    world = limited.world
    world.add_call({"amount": 90.0})
    transferred.clear()
    world.refusals = 2
    with pytest.raises(ToolBusy):
        world.execute()
    world.moment += timedelta(seconds=900)
    assert world.execute()["status"] == "failed"
    assert (world.call.error_type, world.audited) == ("ToolBusy", [("denied", "refused", "ToolBusy")])
    assert world.effects.find("acme", RUN, call_key(world.call)) is None
    assert world.execute()["status"] == "failed"
    assert transferred == []


def test_an_undo_that_lambda_had_no_room_for_is_done_by_the_next_try() -> None:
    limited = Limited(World(refund))
    assert limited.call(0, {"amount": 90.0}) == "succeeded"
    limited.world.refusals = 1
    with pytest.raises(ToolBusy):
        limited.world.undo()
    assert (limited.spent, limited.stored(0).status) == (Decimal(90), CallStatus.SUCCEEDED)
    assert limited.world.undo()["status"] == "undone"
    assert limited.spent == 0
