"""The model gateway: the Think state, and embeddings for the other functions."""

from typing import Annotated, Any, Literal

from pydantic import Field

from pentad.models.wire import EmbedCall, encode_reply
from pentad.orchestration.turn import Turn
from pentad.runtime import bootstrap
from pentad.runtime.entrypoint import LambdaContext, deadline_of, entrypoint

_STORE_SECONDS = 5.0
"""Left after the model's answer, to store it."""


class ThinkCall(Turn):
    """One model turn."""

    op: Literal["think"]


class Embed(EmbedCall):
    """Texts to embed."""

    op: Literal["embed"]


@entrypoint("gateway", Annotated[ThinkCall | Embed, Field(discriminator="op")])
def handler(event: ThinkCall | Embed, context: LambdaContext) -> Any:
    """Return the decision of a turn, or vectors."""
    until = deadline_of(context, spare_seconds=_STORE_SECONDS)
    if isinstance(event, Embed):
        return encode_reply(bootstrap.embedding_gateway().embed(event.texts, event.context, deadline=until))
    return bootstrap.think()(event, deadline=until)
