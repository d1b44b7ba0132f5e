"""The outcome of a model turn before it is stored as a step, and its cost."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pentad.domain.declarations.words import NO_MODEL
from pentad.domain.errors import ModelThrottled, ModelUnavailable
from pentad.domain.knowledge import Citation
from pentad.domain.messages import Message
from pentad.domain.models import Attempt, ChatReply, Outcome
from pentad.domain.runs import Assessment, Decision, Step, ToolCall
from pentad.domain.usage import Usage
from pentad.orchestration.turn.decision import REASON_CHARACTERS
from pentad.orchestration.turn.turn_input import TurnContext

_TURN = "turn"


@dataclass(frozen=True)
class TurnOutcome:
    """What a turn came to.

    Attributes:
        decision: where the run goes.
        calls: the reply's calls as planned.
        append: what goes to the session with it.
        message_seq: where its message stands, or will stand, in the session; None where it makes none.
        reply: the model's message, where it is one that stands for itself: no stop, no notice of degradation.
        unknown: markers of the answer that point to no passage.
        token_permille: the session's factor of token estimates after the reply; None where nothing was measured.
    """

    decision: Decision
    calls: list[ToolCall]
    append: tuple[Message, ...]
    message_seq: int | None
    reply: Message | None = None
    provider: str | None = None
    model: str | None = None
    usage: Usage = field(default_factory=Usage)
    cost_nanousd: int = 0
    notices: tuple[str, ...] = ()
    degraded: bool = False
    citations: tuple[Citation, ...] = ()
    unknown: tuple[str, ...] = ()
    assessment: Assessment | None = None
    token_permille: int | None = None


def make_stop(step: int, reason: str) -> Decision:
    """Return the decision that ends a run before its answer."""
    return Decision(kind="stop", step=step, reason=reason[:REASON_CHARACTERS])


def with_attempts(outcome: TurnOutcome, attempts: Sequence[Attempt]) -> TurnOutcome:
    """Return the outcome with what the attempts cost and who answered; ``none`` where nobody did."""
    answers = [one for one in attempts if one.outcome is Outcome.OK and one.context.purpose == _TURN]
    answered = answers[-1] if answers else None
    return with_costs(
        replace(
            outcome,
            provider=answered.provider if answered else "none",
            model=answered.model if answered else "none",
        ),
        attempts,
    )


def with_costs(outcome: TurnOutcome, attempts: Sequence[Attempt]) -> TurnOutcome:
    """Return the outcome with what the attempts cost."""
    return replace(
        outcome,
        usage=sum((one.usage for one in attempts), Usage()),
        cost_nanousd=sum(one.cost_nanousd for one in attempts),
    )


def with_reply(outcome: TurnOutcome, reply: ChatReply) -> TurnOutcome:
    """Return the outcome with what the gateway told beside its message."""
    return replace(
        outcome,
        provider=reply.provider,
        model=reply.model,
        usage=reply.usage,
        cost_nanousd=reply.cost_nanousd,
        notices=reply.notices,
    )


def apologise(outcome: TurnOutcome, outage: ModelUnavailable | ModelThrottled) -> TurnOutcome:
    """Return the outcome as the one of an outage: the notice in place of an answer, and what the attempts cost."""
    noticed = replace(outcome, provider="none", model="none", notices=(*outage.notices, NO_MODEL), degraded=True)
    return with_costs(noticed, outage.attempts)


def with_assessment(outcome: TurnOutcome, assessment: Assessment) -> TurnOutcome:
    """Return the outcome with how sure it is, which goes to the session in one write with the reply."""
    append = tuple(
        one.model_copy(update={"assessment": assessment}) if one is outcome.reply else one for one in outcome.append
    )
    return replace(outcome, assessment=assessment, append=append)


def make_step(situation: TurnContext, outcome: TurnOutcome, *, duration_ms: int) -> Step:
    """Return the step that keeps a turn.

    Args:
        situation: what the turn began with.
        outcome: what it came to.
        duration_ms: how long it took, in milliseconds.
    """
    turn = situation.turn
    return Step(
        tenant_id=turn.tenant_id,
        run_id=turn.run_id,
        step=turn.step,
        decision=outcome.decision,
        message_seq=outcome.message_seq,
        provider=outcome.provider,
        model=outcome.model,
        usage=outcome.usage,
        cost_nanousd=outcome.cost_nanousd,
        notices=(*situation.notices, *outcome.notices),
        degraded=outcome.degraded,
        citations=outcome.citations,
        assessment=outcome.assessment,
        taint=situation.taint,
        started_at=situation.began,
        duration_ms=duration_ms,
    )
