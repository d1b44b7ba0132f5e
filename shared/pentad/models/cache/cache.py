"""Give an exact repeat of a request the reply it got before: no request on the wire, so no attempt and no cost.

Repeats that come while the first one is being answered wait for its reply, whichever functions they are in: the first
claims the key in the store. A reply that may not be kept, such as another model's than the primary one, is handed over
to those who wait at that moment, and to nobody later. Where the first one gets no reply at all, or one that holds for
nobody else, one of the others asks, and the rest waits for that one; so too where it takes half of the time of one that
waits, as where its process died.

A request's key is the SHA-256 of everything that changes its answer: what the model reads, and which models may answer.
Each field of a request stands in one of the tables below; one that stands in none is an error of a test. What only says
on whose behalf, or how long a prompt is kept, is left out; the tenant is no part of the hash but of the item's key.
"""

import hashlib
import json
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, NamedTuple

from pydantic import ValidationError

from pentad.aws.jitter import draw
from pentad.aws.readable import from_stored
from pentad.domain.errors import StoreUnavailable
from pentad.domain.ids import make_id
from pentad.domain.models import ChatReply, ChatRequest, StopReason
from pentad.domain.usage import Usage
from pentad.models.budgets.budgets import BUDGET_NOTICE
from pentad.models.cache.ports import ResponseCache
from pentad.models.catalog.catalog import ModelCatalog, Route
from pentad.models.ledger.attempts import MakeId
from pentad.models.ports import ChatModel
from pentad.models.providers.exchange import SIMULATED
from pentad.observability.metrics import names
from pentad.observability.ports import Telemetry

MAX_REPLY_BYTES = 300 * 1024
"""Larger replies are not kept: an item of DynamoDB has 400 KB."""

HANDED_SECONDS = 60
"""A reply that is handed over stands so long for those who waited for it: they look every second."""
WAIT_SHARES = (0.5, 0.9)
"""Of the time that is left of a call, the most that it waits for another one that asks the same; and then, where a
third one has taken that one's place, for the third."""
MOST_ROUNDS = 5
"""So many that ask one after the other are waited for at most; then each asks by itself."""
_LOOK_SECONDS = (0.1, 0.2, 0.4, 0.8, 1.0)
_MAX_LOOKS = 600

_VERSION = 1  # of what is hashed and of what is kept; a new one forgets all

# In the order of the fields: keys are not sorted, since the order of a schema's properties is the order of the answer.
KEYED: dict[str, frozenset[str]] = {
    "request": frozenset(
        {
            "task",
            "tier",
            "model",
            "system",
            "messages",
            "tools",
            "tool_choice",
            "output_schema",
            "max_output_tokens",
            "cascade",
        }
    ),
    "message": frozenset({"role", "blocks", "raw"}),
    "tool": frozenset({"name", "description", "input_schema"}),
}
NOT_KEYED: dict[str, frozenset[str]] = {
    "request": frozenset({"context", "prompt_cache", "fresh", "deferred"}),
    "message": frozenset({"message_id", "created_at", "run_id", "step", "assessment", "stop_reason", "taint"}),
    # Models do not see these. A tool that acts keeps a request from being kept at all.
    "tool": frozenset(
        {
            "effects",
            "approval",
            "rates",
            "idempotent",
            "parallel",
            "per",
            "reversible",
            "compensates",
            "timeout_seconds",
            "trusted_output",
            "any_address",
            "safe_output",
        }
    ),
}


def cache_key(request: ChatRequest, route: Route) -> str:
    """Return the SHA-256, in hex, of all that changes the answer.

    Args:
        request: what is asked.
        route: who may answer it, how long and with what effort.
    """
    include: dict[str, Any] = dict.fromkeys(KEYED["request"] - {"messages", "tools"}, True)
    include["messages"] = {"__all__": set(KEYED["message"])}
    include["tools"] = {"__all__": set(KEYED["tool"])}
    answering = [(link.model.provider, link.model.id, link.model.output_tokens) for link in route.links]
    parts = [
        _VERSION,
        answering,
        route.output_tokens,
        route.effort,
        request.model_dump(mode="json", include=include),
    ]
    return hashlib.sha256(json.dumps(parts, separators=(",", ":")).encode()).hexdigest()


def has_effects(request: ChatRequest) -> bool:
    """Tell if a tool of the request does more than read: what it did once is not done by giving its reply again."""
    return any(tool.effects != "none" for tool in (*request.tools, *request.deferred))


def is_cacheable(reply: ChatReply) -> bool:
    """Tell if a reply may be given again: whole, of the primary model, with nothing to say about how it came."""
    whole = reply.stop is StopReason.END and not reply.message.tool_calls
    return whole and not set(reply.notices) - {SIMULATED}


def may_be_handed(reply: ChatReply) -> bool:
    """Tell if a reply may be given to others who ask the same at the same moment: none that a budget made cheaper."""
    return not any(notice.startswith(BUDGET_NOTICE) for notice in reply.notices)


def encode(reply: ChatReply) -> str | None:
    """Return a reply as it is kept: without usage, cost and attempts; None where it is too large."""
    kept = reply.model_copy(update={"usage": Usage(), "cost_nanousd": 0, "attempts": ()})
    text = kept.model_dump_json()  # in full: what is left out by its value is left out of a raw form too
    return text if len(text.encode()) <= MAX_REPLY_BYTES else None


def decode(text: str) -> ChatReply | None:
    """Return the reply in what `encode` wrote; None where another release wrote something else."""
    try:
        return from_stored(ChatReply, text)
    except ValidationError:
        return None


class CachedChat:
    """A `pentad.models.ports.ChatModel` that answers exact repeats itself, for tasks that declare it.

    A store that does not answer, whatever it raises, is a miss: the cache saves money, it is not needed for an answer.

    Args:
        inner: answers what is not kept.
        cache: keeps replies.
        catalog: which tasks declare it.
        telemetry: counts hits and misses.
        clock: ``time.time``.
        sleep: ``time.sleep``.
        random: from 0 up to 1, for jitter.
        ids: makes message ids.
    """

    def __init__(
        self,
        inner: ChatModel,
        cache: ResponseCache,
        catalog: ModelCatalog,
        telemetry: Telemetry,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        random: Callable[[], float] = draw,
        ids: MakeId = make_id,
    ) -> None:
        self._inner = inner
        self._cache = cache
        self._catalog = catalog
        self._telemetry = telemetry
        self._clock = clock
        self._sleep = sleep
        self._random = random
        self._ids = ids

    def complete(self, request: ChatRequest, *, deadline: float) -> ChatReply:
        """Return the reply; see the port. One that was kept has cost 0, no usage and no attempts."""
        route = self._catalog.route(task=request.task, tier=request.tier, model=request.model)
        seconds = route.response_cache_seconds
        if seconds is None or request.fresh or has_effects(request):
            return self._inner.complete(request, deadline=deadline)
        place = _Place(request.context.tenant_id, cache_key(request, route), seconds, request.context.user_id)
        kept, claim = self._find_or_claim(place, deadline)
        handed: ChatReply | None = None
        try:
            if kept is not None:
                return self._renew(request, kept)
            reply = self._inner.complete(request, deadline=deadline)
            handed = self._keep(place, reply)
            return reply
        finally:
            if claim is not None:
                with suppress(Exception):  # it ends by itself, and the reply is here and paid for
                    self._cache.release(place.tenant_id, place.key, claim, handed=handed)

    def _find_or_claim(self, place: "_Place", deadline: float) -> tuple[ChatReply | None, str | None]:
        """Return the reply that was kept, or that another call of the same just got; else the claim to ask for it.

        Neither where nobody got one in time, or the store does not answer: then this one asks by itself.
        """
        claim: str | None = None
        try:
            kept, outcome = self._cache.get(place.tenant_id, place.key), "hit"
            if kept is None:
                claim = self._ids("claim", datetime.fromtimestamp(self._clock(), UTC))
                if self._cache.claim(place.tenant_id, place.key, claim, until=deadline):
                    # Another may have got it between the look and the claim.
                    kept = self._cache.get(place.tenant_id, place.key, consistent=True)
                else:
                    (kept, claim), outcome = self._join(place, claim, deadline), "joined"
            if kept is not None:
                self._note_user(place)
        except Exception as error:  # a boundary: what is claimed is released behind the answer
            self._tell_fault(error)
            kept, outcome = None, "unavailable"
        self._count("miss" if kept is None and outcome != "unavailable" else outcome)
        return kept, claim

    def _join(self, place: "_Place", claim: str, deadline: float) -> tuple[ChatReply | None, str | None]:
        """Return the reply that another call gets; or the claim, of one that got none or takes too long.

        Neither where nobody has got one in time.
        """
        slow = 0
        for _ in range(MOST_ROUNDS):
            kept, other = self._wait(place, self._clock() + (deadline - self._clock()) * WAIT_SHARES[slow])
            if kept is not None:
                return kept, None
            # Of all that have waited for the same one, one takes its place.
            if self._cache.claim(place.tenant_id, place.key, claim, until=deadline, instead_of=other):
                # Another may have got it between the look and the claim.
                return self._cache.get(place.tenant_id, place.key, consistent=True), claim
            slow += 1 if other is not None else 0
            if slow == len(WAIT_SHARES):
                break
        return None, None

    def _wait(self, place: "_Place", until: float) -> tuple[ChatReply | None, str | None]:
        """Return the reply that another call gets, and whom was waited for if none came and somebody still asks."""
        first = self._cache.find_claim(place.tenant_id, place.key)
        for number in range(_MAX_LOOKS if first is not None else 0):
            seconds = _LOOK_SECONDS[min(number, len(_LOOK_SECONDS) - 1)] * (1 + self._random()) / 2
            if self._clock() + seconds > until:
                return None, first
            self._sleep(seconds)
            other = self._cache.find_claim(place.tenant_id, place.key)
            if other != first:
                # One whose place was taken may have got it all the same.
                kept = self._find_made(place, first)
                if kept is not None or other is None:
                    return kept, None
        return (None, first) if first is not None else (self._find_made(place, None), None)

    def _find_made(self, place: "_Place", owner: str | None) -> ChatReply | None:
        """Return the reply that was kept, or that the owner of a claim has handed over."""
        kept = self._cache.get(place.tenant_id, place.key, consistent=True)
        if kept is not None or owner is None:
            return kept
        return self._cache.find_handed(place.tenant_id, place.key, owner)

    def _keep(self, place: "_Place", reply: ChatReply) -> ChatReply | None:
        """Keep a reply that may be given again; return one that may be only to those who wait for it now."""
        lasting = is_cacheable(reply)
        if not lasting and not may_be_handed(reply):
            return None
        try:
            self._note_user(place)  # first: no reply is kept that an erasure would not find
            if lasting:
                self._cache.put(place.tenant_id, place.key, reply, seconds=place.seconds)
        except Exception as error:  # a boundary: the reply is paid for, and goes to its caller
            self._tell_fault(error)
            self._telemetry.log_event("response_cache.not_kept", level="WARNING")
            return None
        return None if lasting else reply

    def _tell_fault(self, error: Exception) -> None:
        """Log what nobody expected of the store; that it did not answer is counted, and no fault of ours."""
        if not isinstance(error, StoreUnavailable):
            self._telemetry.log_event("response_cache.fault", level="ERROR", error=type(error).__name__)

    def _note_user(self, place: "_Place") -> None:
        if place.user_id is not None:
            self._cache.note_user(place.tenant_id, place.key, place.user_id, seconds=place.seconds)

    def _count(self, outcome: str) -> None:
        self._telemetry.count(names.RESPONSE_CACHE_LOOKUPS, outcome=outcome)

    def _renew(self, request: ChatRequest, kept: ChatReply) -> ChatReply:
        """Return a kept reply as the message of this call."""
        now = datetime.fromtimestamp(self._clock(), UTC)
        run_id, step = request.context.run_id, request.context.step
        made = f"msg_{run_id}_{step}" if run_id is not None and step is not None else self._ids("msg", now)
        update = {"message_id": made, "created_at": now, "run_id": run_id, "step": step}
        return kept.model_copy(update={"message": kept.message.model_copy(update=update)})


class _Place(NamedTuple):
    """Where a reply is kept, for how many seconds, and whose run asks for it."""

    tenant_id: str
    key: str
    seconds: int
    user_id: str | None
