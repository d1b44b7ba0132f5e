"""What every store of summaries does."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest

from pentad.memory.summaries.adapters.summaries_dynamodb import DynamoSummaries
from pentad.memory.summaries.adapters.summaries_memory import MemorySummaries
from pentad.memory.summaries.ports import KEPT, SessionSummary, SummaryStore
from tests.contract.memory.aws import local_aws

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@pytest.fixture(params=["memory", "dynamodb"])
def summaries(request: pytest.FixtureRequest) -> Iterator[SummaryStore]:
    with ExitStack() as stack:
        yield (MemorySummaries() if request.param == "memory" else DynamoSummaries(stack.enter_context(local_aws())[0]))


def summary(
    last: int, version: int = 1, session: str = "s-1", tenant: str = "acme", text: str = "Ü 🙂"
) -> SessionSummary:
    return SessionSummary(
        tenant_id=tenant,
        session_id=session,
        first_seq=0,
        last_seq=last,
        version=version,
        text=text,
        made_at=START,
        expires_at=START + timedelta(days=30),
        recipe="1",
    )


def test_summaries_are_listed_by_where_they_end_and_by_session(summaries: SummaryStore) -> None:
    assert summaries.list_all("acme", "s-1") == []
    for one in (summary(40, 2), summary(9), summary(5, session="s-2"), summary(5, tenant="other")):
        assert summaries.put(one)
    assert summaries.list_all("acme", "s-1") == [summary(9), summary(40, 2)]


def test_an_older_or_equal_version_of_the_same_end_changes_nothing(summaries: SummaryStore) -> None:
    assert summaries.put(summary(9, 2))
    assert not summaries.put(summary(9, 2, text="other"))
    assert not summaries.put(summary(9, 1, text="other"))
    assert summaries.put(summary(9, 3, text="newer"))
    assert [one.text for one in summaries.list_all("acme", "s-1")] == ["newer"]


def test_the_oldest_over_the_bound_go(summaries: SummaryStore) -> None:
    for number in range(KEPT + 3):
        assert summaries.put(summary(10 * number, number + 1))
    assert [one.last_seq for one in summaries.list_all("acme", "s-1")] == [10 * n for n in range(3, KEPT + 3)]


def test_the_summaries_of_a_session_are_removed_and_no_others(summaries: SummaryStore) -> None:
    for one in (summary(9), summary(40, 2), summary(5, session="s-2"), summary(5, tenant="other")):
        summaries.put(one)
    for _ in range(2):
        summaries.remove_all("acme", "s-1")
    assert summaries.list_all("acme", "s-1") == []
    assert summaries.list_all("acme", "s-2") == [summary(5, session="s-2")]
    assert summaries.list_all("other", "s-1") == [summary(5, tenant="other")]
