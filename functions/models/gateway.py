"""The model gateway: the Think state, a workflow's beginning and model steps, others' calls and embeddings, drills."""

import time
from typing import Annotated, Any, Literal

from pydantic import Field

from pentad.domain.errors import PentadError
from pentad.domain.models import EMBED_QUERY, CallContext
from pentad.domain.values import FrozenValue
from pentad.models.remote import wire, wire_chat, wire_errors
from pentad.models.remote.callers import check_caller
from pentad.orchestration.turn.think import TurnInput
from pentad.orchestration.workflows.steps import Entered, EnteredStep
from pentad.runtime import priming
from pentad.runtime.entrypoint import LambdaContext, deadline_of, entrypoint
from pentad.runtime.wiring import gateway as wiring

_STORE_SECONDS = 5.0
"""Left after the model's answer, to store it."""

priming.register()


class ThinkCall(TurnInput):
    """One model turn."""

    op: Literal["think"]


class TaskCall(EnteredStep):
    """A model's step of a workflow."""

    op: Literal["task"]


class BeginCall(Entered):
    """A workflow's run begins, if the budgets can pay for it."""

    op: Literal["begin"]


class Embed(wire.EmbedCall):
    """Texts to embed."""

    op: Literal["embed"]


class Complete(wire_chat.CompleteCall):
    """One call of a model that is no turn of a run."""

    op: Literal["complete"]


class DrillCall(FrozenValue):
    """Exercise every link of every chain."""

    op: Literal["drill"]


Event = ThinkCall | TaskCall | BeginCall | Embed | Complete | DrillCall


@entrypoint("gateway", Annotated[Event, Field(discriminator="op")], tells=(ThinkCall,))
def handler(event: Event, context: LambdaContext) -> Any:
    """Return the decision of a turn, a step's reference, a reply, vectors, or the result of a drill."""
    proves = check_caller(context.invoked_function_arn, event.op)
    until = deadline_of(context, spare_seconds=_STORE_SECONDS)
    if isinstance(event, DrillCall):
        return wiring.make_drill()(deadline=until)
    if isinstance(event, BeginCall):
        return wiring.make_begin()(event)
    if isinstance(event, ThinkCall | TaskCall):
        with wiring.make_share().hold(event.tenant_id):
            return _take_step(event, until)
    try:
        behalf = _admit(event, proves=proves)
        with wiring.make_share().hold(behalf.tenant_id):
            return _call_model(event, behalf, min(until, event.deadline or until))
    except PentadError as error:
        if event.errors == "raise":
            raise
        wiring.make_telemetry().log_event("call.failed", level="WARNING", error=type(error).__name__)
        return wire_errors.encode_error(error)


def _take_step(event: ThinkCall | TaskCall, deadline: float) -> Any:
    if isinstance(event, ThinkCall):
        until = deadline if event.seconds is None else min(deadline, time.time() + event.seconds - _STORE_SECONDS)
        return wiring.make_think()(event, deadline=until)
    return wiring.make_task()(event, deadline=deadline)


def _prove_caller(event: Embed | Complete) -> CallContext:
    """Return for whom a graph asks; until here that is the caller's word."""
    return wiring.make_graph_check()(event.context, event.identity if isinstance(event, Complete) else None)


def _admit(event: Embed | Complete, *, proves: bool) -> CallContext:
    """Return for whom a call is made, if no operator has stopped it."""
    behalf = _prove_caller(event) if proves else event.context
    if not _is_of_turn(event, behalf):
        wiring.make_call_gate().check(behalf)
    return behalf


def _is_of_turn(event: Embed | Complete, behalf: CallContext) -> bool:
    """Tell whether a call only looks for what a turn is sent: that turn reads the switches."""
    return isinstance(event, Embed) and behalf.run_id is not None and behalf.purpose == EMBED_QUERY


def _call_model(event: Embed | Complete, behalf: CallContext, deadline: float) -> Any:
    told = {"tenant": behalf.tenant_id, "run": behalf.run_id, "session": behalf.session_id, "agent": behalf.agent}
    wiring.make_telemetry().add_keys(**told, step=behalf.step)
    if isinstance(event, Embed):
        embedder = wiring.make_embedder()
        reply = embedder.embed(event.texts, behalf, deadline=deadline, dimensions=event.dimensions)
        return wire.encode_reply(reply)
    request = event.to_request().model_copy(update={"context": behalf})
    return wire_chat.encode_reply(wiring.make_chat_model().complete(request, deadline=deadline))
