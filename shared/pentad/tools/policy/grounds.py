"""What a call is planned with: the policy, the untrusted text of the context, sums and confidence; and its planning."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pentad.domain.declarations.agents import ToolSpec
from pentad.domain.declarations.policy import PolicySpec
from pentad.domain.runs import CallStatus, Run, ToolCall
from pentad.tools.policy.apply import apply_policy
from pentad.tools.policy.final_arguments import finalise_call
from pentad.tools.policy.given_addresses import SaidText, find_composed
from pentad.tools.policy.outside_words import UntrustedText, find_outside_words
from pentad.tools.policy.sums import PlannedSums


@dataclass(frozen=True)
class Grounds:
    """What decides about calls beside the calls themselves.

    Attributes:
        policy: the project's.
        taint: sources of untrusted text in the context.
        confidence: of the turn; None where nobody rated it (yet).
        sums: tells what rules' sums have come to; None where nobody keeps any.
        untrusted: the untrusted text itself, to find its words in arguments.
        own_words: what the run's user wrote: words that stand there as well are the user's.
        said: the context in order, to tell addresses that nobody gave; None where arguments are not a model's.
    """

    policy: PolicySpec = field(default_factory=PolicySpec)
    taint: tuple[str, ...] = ()
    confidence: float | None = None
    sums: PlannedSums | None = None
    untrusted: Sequence[UntrustedText] = ()
    own_words: Sequence[str] = ()
    said: Sequence[SaidText] | None = None


def plan_call(tool: ToolSpec, run: Run, call: ToolCall, grounds: Grounds) -> ToolCall:
    """Return a call as it is stored: with the arguments that run, and whether it runs, asks a human or is denied.

    Args:
        tool: what it calls.
        run: its run.
        call: as the model made it, or a workflow's step; one that asks gets its final arguments.
        grounds: what else decides.
    """
    composed = _find_composed(tool, call, grounds)
    call = call.model_copy(update={"taint": grounds.taint, "confidence": grounds.confidence, "composed": composed})
    sums = grounds.sums
    verdict = apply_policy(tool, grounds.policy, run, call, spent=None if sums is None else sums.of(tool, run))
    if verdict.kind == "deny":
        end = {"status": CallStatus.FAILED, "is_error": True, "error_type": "PolicyDenied"}
        return call.model_copy(update=end | {"result": f"This call was not run. {' '.join(verdict.reasons)}"})
    if sums is not None:
        # Also one that asks: where a human allows it, it runs beside the others of its reply.
        sums.note(tool, run, call)
    if verdict.kind == "run":
        return call
    call = finalise_call(tool, call)
    outside = find_outside_words(call.arguments, grounds.untrusted, own_words=grounds.own_words)
    return call.model_copy(update={"status": CallStatus.AWAITING, "reasons": verdict.reasons, "outside": outside})


def _find_composed(tool: ToolSpec, call: ToolCall, grounds: Grounds) -> tuple[str, ...]:
    if not tool.any_address or grounds.said is None or not grounds.taint:
        return ()
    only_user = grounds.policy.untrusted.addresses_from == "user"
    return find_composed(call.arguments, grounds.said, tool.input_schema, only_user=only_user)
