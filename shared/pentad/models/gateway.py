"""The model gateway: one call in, one reply out; routing, fallback, retries and the ledger in between."""

import random as _random
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from pentad.domain.errors import (
    ContextOverflow,
    InvalidInput,
    MalformedReply,
    ModelCallerError,
    PentadError,
    Refused,
)
from pentad.domain.ids import new_id
from pentad.domain.messages import Message, TextBlock
from pentad.domain.models import ChatReply, ChatRequest, Outcome, StopReason
from pentad.models.attempts import Attempts, MakeId
from pentad.models.candidates import candidates
from pentad.models.catalog import Link, ModelCatalog, Route
from pentad.models.exchange import ProviderFailure, ProviderReply
from pentad.models.outcomes import RECOVERIES
from pentad.models.ports import Ledger, ProviderChat
from pentad.models.pursuit import Pace, Pursuit, Sender

DEGRADED = (
    "No language model could be reached just now, so this request was not answered. "
    "Nothing you sent was lost. Please try again in a few minutes."
)
TRUNCATED = "The answer was cut at the output limit."
_WHY = {
    Outcome.REFUSAL: "The primary model declined",
    Outcome.CONTEXT_OVERFLOW: "The conversation did not fit the primary model",
    Outcome.MALFORMED: "The primary model gave no usable reply",
}


class Gateway:
    """A `pentad.models.ports.ChatModel` over a chain of providers.

    Args:
        providers: an adapter for each provider's name; links of others are passed over.
        catalog: models, tiers, tasks.
        ledger: where every attempt is recorded.
        clock: ``time.time``.
        sleep: ``time.sleep``.
        random: from 0 up to 1, for jitter.
        ids: makes attempt and message ids.
    """

    def __init__(
        self,
        providers: Mapping[str, ProviderChat],
        catalog: ModelCatalog,
        ledger: Ledger,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        random: Callable[[], float] = _random.random,
        ids: MakeId = new_id,
    ) -> None:
        self._providers = providers
        self._catalog = catalog
        self._ledger = ledger
        self._clock = clock
        self._sleep = sleep
        self._random = random
        self._ids = ids

    def complete(self, request: ChatRequest, *, deadline: float) -> ChatReply:
        """Return the reply; see the port."""
        if not request.messages or request.messages[-1].role != "user":
            raise InvalidInput("the last message is not the user's", field="messages", fix="end with a user message")
        route = self._catalog.route(task=request.task, tier=request.tier, model=request.model)
        links = candidates(request, route.links, providers=self._providers.keys(), task_cap=route.output_tokens)
        attempts = Attempts(request.context, route.tier, self._ledger, self._clock, self._ids)
        pace = Pace(deadline, route.attempt_seconds, self._clock, self._sleep, self._random)
        failed: list[tuple[Link, ProviderFailure]] = []
        for index, link in enumerate(links):
            if _pointless(link, failed):
                continue
            sender: Sender[ProviderReply] = Sender(link, attempts, pace, len(links) - index - 1)
            try:
                reply = Pursuit(self._providers[link.model.provider], sender, request, route).run()
            except ProviderFailure as failure:
                failed.append((link, failure))
                if RECOVERIES[failure.outcome].then == "fail":
                    break
                continue
            return self._answer(request, attempts, link, reply, failed)
        return self._none(request, attempts, route, [failure for _, failure in failed])

    def _answer(
        self,
        request: ChatRequest,
        attempts: Attempts,
        link: Link,
        reply: ProviderReply,
        failed: list[tuple[Link, ProviderFailure]],
    ) -> ChatReply:
        notices = []
        if failed:
            why = _WHY.get(failed[0][1].outcome, "The primary model was unavailable")
            notices.append(f"{why}; this answer comes from {link.model.label}.")
        if reply.stop is StopReason.MAX_TOKENS:
            notices.append(TRUNCATED)
        message = self._message(request, attempts, reply)
        return self._reply(message, attempts, reply.stop, link.model.provider, link.model.name, tuple(notices))

    def _none(
        self, request: ChatRequest, attempts: Attempts, route: Route, failures: list[ProviderFailure]
    ) -> ChatReply:
        error = verdict([failure.outcome for failure in failures])
        if error is not None:
            raise error from (failures[-1] if failures else None)
        unanswered = ProviderReply((TextBlock(text=DEGRADED),), StopReason.END, None)
        message = self._message(request, attempts, unanswered)
        return self._reply(message, attempts, StopReason.END, "none", "none", (DEGRADED,), degraded=True)

    def _message(self, request: ChatRequest, attempts: Attempts, reply: ProviderReply) -> Message:
        now = datetime.fromtimestamp(self._clock(), UTC)
        context = request.context
        if context.run is not None and context.step is not None:
            message_id = f"msg_{context.run}_{context.step}"
        else:
            message_id = self._ids("msg", now)
        return Message(
            message_id=message_id,
            role="assistant",
            blocks=reply.blocks,
            created_at=now,
            run=context.run,
            step=context.step,
            raw=reply.raw,
        )

    @staticmethod
    def _reply(
        message: Message,
        attempts: Attempts,
        stop: StopReason,
        provider: str,
        model: str,
        notices: tuple[str, ...],
        *,
        degraded: bool = False,
    ) -> ChatReply:
        return ChatReply(
            message=message,
            stop=stop,
            usage=attempts.usage,
            cost_nanousd=attempts.cost_nanousd,
            provider=provider,
            model=model,
            notices=notices,
            degraded=degraded,
            attempts=tuple(attempts.made),
        )


def _pointless(link: Link, failed: list[tuple[Link, ProviderFailure]]) -> bool:
    """Tell if an earlier failure says that this link would fail too."""
    for other, failure in failed:
        same_provider = other.model.provider == link.model.provider
        if failure.outcome is Outcome.AUTHENTICATION and failure.scope == "provider" and same_provider:
            return True
        if failure.outcome is Outcome.CONTEXT_OVERFLOW and link.model.context_tokens <= other.model.context_tokens:
            return True
    return False


def verdict(outcomes: list[Outcome]) -> PentadError | None:
    """Return the error that a chain without an answer ends in, or None where it ends in the degradation notice.

    What a provider said of the request itself outweighs that others were down; that one was down outweighs a
    malformed reply of another, since that one may yet answer.
    """
    if Outcome.CALLER_ERROR in outcomes:
        return ModelCallerError("the provider says the request is wrong", fix="see the attempt on the ledger")
    if Outcome.REFUSAL in outcomes:
        return Refused("every model that could be reached declined")
    if Outcome.CONTEXT_OVERFLOW in outcomes:
        return ContextOverflow("no model of the chain holds the conversation", fix="shorten it")
    if Outcome.TRUNCATED in outcomes:
        return MalformedReply("the reply did not fit the output limit", fix="raise the task's output_tokens")
    if any(RECOVERIES[outcome].down for outcome in outcomes) or not outcomes:
        return None
    return MalformedReply("no model gave a usable reply")
