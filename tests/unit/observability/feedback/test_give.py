"""Take feedback."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from pentad.domain.errors import PentadError, StoreUnavailable
from pentad.domain.runs import Assessment, Band, Decision, Run, RunStatus, Step
from pentad.observability.adapters.memory import MemoryTelemetry
from pentad.observability.feedback.adapters.feedback_memory import MemoryFeedback
from pentad.observability.feedback.give import FeedbackRequest, GiveFeedback
from pentad.observability.feedback.ports import FeedbackWords
from pentad.observability.metrics import names
from tests.unit.orchestration.world import START, TENANT, Clock, Events

RUN = Run.model_validate(
    {
        "tenant": TENANT,
        "run": "run_" + "1" * 26,
        "agent": "assistant",
        "session": "s1",
        "user": "ann",
        "status": RunStatus.SUCCEEDED,
        "trigger": "api",
        "created_at": START,
        "updated_at": START,
        "request_seq": 0,
        "request_hash": "h",
        "answer": "It is 4.",
    }
)
STEP = Step.model_validate(
    {
        "tenant": TENANT,
        "run": RUN.run_id,
        "step": 2,
        "decision": Decision(kind="answer", step=2),
        "message_seq": 1,
        "assessment": Assessment(confidence=0.8, band=Band.REVIEW, signals=()),
        "started_at": START,
        "duration_ms": 1,
    }
)


class World:
    def __init__(self) -> None:
        self.telemetry, self.events, self.clock = MemoryTelemetry(), Events(), Clock()
        self.store = MemoryFeedback(now=self.clock)
        self.give = GiveFeedback(self.store, self.events.publish, self.telemetry, now=self.clock)

    def count(self, name: str) -> list[float]:
        return [one.value for one in self.telemetry.counts if one.name == name]


@pytest.mark.parametrize(
    ("words", "verdict"),
    [
        (FeedbackWords(score=1), "correct"),
        (FeedbackWords(score=0.51), "correct"),
        (FeedbackWords(score=0.5), None),
        (FeedbackWords(score=0.49), "wrong"),
        (FeedbackWords(score=0), "wrong"),
        (FeedbackWords(comment="fine"), None),
        (FeedbackWords(correction="It is 5."), "wrong"),
        (FeedbackWords(correction="It is 5.", score=0.9), "correct"),
        (FeedbackWords(correction="It is 5.", score=0.5), None),
    ],
)
def test_what_feedback_says_of_an_answer(words: FeedbackWords, verdict: str | None) -> None:
    assert words.verdict == verdict


def test_the_agents_own_answer_has_its_confidence_and_its_error_is_measured() -> None:
    world = World()
    given = world.give(RUN, STEP, FeedbackRequest(score=0), by="ann")
    assert (given.step, given.confidence, given.is_fork) == (2, 0.8, False)
    assert world.count(names.CONFIDENCE_ERROR) == [pytest.approx(0.64)]


@pytest.mark.parametrize("kind", ["ask", "escalate", "approve", "stop"])
def test_an_answer_that_a_human_had_to_agree_to_says_nothing_of_the_agents_confidence(kind: str) -> None:
    world = World()
    drafted = STEP.model_copy(update={"decision": Decision.model_validate({"kind": kind, "step": 2})})
    given = world.give(RUN, drafted, FeedbackRequest(score=0), by="ann")
    assert (given.step, given.confidence) == (None, None)
    assert world.count(names.CONFIDENCE_ERROR) == []


def test_a_fork_is_rated_and_counts_for_no_quality_of_what_users_get() -> None:
    world = World()
    fork = RUN.model_copy(update={"forked_from_run_id": "run_" + "2" * 26})
    assert world.give(fork, STEP, FeedbackRequest(score=0), by="ann").is_fork
    assert (world.count(names.SATISFACTION), world.count(names.CONFIDENCE_ERROR)) == ([], [])
    assert world.count(names.FEEDBACK_GIVEN) == [1]


def test_a_score_that_comes_after_a_comment_is_counted_then() -> None:
    world = World()
    world.give(RUN, STEP, FeedbackRequest(comment="hm"), by="ann")
    assert world.count(names.SATISFACTION) == []
    world.give(RUN, STEP, FeedbackRequest(score=1), by="ann")
    assert (world.count(names.SATISFACTION), len(world.count(names.CONFIDENCE_ERROR))) == ([1], 1)


def test_of_fifty_at_once_none_is_lost_unseen() -> None:
    world = World()

    def say(number: int) -> bool:
        try:
            world.give(RUN, STEP, FeedbackRequest(score=number / 50), by="ann")
        except StoreUnavailable as error:
            return error.retry_after is None
        return True

    with ThreadPoolExecutor(16) as pool:
        stored = list(pool.map(say, range(50))).count(True)
    [kept] = world.store.list_for_run(TENANT, RUN.run_id)
    assert kept.version == stored > 0
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda number: world.give(RUN, STEP, FeedbackRequest(score=1), by=f"u{number}"), range(50)))
    assert len(world.store.list_for_run(TENANT, RUN.run_id)) == 51


def test_a_bus_that_is_down_is_told_and_the_same_again_tells_memory() -> None:
    world = World()

    def refuse(*_: object) -> None:
        raise StoreUnavailable("the bus did not take it")

    asked = FeedbackRequest(correction="It is 5.", user_id="ann")
    broken = GiveFeedback(world.store, refuse, world.telemetry, now=world.clock)
    with pytest.raises(PentadError):
        broken(RUN, STEP, asked, by="ann", idempotency_key="k")
    world.give(RUN, STEP, asked, by="ann", idempotency_key="k")
    assert len(world.events.published) == 1
    assert world.count(names.CORRECTIONS) == [1]
