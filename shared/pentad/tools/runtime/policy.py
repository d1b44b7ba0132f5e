"""Check whether a call may run, from what is stored and never from what the caller claims. Pure."""

from pentad.domain.canonical import arguments_hash
from pentad.domain.declarations.agents import Catalog, ToolSpec
from pentad.domain.errors import InvalidTransition, PolicyDenied
from pentad.domain.runs import CallStatus, Run, ToolCall
from pentad.domain.taint.sources import merge_sources, name_tool_source
from pentad.tools.offer.own import OWN
from pentad.tools.policy.apply import apply_policy


def check_policy(spec: ToolSpec, catalog: Catalog, run: Run, call: ToolCall, agent: str) -> None:
    """Return if the call may run.

    Raises:
        PolicyDenied: there is no such tool, the agent may not use the tool, the run has ended, the approval is
            missing, or the arguments are not those that were shown.
    """
    if (spec.name not in catalog.tools and spec.name not in OWN) or call.tool != spec.name:
        raise PolicyDenied(f"no tool '{call.tool}' in this deployment", field="tool")
    if run.agent != agent:
        raise PolicyDenied(f"the run belongs to the agent '{run.agent}', not to '{agent}'", field="agent")
    # A workflow may use what its own steps name.
    definition = catalog.agents.get(agent) or catalog.workflows.get(agent)
    if definition is None or (spec.name not in definition.tools and spec.name not in OWN):
        raise PolicyDenied(
            f"the agent '{agent}' may not use the tool '{spec.name}'",
            field="tool",
            fix=f"add '{spec.name}' to tools in agents/{agent}/agent.yaml",
        )
    if run.status.ended:
        raise PolicyDenied(f"the run is {run.status.value}: no further call runs in it", field="run")
    _check_approval(spec, catalog, run, call)


def check_undoable(spec: ToolSpec, call: ToolCall) -> None:
    """Return if the effect of a call may be undone.

    Raises:
        InvalidTransition: the call did not succeed, or left nothing to undo.
    """
    if call.status is not CallStatus.SUCCEEDED:
        raise InvalidTransition(f"a call that is {call.status.value} can't be undone", field="status")
    if call.undo is None:
        raise InvalidTransition("the call left nothing to undo", field="undo_token")
    if not spec.reversible:
        raise InvalidTransition(
            f"this deployment no longer has the tool '{spec.name}', or its undo",
            field="undo_token",
            fix="deploy it again: what undoing the call needs is kept",
        )


def make_gone_spec(name: str) -> ToolSpec:
    """Return what is assumed of a tool that this deployment no longer has: that it reached outside."""
    return ToolSpec(
        name=name, description="a tool that is gone", input_schema={}, effects="external", trusted_output=False
    )


def find_sources(spec: ToolSpec, read: tuple[str, ...]) -> tuple[str, ...]:
    """Return whose text from outside a result holds, where it is not (only) its tool's.

    Args:
        spec: the tool.
        read: sources of the records that the call has read.
    """
    own = () if spec.trusted_output else (name_tool_source(spec.name),)
    return merge_sources(read, own) if read else ()


def find_written_sources(spec: ToolSpec, call: ToolCall) -> tuple[str, ...]:
    """Return the sources of text from outside that a call may write: of its context, its tool, and what it has read."""
    own = () if spec.trusted_output else (name_tool_source(spec.name),)
    return merge_sources(call.taint, call.sources, own)


def _check_approval(spec: ToolSpec, catalog: Catalog, run: Run, call: ToolCall) -> None:
    """Check that the call may run by what is stored: its taint and confidence, and what a human has said.

    Sums of rules are not looked at here: they are taken in the write that lets the call run.
    """
    verdict = apply_policy(spec, catalog.policy, run, call)
    if verdict.kind == "deny":
        raise PolicyDenied(" ".join(verdict.reasons), field="policy", fix="change policy.yaml, if it should run")
    allowed = {CallStatus.APPROVED} if verdict.kind == "ask" else {CallStatus.PENDING, CallStatus.APPROVED}
    if call.status not in allowed:
        raise PolicyDenied(
            f"the call is {call.status.value}, and '{spec.name}' needs approval: {' '.join(verdict.reasons)}",
            field="status",
            fix="approve the call first",
        )
    if arguments_hash(call.arguments) != call.arguments_hash:
        raise PolicyDenied("the arguments are not those that were stored and shown", field="arguments_hash")
