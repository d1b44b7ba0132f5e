"""The model gateway: the Think state, and single calls and embeddings for the other functions."""

from typing import Annotated, Any, Literal

from pydantic import Field

from pentad.models import wire, wire_chat
from pentad.orchestration.turn import Turn
from pentad.runtime import bootstrap
from pentad.runtime.entrypoint import LambdaContext, deadline_of, entrypoint

_STORE_SECONDS = 5.0
"""Left after the model's answer, to store it."""


class ThinkCall(Turn):
    """One model turn."""

    op: Literal["think"]


class Embed(wire.EmbedCall):
    """Texts to embed."""

    op: Literal["embed"]


class Complete(wire_chat.CompleteCall):
    """One call of a model that is no turn of a run."""

    op: Literal["complete"]


@entrypoint("gateway", Annotated[ThinkCall | Embed | Complete, Field(discriminator="op")])
def handler(event: ThinkCall | Embed | Complete, context: LambdaContext) -> Any:
    """Return the decision of a turn, a reply, or vectors."""
    until = deadline_of(context, spare_seconds=_STORE_SECONDS)
    if isinstance(event, ThinkCall):
        return bootstrap.think()(event, deadline=until)
    until = min(until, event.deadline or until)
    if isinstance(event, Embed):
        return wire.encode_reply(bootstrap.embedding_gateway().embed(event.texts, event.context, deadline=until))
    return wire_chat.encode_reply(bootstrap.chat_model().complete(event.chat_request(), deadline=until))
