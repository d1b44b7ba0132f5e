"""What a graph's model calls cost is in its run: with the ledger's entry, once, whatever became of the run."""

from datetime import timedelta
from functools import partial

import pytest

from pentad.aws.table import Table
from pentad.domain.models import Attempt, CallContext, Outcome
from pentad.domain.runs import Run
from pentad.domain.usage import Spent, Usage
from pentad.models.ledger.adapters.ledger_dynamodb import DynamoDBLedger
from pentad.orchestration.runs.adapters.graph_usage import build_spend_entries
from pentad.tools.graphs.equipment import PURPOSE

from .stores import START, Stores
from .test_runs import TENANT, end, make_run, make_step, started

COST = Spent(usage=Usage(input_tokens=7, output_tokens=3), cost_nanousd=11)


@pytest.fixture
def ledger(dynamodb: Stores) -> DynamoDBLedger:
    state, transient = dynamodb.state, dynamodb.transient
    assert isinstance(state, Table)
    assert isinstance(transient, Table)  # any table will do for the ledger itself
    return DynamoDBLedger(transient, state, counting=partial(build_spend_entries, state), sleep=lambda _: None)


def attempt(run: Run, number: int = 1, *, purpose: str = PURPOSE, spent: Spent = COST) -> Attempt:
    return Attempt(
        attempt_id=f"att_{number:04d}",
        context=CallContext(tenant_id=TENANT, run_id=run.run_id, step=1, agent="assistant", purpose=purpose),
        provider="p",
        model="m",
        tier="fast",
        link=0,
        number=1,
        outcome=Outcome.OK,
        started_at=START + timedelta(microseconds=number),
        duration_ms=5,
        usage=spent.usage,
        cost_nanousd=spent.cost_nanousd,
    )


def test_an_attempt_counts_once_however_often_it_is_recorded(dynamodb: Stores, ledger: DynamoDBLedger) -> None:
    run = started(dynamodb)
    for number in (1, 1, 2, 1):
        ledger.record(attempt(run, number))
    assert dynamodb.runs.get(TENANT, run.run_id).spent == COST + COST
    assert len(ledger.list_for_run(TENANT, run.run_id)) == 2


def test_it_adds_to_what_the_steps_have_used_and_is_no_step(dynamodb: Stores, ledger: DynamoDBLedger) -> None:
    run = started(dynamodb)
    ledger.record(attempt(run))
    dynamodb.runs.record_step(make_step(run), [])
    dynamodb.runs.record_step(make_step(run), [])  # a repeat
    step = Spent(steps=1, usage=make_step(run).usage, cost_nanousd=make_step(run).cost_nanousd)
    assert dynamodb.runs.get(TENANT, run.run_id).spent == step + COST


def test_what_a_step_asks_for_is_counted_with_the_step_only(dynamodb: Stores, ledger: DynamoDBLedger) -> None:
    run = started(dynamodb)
    ledger.record(attempt(run, purpose="turn"))
    assert dynamodb.runs.get(TENANT, run.run_id).spent == Spent()


def test_an_attempt_that_was_not_billed_changes_nothing(dynamodb: Stores, ledger: DynamoDBLedger) -> None:
    run = started(dynamodb)
    ledger.record(attempt(run, spent=Spent()))
    assert dynamodb.runs.get(TENANT, run.run_id) == run
    assert len(ledger.list_for_run(TENANT, run.run_id)) == 1


def test_what_was_billed_counts_in_a_run_that_has_ended_meanwhile(dynamodb: Stores, ledger: DynamoDBLedger) -> None:
    run = started(dynamodb)
    ended = end(dynamodb, run)
    ledger.record(attempt(run))
    after = dynamodb.runs.get(TENANT, run.run_id)
    assert after == ended.model_copy(update={"spent": COST})


def test_an_attempt_of_a_run_that_is_gone_is_on_the_ledger_all_the_same(
    dynamodb: Stores, ledger: DynamoDBLedger
) -> None:
    gone = make_run(dynamodb)
    ledger.record(attempt(gone))
    ledger.record(attempt(gone))
    assert ledger.list_for_run(TENANT, gone.run_id) == [attempt(gone)]
    assert dynamodb.state is not None
    assert dynamodb.state.get(f"T#{TENANT}#R#{gone.run_id}", "META") is None
