"""Which sessions a run may begin in: those of our own names are only gone on with, and some have to be new."""

import pytest

from pentad.domain.errors import InvalidInput, NotFound, StoreUnavailable
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


def test_a_session_that_we_made_is_gone_on_with(stores: Stores) -> None:
    end(stores, begin_new(stores, make_run(stores, session=OURS)))
    assert started(stores, session=OURS).request_seq == 1


def test_a_run_that_needs_a_new_session_never_gets_a_filled_one(stores: Stores) -> None:
    end(stores, started(stores, session="s1"))
    with pytest.raises(StoreUnavailable, match="there already"):
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
