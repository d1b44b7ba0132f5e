"""Which sessions a run may begin in: those of our own names are only gone on with, and some have to be new."""

import pytest

from pentad.domain import keys
from pentad.domain.errors import InvalidInput, NotFound, SessionBusy, StoreUnavailable
from pentad.domain.messages import Message, TextBlock
from pentad.domain.runs import Run

from .stores import Stores
from .test_runs import TENANT, end, make_run, start, started

OURS = "ses_" + "0" * 26


def begin_new(stores: Stores, run: Run) -> Run:
    message = Message(
        message_id=f"msg_{run.run_id}_00000_u",
        role="user",
        blocks=(TextBlock(text="Review this."),),
        created_at=run.created_at,
        run_id=run.run_id,
        step=0,
    )
    return stores.runs.start(run, message, session_days=30, lease_seconds=100, new_session=True)


def test_a_session_of_our_own_names_can_not_be_made_from_outside(stores: Stores) -> None:
    with pytest.raises(NotFound, match="no such session"):
        started(stores, session=OURS)
    assert stores.sessions.get(TENANT, OURS) is None


def test_a_schedule_makes_its_session_and_goes_on_with_it(stores: Stores) -> None:
    for place in (0, 1):
        run = make_run(stores, session=OURS).model_copy(update={"trigger": "schedule"})
        kept = start(stores, run)
        assert kept.request_seq == place
        end(stores, kept)


def test_a_session_that_we_made_is_gone_on_with(stores: Stores) -> None:
    end(stores, begin_new(stores, make_run(stores, session=OURS)))
    assert started(stores, session=OURS).request_seq == 1


def test_a_run_that_needs_a_new_session_never_gets_a_filled_one(stores: Stores) -> None:
    end(stores, started(stores, session="s1"))
    with pytest.raises(StoreUnavailable, match="already exists"):
        begin_new(stores, make_run(stores, session="s1"))
    head = stores.sessions.get(TENANT, "s1")
    assert head is not None
    assert head.length == 1


def test_a_repeat_of_a_run_with_a_new_session_is_the_run(stores: Stores) -> None:
    run = make_run(stores, session=OURS)
    first = begin_new(stores, run)
    assert begin_new(stores, run) == first
    assert begin_new(stores, run.model_copy(update={"session_id": "ses_" + "1" * 26})) == first
    assert stores.sessions.get(TENANT, "ses_" + "1" * 26) is None


def test_another_users_session_says_nothing_of_its_agent(stores: Stores) -> None:
    end(stores, started(stores, session="s1", user="ann", agent="secretary"))
    with pytest.raises(InvalidInput) as refused:
        start(stores, make_run(stores, session="s1", user="bob"))
    assert "secretary" not in str(refused.value)


def test_a_session_is_removed_with_its_messages_and_its_runs_stay(stores: Stores) -> None:
    run = started(stores, session="s1")
    end(stores, run)
    end(stores, start(stores, make_run(stores, session="s1"), "x" * 400_000))
    stores.runs.remove_session(TENANT, "s1")
    assert stores.sessions.get(TENANT, "s1") is None
    assert stores.sessions.read(TENANT, "s1", 0, 99) == []
    assert stores.sessions.list_page(TENANT).items == ()
    assert stores.runs.get(TENANT, run.run_id).status.ended
    if stores.s3 is not None:
        listed = stores.s3.list_objects_v2(Bucket="payload").get("Contents", [])
        assert [one["Size"] for one in listed] == [0]
    with pytest.raises(NotFound, match="no such session"):
        stores.runs.remove_session(TENANT, "s1")


def test_what_was_made_of_a_sessions_messages_goes_with_it(stores: Stores) -> None:
    if stores.state is None:
        pytest.skip("in memory nothing of it stands beside the messages")
    end(stores, started(stores, session="s1"))
    pk = keys.session_pk(TENANT, "s1")
    made = [keys.said_sk("words", 0), keys.said_sk("vectors", 3), keys.summary_sk(3)]
    for sk in made:
        stores.state.put({"pk": pk, "sk": sk, "body": "canary"})
    stores.runs.remove_session(TENANT, "s1")
    assert [stores.state.get(pk, sk) for sk in made] == [None, None, None]
    # What was said stands with the user: who deletes that has to know, also after a deletion that was cut off.
    assert set(stores.state.get(pk, keys.REMEMBERED) or {}) >= {"deleted_at", "ttl"}


def test_a_session_that_is_held_or_waited_for_is_not_removed(stores: Stores) -> None:
    holder = started(stores, session="s1")
    waiting = start(stores, make_run(stores, session="s1", if_busy="enqueue"))
    with pytest.raises(SessionBusy, match="holds the session"):
        stores.runs.remove_session(TENANT, "s1")
    end(stores, holder)
    with pytest.raises(SessionBusy):
        stores.runs.remove_session(TENANT, "s1")
    assert stores.sessions.get(TENANT, "s1") is not None
    promoted = stores.runs.promote(TENANT, "s1")
    assert promoted is not None
    assert promoted.run_id == waiting.run_id
    end(stores, promoted)
    stores.runs.remove_session(TENANT, "s1")


def test_a_session_whose_run_has_lost_it_is_removed_and_its_id_may_be_used_again(stores: Stores) -> None:
    started(stores, session="s1", agent="secretary", user="ann")
    stores.clock.advance(101)
    stores.runs.remove_session(TENANT, "s1")
    again = started(stores, session="s1", agent="desk", user="bob")
    head = stores.sessions.get(TENANT, "s1")
    assert head is not None
    assert (head.agent, head.length, again.request_seq) == ("desk", 1, 0)


def test_another_tenants_session_of_the_same_id_stays(stores: Stores) -> None:
    end(stores, started(stores, session="s1"))
    with pytest.raises(NotFound):
        stores.runs.remove_session("other", "s1")
    assert stores.sessions.get(TENANT, "s1") is not None
