"""The context of a run that outgrows its budget: bounded, whole, and still between two cuts."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from pentad.domain.declarations.agents import ContextSpec
from pentad.domain.messages import Message
from pentad.memory.context.window import LEFT_OUT, advance_epoch, assemble, choose_epoch, estimate_context
from pentad.memory.sessions.ports import StoredMessage
from tests.unit.memory.context.test_window import (
    calls,
    passage,
    results,
    says,
    sent,
    session,
    user,
    whole,
    with_passages,
)

BUDGET = ContextSpec(high_water_tokens=1000, low_water_tokens=500)


def run_of(turns: int, *before: tuple[str, tuple[object, ...]]) -> list[StoredMessage]:
    """A run's question and so many turns of one call each; each message knows its step."""
    made = [*before, user("What is it?")]
    for turn in range(turns):
        made += [calls(f"c{turn}"), results(f"c{turn}")]
    stored = session(*made)  # type: ignore[arg-type]
    first = len(before)
    return [
        one.model_copy(update={"message": one.message.model_copy(update={"step": (one.seq - first + 1) // 2})})
        for one in stored
    ]


class Run:
    """Turns as Think sees them: what is stored since the epoch, and the question where that began after it."""

    def __init__(self, stored: Sequence[StoredMessage], request_seq: int, budget: ContextSpec = BUDGET) -> None:
        self.stored, self.request_seq, self.budget = stored, request_seq, budget
        self.first, self.cuts = 0, 0

    def turn(self, end: int) -> tuple[Message, ...]:
        """Return what is sent once so many messages are stored."""
        seen, pinned = self._seen(end)
        epoch = advance_epoch(seen, self.budget, request_seq=self.request_seq, pinned=pinned)
        if epoch is not None:
            assert epoch.first_seq > self.first
            self.first, self.cuts = epoch.first_seq, self.cuts + 1
            seen, pinned = self._seen(end)
            assert sum(estimate_context(one) for one in seen) == epoch.estimated_tokens
        return assemble(seen, pinned=pinned)

    def _seen(self, end: int) -> tuple[list[StoredMessage], bool]:
        tail = [one for one in self.stored[:end] if one.seq >= self.first]
        pinned = self.first > self.request_seq
        return ([self.stored[self.request_seq], *tail] if pinned else tail), pinned


def test_a_long_run_is_cut_again_and_again_and_never_over_its_budget() -> None:
    stored = run_of(200)
    run = Run(stored, 0)
    for end in range(1, len(stored) + 1, 2):
        messages = run.turn(end)
        assert whole(messages)
        assert sum(estimate_context(StoredMessage(seq=0, message=one)) for one in messages) <= 1000 + 50
        assert messages[0].text.startswith("What is it?")
    assert run.cuts > 2


def test_between_two_cuts_what_was_sent_is_a_prefix_of_what_is_sent() -> None:
    stored = run_of(200)
    run = Run(stored, 0)
    before: list[str] = []
    for end in range(1, len(stored) + 1, 2):
        cuts, now = run.cuts, None
        now = sent(run.turn(end))
        if run.cuts == cuts:
            assert now[: len(before)] == before
        before = now


def test_the_model_is_told_how_many_steps_are_gone() -> None:
    stored = run_of(100)
    run = Run(stored, 0)
    messages = [run.turn(end) for end in range(1, len(stored) + 1, 2)][-1]
    kept = messages[1].step
    assert kept is not None
    assert f"The first {kept - 1} steps" in messages[0].text


def test_earlier_questions_go_before_the_runs_own_turns() -> None:
    stored = run_of(3, user("old " * 900), says("a" * 1600))
    epoch = advance_epoch(stored, BUDGET, request_seq=2)
    assert epoch is not None
    assert epoch.first_seq == 2


def test_one_turn_over_the_budget_is_kept_whole() -> None:
    stored = [*run_of(3)]
    huge = stored[-1].model_copy(update={"estimated_tokens": 5000})
    epoch = advance_epoch([*stored[:-1], huge], BUDGET, request_seq=0)
    assert epoch is not None
    assert epoch.first_seq == stored[-2].seq
    again = advance_epoch([stored[0], *stored[-2:-1], huge], BUDGET, request_seq=0, pinned=True)
    assert again is None


def test_passages_keep_their_markers_while_their_question_stays() -> None:
    stored = run_of(100)
    stored[0] = with_passages(stored[0], passage("p1"), passage("p2"))
    run = Run(stored, 0)
    shown = [run.turn(end)[0].text for end in range(1, len(stored) + 1, 2)]
    assert all('cite="[cite:6zcvd7]"' in text and 'cite="[cite:hfdmuz]"' in text for text in shown)


def test_the_next_run_goes_on_from_where_the_long_one_was_cut() -> None:
    stored = run_of(100)
    run = Run(stored, 0)
    for end in range(1, len(stored) + 1, 2):
        run.turn(end)
    last = [*stored, *session(*([user("x")] * (len(stored) + 2)))[len(stored) :]]
    last[-2] = last[-2].model_copy(update={"message": last[-2].message.model_copy(update={"role": "assistant"})})
    rest = [one for one in last if one.seq >= run.first]
    assert choose_epoch(rest, BUDGET).first_seq == run.first
    messages = assemble(rest)
    assert (messages[0].text, messages[0].role, messages[1].role) == (LEFT_OUT, "user", "assistant")
    assert whole(messages)


@settings(max_examples=100, deadline=None)
@given(sizes=st.lists(st.integers(1, 900), min_size=1, max_size=40))
def test_whatever_the_sizes_the_context_is_whole_and_moves_only_forward(sizes: list[int]) -> None:
    stored = run_of(len(sizes))
    stored = [
        one.model_copy(update={"estimated_tokens": sizes[(one.seq - 1) // 2]}) if one.seq else one for one in stored
    ]
    run = Run(stored, 0)
    for end in range(1, len(stored) + 1, 2):
        assert whole(run.turn(end))
