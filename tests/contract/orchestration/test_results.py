"""Every store of results: the first of a place stands, large ones too."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from pentad.domain.declarations.workflows import Numbered, Plan, StepResult
from pentad.memory.objects.adapters.objects_s3 import S3Objects
from pentad.orchestration.runs.spill import SPILL_BYTES, Spill
from pentad.orchestration.workflows.adapters.results_dynamodb import DynamoResults
from pentad.orchestration.workflows.adapters.results_memory import MemoryResults
from pentad.orchestration.workflows.ports import ResultStore

from .stores import KINDS, open_stores

NOW = datetime(2026, 11, 22, tzinfo=UTC)
RUN = "run_" + "0" * 26


@pytest.fixture(params=KINDS)
def results(request: pytest.FixtureRequest) -> Iterator[ResultStore]:
    with open_stores(request.param) as stores:
        if stores.state is None:
            yield MemoryResults()
        else:
            yield DynamoResults(stores.state, Spill(S3Objects(stores.s3, "payload")))


def result(place: int, text: str, *, tenant_id: str = "acme", run_id: str = RUN) -> StepResult:
    return StepResult(
        tenant_id=tenant_id,
        run_id=run_id,
        place=place,
        name="step",
        status="succeeded",
        text=text,
        fields={"n": 1.5, "list": ["a"]},
        began_at=NOW,
        ended_at=NOW,
    )


def test_a_result_comes_back_as_it_was_put(results: ResultStore) -> None:
    assert results.put(result(3, "words")) == result(3, "words")
    assert results.get("acme", RUN, 3) == result(3, "words")


def test_the_first_result_of_a_place_stands(results: ResultStore) -> None:
    results.put(result(3, "first"))
    assert results.put(result(3, "second")).text == "first"
    assert results.get("acme", RUN, 3) == result(3, "first")


def test_a_large_result_comes_back_whole_and_stands_as_well(results: ResultStore) -> None:
    large = "ä" * SPILL_BYTES
    results.put(result(3, large))
    results.put(result(3, large[:-1] + "b"))
    assert results.get("acme", RUN, 3) == result(3, large)


def test_what_is_not_there_is_none(results: ResultStore) -> None:
    results.put(result(3, "words"))
    assert results.get("acme", RUN, 4) is None
    assert results.get("other", RUN, 3) is None


def test_results_of_a_run_come_by_their_places(results: ResultStore) -> None:
    for place in (1203, 3, 103):
        results.put(result(place, str(place)))
    results.put(result(1, "x", run_id="run_" + "1" * 26))
    assert [one.place for one in results.list_for_run("acme", RUN)] == [3, 103, 1203]


def test_the_first_plan_of_a_run_stands(results: ResultStore) -> None:
    plan = Plan(tenant_id="acme", own=Numbered(run_id=RUN, numbers={"step": 3}))
    assert results.find_plan("acme", RUN) is None
    results.put_plan(plan)
    results.put_plan(plan.model_copy(update={"earlier": (plan.own,)}))
    assert results.find_plan("acme", RUN) == plan
