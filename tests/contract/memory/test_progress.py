"""What every store of the pipeline's progress does."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from pentad.domain import keys
from pentad.domain.errors import StoreUnavailable
from pentad.memory.objects.adapters.objects_memory import MemoryObjects
from pentad.memory.remember.adapters.progress_dynamodb import DynamoProgress
from pentad.memory.remember.adapters.progress_memory import MemoryProgress
from pentad.memory.remember.ports import DeletedSession, Progress
from pentad.memory.sessions.ports import Session
from pentad.orchestration.runs.adapters.session_removal import SessionRemoval
from tests.contract.memory.aws import local_aws

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
HEAD = Session(
    tenant_id="acme",
    session_id="s1",
    agent="assistant",
    version=1,
    length=4,
    created_at=START,
    updated_at=START,
    expires_at=START + timedelta(days=30),
)


@dataclass
class Clock:
    """A clock that is set by hand."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "dynamodb"])
def progress(request: pytest.FixtureRequest, clock: Clock) -> Iterator[Progress]:
    if request.param == "memory":
        yield MemoryProgress(clock=clock)
        return
    with local_aws() as (table, _):
        yield DynamoProgress(table, clock=clock)


def test_a_session_of_which_nothing_was_made_has_no_progress(progress: Progress) -> None:
    assert dict(progress.read("acme", "s1")) == {}
    assert dict(progress.claim(HEAD, owner="a", seconds=60).done) == {}


def test_progress_is_kept_by_step_and_recipe_after_the_claim_is_released(progress: Progress) -> None:
    progress.claim(HEAD, owner="a", seconds=60)
    progress.advance(HEAD, "turns@1", 2, owner="a")
    progress.advance(HEAD, "turns@1", 4, owner="a")
    progress.advance(HEAD, "turn-vectors@minilm.1", 3, owner="a")
    progress.release("acme", "s1", owner="a")
    expected = {"turns@1": 4, "turn-vectors@minilm.1": 3}
    assert dict(progress.read("acme", "s1")) == expected
    assert dict(progress.claim(HEAD, owner="b", seconds=60).done) == expected


def test_another_worker_is_kept_out_until_the_release_and_told_how_long(progress: Progress) -> None:
    progress.claim(HEAD, owner="a", seconds=60)
    with pytest.raises(StoreUnavailable) as refused:
        progress.claim(HEAD, owner="b", seconds=60)
    assert refused.value.retry_after == pytest.approx(60, abs=1)
    progress.release("acme", "s1", owner="b")
    with pytest.raises(StoreUnavailable):
        progress.claim(HEAD, owner="b", seconds=60)
    progress.release("acme", "s1", owner="a")
    progress.claim(HEAD, owner="b", seconds=60)


def test_a_claim_ends_by_itself_and_the_worker_that_was_too_slow_notes_nothing(
    progress: Progress, clock: Clock
) -> None:
    progress.claim(HEAD, owner="a", seconds=60)
    clock.now += timedelta(seconds=61)
    progress.claim(HEAD, owner="b", seconds=60)
    with pytest.raises(StoreUnavailable):
        progress.advance(HEAD, "turns@1", 4, owner="a")
    progress.release("acme", "s1", owner="a")
    progress.advance(HEAD, "turns@1", 2, owner="b")
    assert dict(progress.read("acme", "s1")) == {"turns@1": 2}


def note_deleted(progress: Progress, user_id: str | None) -> DeletedSession:
    """As the removal of a session's head does, in one piece with it."""
    expires = START + timedelta(days=30)
    if isinstance(progress, MemoryProgress):
        progress.note_deleted(DeletedSession("acme", "s1", user_id, expires))
    else:
        assert isinstance(progress, DynamoProgress)
        removal = SessionRemoval(progress._table, progress._table, MemoryObjects())
        pk = keys.session_pk("acme", "s1")
        progress._table.put({"pk": pk, "sk": keys.META, "type": "session", **({"user": user_id} if user_id else {})})
        removal("acme", "s1", now=START.timestamp())
    return DeletedSession("acme", "s1", user_id, expires)


@pytest.mark.parametrize("user_id", ["ada", None])
def test_that_a_session_was_deleted_is_known_until_what_was_made_of_it_is_gone(
    progress: Progress, user_id: str | None
) -> None:
    assert progress.find_deleted("acme", "s1") is None
    progress.remove("acme", "s1")
    progress.claim(HEAD, owner="a", seconds=60)
    progress.advance(HEAD, "turns@1", 4, owner="a")
    deleted = note_deleted(progress, user_id)
    assert progress.find_deleted("acme", "s1") == deleted
    assert (progress.find_deleted("other", "s1"), progress.find_deleted("acme", "s2")) == (None, None)
    progress.remove("acme", "s1")
    assert progress.find_deleted("acme", "s1") == deleted, "a worker is at it, which deletes after that"
    progress.remove("acme", "s1", owner="b")
    assert progress.find_deleted("acme", "s1") == deleted
    progress.release("acme", "s1", owner="a")
    assert progress.find_deleted("acme", "s1") == deleted
    assert progress.claim(deleted, owner="b", seconds=60).deleted == deleted
    with pytest.raises(StoreUnavailable):
        progress.claim(HEAD, owner="c", seconds=60)
    progress.remove("acme", "s1", owner="b")
    assert progress.find_deleted("acme", "s1") is None
    found = progress.claim(HEAD, owner="c", seconds=60)
    assert (dict(found.done), found.deleted) == ({}, None)


def test_who_deleted_all_of_a_session_removes_the_note_where_nobody_is_at_work(
    progress: Progress, clock: Clock
) -> None:
    progress.claim(HEAD, owner="a", seconds=60)
    note_deleted(progress, "ada")
    clock.now += timedelta(seconds=61)
    progress.remove("acme", "s1")
    assert progress.find_deleted("acme", "s1") is None


def test_a_session_of_the_same_id_is_begun_anew(progress: Progress) -> None:
    progress.claim(HEAD, owner="a", seconds=60)
    progress.advance(HEAD, "turns@1", 4, owner="a")
    progress.release("acme", "s1", owner="a")
    note_deleted(progress, "ada")
    assert dict(progress.claim(HEAD, owner="b", seconds=60).done) == {"turns@1": 4}
    with pytest.raises(StoreUnavailable):
        progress.begin_anew(HEAD, owner="a", seconds=60)
    progress.begin_anew(HEAD, owner="b", seconds=60)
    assert (dict(progress.read("acme", "s1")), progress.find_deleted("acme", "s1")) == ({}, None)
    with pytest.raises(StoreUnavailable):
        progress.claim(HEAD, owner="c", seconds=60)
    progress.advance(HEAD, "turns@1", 2, owner="b")
    assert dict(progress.read("acme", "s1")) == {"turns@1": 2}


def test_tenants_and_sessions_know_nothing_of_each_other(progress: Progress) -> None:
    progress.claim(HEAD, owner="a", seconds=60)
    progress.advance(HEAD, "turns@1", 4, owner="a")
    other = HEAD.model_copy(update={"tenant_id": "other"})
    assert dict(progress.claim(other, owner="b", seconds=60).done) == {}
    assert dict(progress.read("acme", "s2")) == {}
