"""What confidence makes of a turn: Think over an assessor that asks the same scripted model."""

import pytest

from pentad.domain.declarations.agents import AgentSpec, Catalog, ConfidenceSpec
from pentad.domain.errors import ModelUnavailable
from pentad.domain.runs import Band, CallStatus, Decision, Run, Step
from pentad.orchestration.confidence.assessor import Assess
from pentad.orchestration.turn.think import Think
from tests.unit.orchestration.turn.test_think import fails_once
from tests.unit.orchestration.world import TENANT, World, tool

CATALOG = Catalog(
    agents={
        "warden": AgentSpec(
            name="warden",
            description="keeps the log",
            prompt="You keep the log.",
            tools=("calculator", "log"),
            confidence=ConfidenceSpec(self_report=True),
        )
    },
    tools={"calculator": tool("calculator"), "log": tool("log").model_copy(update={"effects": "internal"})},
)
LOG = [("log", {"text": "gate closed"})]
BANDS = [(0.9, Band.AUTONOMOUS), (0.7, Band.REVIEW), (0.5, Band.DRAFT), (0.4, Band.ESCALATE)]


class AssessedWorld(World):
    """A world whose turns are assessed."""

    def __init__(self) -> None:
        super().__init__(CATALOG)
        assessor = Assess(self.model, self.telemetry, clock=lambda: self.clock().timestamp())
        self.think = Think(
            CATALOG,
            self.runs,
            self.sessions,
            self.model,
            self.ledger,
            self.telemetry,
            now=self.clock,
            assessor=assessor,
            reviews=self.reviews,
        )

    def take(self, say: object, confidence: float | None, *, step: int = 1, run: Run | None = None) -> Decision:
        """Take a turn that says this and is this sure; None where it is not to be asked."""
        self.model.script = [say]
        if confidence is not None:
            self.model.script.append(f'{{"reason": "because", "confidence": {confidence}}}')
        self.run = run or self.begin(agent="warden")
        decision = self.turn(self.run, step)
        assert self.model.script == []
        return decision

    def step(self, step: int = 1) -> Step:
        stored = self.runs.find_step(TENANT, self.run.run_id, step)
        assert stored is not None
        return stored

    def causes(self) -> list[tuple[str, float | None]]:
        return [(review.cause, review.confidence) for review in self.reviews.list_open(TENANT).items]


@pytest.fixture
def world() -> AssessedWorld:
    return AssessedWorld()


@pytest.mark.parametrize(
    ("confidence", "kind"), [(0.9, "answer"), (0.7, "answer"), (0.5, "approve"), (0.4, "escalate")]
)
def test_an_answer_is_given_drafted_or_handed_over(world: AssessedWorld, confidence: float, kind: str) -> None:
    assert world.take("It closed at nine.", confidence).kind == kind


@pytest.mark.parametrize(
    ("confidence", "kind", "status"),
    [
        (0.9, "tools", CallStatus.PENDING),
        (0.7, "tools", CallStatus.PENDING),
        (0.5, "approve", CallStatus.AWAITING),
        (0.4, "escalate", CallStatus.AWAITING),
    ],
)
def test_calls_run_or_wait(world: AssessedWorld, confidence: float, kind: str, status: CallStatus) -> None:
    assert world.take(LOG, confidence).kind == kind
    assert [call.status for call in world.runs.list_calls(TENANT, world.run.run_id, 1)] == [status]


@pytest.mark.parametrize(
    ("confidence", "causes"),
    [(0.9, []), (0.7, [("confidence", 0.7)]), (0.5, []), (0.4, ["escalated"])],
)
def test_reviewed_and_escalated_turns_are_listed(world: AssessedWorld, confidence: float, causes: list[object]) -> None:
    world.take("It closed at nine.", confidence)
    listed = world.causes()
    assert [one if isinstance(causes[0], tuple) else one[0] for one in listed] == causes


@pytest.mark.parametrize(("confidence", "band"), BANDS)
def test_the_assessment_is_kept_with_its_step_and_noted_on_the_run(
    world: AssessedWorld, confidence: float, band: Band
) -> None:
    world.take("It closed at nine.", confidence)
    assessment = world.step().assessment
    assert assessment is not None
    assert (assessment.confidence, assessment.band) == (confidence, band)
    assert world.runs.get(TENANT, world.run.run_id).confidence == confidence


def test_the_run_keeps_the_lowest_confidence_of_its_steps(world: AssessedWorld) -> None:
    for step, confidence in enumerate((0.95, 0.75, 0.9), start=1):
        call = [("log", {"text": f"entry {step}"})]
        decision = world.take(call, confidence, step=step, run=world.run if step > 1 else None)
        world.act(world.run, decision)
    assert world.runs.get(TENANT, world.run.run_id).confidence == 0.75


def test_a_turn_that_only_reads_is_not_asked_how_sure_it_is(world: AssessedWorld) -> None:
    assert world.take([("calculator", {"expression": "1 + 1"})], None).kind == "tools"
    assert world.step().assessment is None


def test_what_the_assessment_cost_is_the_steps_and_the_model_is_the_turns(world: AssessedWorld) -> None:
    world.take("It closed at nine.", 0.9)
    step = world.step()
    assert (step.cost_nanousd, step.usage.input_tokens, step.model) == (2000, 200, "model-1")
    assert world.runs.get(TENANT, world.run.run_id).spent.cost_nanousd == 2000


def test_a_retry_of_a_stored_turn_asks_nobody(world: AssessedWorld) -> None:
    first = world.take("It closed at nine.", 0.7)
    assert world.turn(world.run, retry=1) == first
    assert len(world.model.requests) == 2
    assert len(world.causes()) == 1


@pytest.mark.parametrize(("confidence", "kind"), [(0.9, "tools"), (0.5, "approve")])
def test_a_turn_cut_off_after_its_reply_was_stored_is_not_assessed_again(
    world: AssessedWorld, confidence: float, kind: str
) -> None:
    fails_once(world, "record_step", world.runs)
    with pytest.raises(ModelUnavailable):
        world.take(LOG, confidence)
    assert world.turn(world.run, retry=1).kind == kind
    assert len(world.model.requests) == 2
    step = world.step()
    assert step.assessment is not None
    assert (step.assessment.confidence, step.cost_nanousd) == (confidence, 2000)


def test_a_notice_that_no_model_answered_is_not_assessed(world: AssessedWorld) -> None:
    world.model.degraded = True
    assert world.take("No model could be reached.", None).kind == "answer"
    assert world.step().assessment is None


def test_a_citation_of_nothing_makes_a_draft(world: AssessedWorld) -> None:
    assert world.take("It closed at nine [cite:aaaaaa].", 0.95).kind == "approve"
    assert world.runs.get(TENANT, world.run.run_id).confidence == 0.6
