"""The wiring of what stands around the paid gateway: compaction, response cache and cascade, from the inside out."""

from typing import TYPE_CHECKING

from pentad.runtime import bootstrap
from pentad.runtime import settings as environment

if TYPE_CHECKING:
    from pentad.models.ports import ChatModel


def wrapped(chat: "ChatModel") -> "ChatModel":
    """Return a chat model that compacts what overflows, answers exact repeats itself, and asks cheaper tiers first."""
    from pentad.models.cache.adapters.response_cache_dynamodb import DynamoResponseCache
    from pentad.models.cache.cache import CachedChat
    from pentad.models.gateway.cascade import Cascade
    from pentad.models.gateway.compaction import CompactingChat

    models, told = bootstrap.models(), bootstrap.telemetry("gateway")
    replies = DynamoResponseCache(bootstrap.table(bootstrap.settings(environment.GatewaySettings).transient_table))
    return Cascade(CachedChat(CompactingChat(chat, models, told), replies, models, told), models, told)
