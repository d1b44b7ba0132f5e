"""Ask one link of a chain until it answers, or until it is time for the next: the retry owner.

An attempt is repeated on the same model at most once for each reason: once after a transient fault (backoff, or what
Retry-After asks for), once to repair a malformed reply, once with a larger cap after a truncated one. After a timeout
it is not: who was slow once will be slow again. A whole call repairs once, whatever the chain: where the next link's
reply does not fit either, the call ends. What was no reply at all (it broke off, or is no JSON) is asked for again once
in a whole call too; the other links are asked once each.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from pentad.domain.messages import Message, TextBlock
from pentad.domain.models import ChatRequest, Outcome, StopReason
from pentad.domain.usage import Usage
from pentad.models.catalog.catalog import ModelEntry, Route
from pentad.models.gateway.candidates import has_room, output_cap
from pentad.models.gateway.sender import Sender
from pentad.models.gateway.tokens import apply_factor, estimate_content, estimate_request
from pentad.models.providers.exchange import ProviderFailure, ProviderReply
from pentad.models.providers.outcomes import RECOVERIES
from pentad.models.providers.ports import ProviderChat
from pentad.models.providers.speeds import Speeds
from pentad.models.structured import checks

MAX_PAUSES = 4
GO_ON = "Go on."
_UNUSABLE = {
    StopReason.REFUSAL: Outcome.REFUSAL,
    StopReason.CONTEXT_OVERFLOW: Outcome.CONTEXT_OVERFLOW,
    StopReason.MAX_TOKENS: Outcome.TRUNCATED,
}
"""Outcomes of replies that ended by these."""


class UnusableReply(ProviderFailure):
    """A reply came, and can't be used as it is.

    Args:
        reply: the reply.
        outcome: what is wrong with it.
        error: the same in words, for the ledger.
        problems: sentences for the model about it.
    """

    def __init__(self, reply: ProviderReply, outcome: Outcome, error: str, *, problems: tuple[str, ...] = ()) -> None:
        super().__init__(outcome, error, problems=problems)
        self.reply = reply


@dataclass
class Repairs:
    """What a call has left, shared by the links of its chain: one repair, and one repeat of what was no reply."""

    spent: bool = False
    repeated: bool = False


class Pursuit:
    """One link asked for one reply.

    Args:
        provider: the link's adapter.
        sender: makes its attempts.
        request: what is asked.
        route: caps and effort.
        repairs: of the whole call.
        speeds: how fast models write.
    """

    def __init__(
        self,
        provider: ProviderChat,
        sender: Sender[ProviderReply],
        request: ChatRequest,
        route: Route,
        repairs: Repairs,
        speeds: Speeds | None = None,
    ) -> None:
        self._provider = provider
        self._sender = sender
        self._model = sender.link.model
        self._request = request.model_copy(update={"prompt_cache": request.prompt_cache or route.prompt_cache})
        self._route = route
        self._repairs = repairs
        self._speeds = speeds or Speeds()
        self._cap = output_cap(request, self._model, route.output_tokens)
        self._spent: set[str] = set()
        self._asked = request.messages
        self._paused: ProviderReply | None = None
        self._pauses = 0

    def run(self) -> ProviderReply:
        """Return a usable reply.

        Raises:
            ProviderFailure: this link gave none; recovery says what follows.
        """
        while True:
            try:
                needed = self._speeds.compute_seconds(self._model, self._cap)
                reply = self._sender.make_attempt(self._send, self._check, self._estimate, needed=needed)
            except ProviderFailure as failure:
                if self._prepare_retry(failure):
                    continue
                if isinstance(failure, UnusableReply) and _is_presentable(failure, self._request):
                    return failure.reply
                raise
            if reply.stop is not StopReason.PAUSE:
                return reply
            self._prepare_continuation(reply)

    def _send(self, timeout: float) -> ProviderReply:
        began = self._sender.pace.clock()
        try:
            reply = self._provider.send(
                self._model, self._request, max_output_tokens=self._cap, timeout=timeout, effort=self._route.effort
            )
        except ProviderFailure as failure:
            if failure.outcome is Outcome.TIMEOUT:
                self._speeds.record_cut(self._model, timeout, self._cap)
            raise
        if reply.usage is not None and not reply.estimated:
            self._speeds.record(self._model, reply.usage, self._sender.pace.clock() - began)
        joined = join_replies(self._paused, reply)
        try:
            return checks.take_forms(joined, self._request)
        except Exception:  # a boundary: what breaks here breaks the checks too, where it is booked and told
            return joined

    def _check(self, reply: ProviderReply) -> None:
        if reply.stop in _UNUSABLE:
            raise UnusableReply(reply, _UNUSABLE[reply.stop], f"the reply ended by {reply.stop}")
        is_pause = reply.stop is StopReason.PAUSE
        found = checks.find_unread(reply, self._request) if is_pause else checks.diagnose_reply(reply, self._request)
        if found:
            reasons = dict.fromkeys(problem.reason for problem in found)
            told = tuple(problem.told for problem in found)
            raise UnusableReply(reply, Outcome.MALFORMED, "; ".join(reasons), problems=told)

    def _estimate(self, reply: ProviderReply) -> Usage:
        return estimate_usage(self._model, self._request, reply)

    def _prepare_continuation(self, reply: ProviderReply) -> None:
        """Prepare the next attempt where the model paused its turn; what it said so far is kept.

        The API takes a paused reply as the last message only where it ends in work of the provider's own tools, and
        none is used here, so a user's message asks the model to go on.

        Raises:
            ProviderFailure: it paused too often.
        """
        if self._pauses >= MAX_PAUSES:
            raise ProviderFailure(Outcome.MALFORMED, f"the reply paused {MAX_PAUSES} times")
        self._pauses += 1
        if self._paused is None or reply.blocks != self._paused.blocks:
            now = datetime.fromtimestamp(self._sender.pace.clock(), UTC)
            said = Message(message_id="paused", role="assistant", blocks=reply.blocks, created_at=now, raw=reply.raw)
            note = Message(message_id="go-on", role="user", blocks=(TextBlock(text=GO_ON),), created_at=now)
            self._request = self._request.model_copy(update={"messages": (*self._asked, said, note)})
        self._paused = reply

    def _prepare_retry(self, failure: ProviderFailure) -> bool:
        """Prepare another attempt if the outcome's recovery has one left."""
        recovery = RECOVERIES[failure.outcome]
        if recovery.repair and self._may_repair(failure):
            self._add_repair_note(failure)
            return True
        if recovery.enlarge and self._take_chance("enlarge"):
            return self._extend_cap()
        again = recovery.retry if failure.should_retry is None else failure.should_retry
        if again and failure.sent and self._take_chance("retry"):
            return self._sender.wait(failure)
        return False

    def _may_repair(self, failure: ProviderFailure) -> bool:
        """Tell if the model is asked once more: told what was wrong, once in a call; or again where none replied."""
        if not failure.problems:
            if self._repairs.repeated:
                return False
            self._repairs.repeated = True
            return self._take_chance("repair")
        if self._repairs.spent:
            # The chain's other models are not asked for what two replies have not brought.
            failure.final = "repair" not in self._spent
            return False
        self._repairs.spent = True
        return self._take_chance("repair")

    def _take_chance(self, reason: str) -> bool:
        if reason in self._spent:
            return False
        self._spent.add(reason)
        return True

    def _add_repair_note(self, failure: ProviderFailure) -> None:
        if not failure.problems:  # what came was no reply at all, so there is nothing to tell the model
            return
        note = Message(
            message_id="repair",
            role="user",
            blocks=(TextBlock(text=checks.repair_note(failure.problems)),),
            created_at=datetime.fromtimestamp(self._sender.pace.clock(), UTC),
        )
        self._request = self._request.model_copy(update={"messages": (*self._request.messages, note)})

    def _extend_cap(self) -> bool:
        larger = min(self._cap * 4, self._model.output_tokens)
        if self._request.max_output_tokens or larger == self._cap or not has_room(self._request, self._model, larger):
            return False
        self._cap = larger
        return True


def join_replies(paused: ProviderReply | None, reply: ProviderReply) -> ProviderReply:
    """Return what a model said before it paused its turn and after it as one reply; usage is the latter's.

    A pause with tool calls is a turn that waits for their results, as any other.
    """
    if reply.stop is StopReason.PAUSE and reply.tool_calls:
        reply = replace(reply, stop=StopReason.TOOL_CALLS)
    if paused is None:
        return reply
    raw = None
    if paused.raw is not None and reply.raw is not None:
        raw = reply.raw.model_copy(update={"content": [*paused.raw.content, *reply.raw.content]})
    return replace(reply, blocks=(*paused.blocks, *reply.blocks), raw=raw)


def estimate_usage(model: ModelEntry, request: ChatRequest, reply: ProviderReply) -> Usage:
    """Return about what a reply used, where its provider did not say."""
    read, written = estimate_request(request, factor=model.token_factor), estimate_content(reply.blocks)
    return Usage(input_tokens=read, output_tokens=apply_factor(written, model.token_factor))


def _is_presentable(failure: UnusableReply, request: ChatRequest) -> bool:
    """Tell if a reply is of use though it was truncated: words, and nothing that half of would be wrong."""
    reply = failure.reply
    if failure.outcome is not Outcome.TRUNCATED or request.output_schema is not None:
        return False
    return bool(reply.text.strip()) and not reply.tool_calls and not reply.problems
