"""Ask one link of a chain until it answers, or until it is time for the next: the retry owner.

An attempt is repeated on the same model at most once for each reason: once after a transient fault (backoff, or what
Retry-After asks for), once to repair a malformed reply, once with a larger cap after a truncated one.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Generic, Protocol, TypeVar

from pentad.domain.errors import PentadError
from pentad.domain.messages import Message, TextBlock
from pentad.domain.models import Attempt, ChatRequest, Outcome, StopReason
from pentad.domain.usage import Usage
from pentad.models.breaker.breaker import Admission, CircuitState, Evidence
from pentad.models.breaker.circuits import AlwaysClosed, CircuitOpen, circuit_of
from pentad.models.breaker.ports import Breaker
from pentad.models.catalog.catalog import Link, ModelEntry, Route
from pentad.models.gateway.candidates import has_room, output_cap
from pentad.models.gateway.tokens import estimate_request, estimate_tokens
from pentad.models.ledger.attempts import Attempts
from pentad.models.providers import backoff
from pentad.models.providers.exchange import ProviderFailure, ProviderReply
from pentad.models.providers.outcomes import RECOVERIES
from pentad.models.providers.ports import ProviderChat
from pentad.models.structured import checks

MAX_PAUSES = 4
GO_ON = "Go on."
UNREPORTED = "usage was not reported: estimated"


@dataclass(frozen=True)
class Pace:
    """Time as one call of the gateway sees it.

    Args:
        deadline: ``time.time()`` by which an answer is of use.
        attempt_seconds: what one attempt may take at most.
        clock: ``time.time``.
        sleep: ``time.sleep``.
        random: from 0 up to 1.
    """

    deadline: float
    attempt_seconds: float
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    random: Callable[[], float]

    @property
    def remaining(self) -> float:
        """Seconds to the deadline."""
        return self.deadline - self.clock()

    def compute_timeout(self, links_after: int) -> float:
        """Return seconds the next attempt may take."""
        return backoff.attempt_timeout(self.remaining, self.attempt_seconds, links_after)

    def wait(self, tries: int, retry_after: float | None, links_after: int) -> bool:
        """Wait before another try of the same link; return False, at once, where the deadline does not allow it."""
        seconds = max(backoff.compute_backoff(tries, self.random()), retry_after or 0.0)
        left = self.remaining - seconds
        if left - backoff.reserve(max(0.0, left), links_after) < backoff.MIN_USEFUL_SECONDS:
            return False
        self.sleep(seconds)
        return True


class Sent(Protocol):
    """What a provider sends back, as far as the ledger is concerned."""

    @property
    def request_id(self) -> str | None:
        """The provider's id of the request."""
        ...

    @property
    def usage(self) -> Usage | None:
        """As the provider counted it."""
        ...


R = TypeVar("R", bound=Sent)


class Sender(Generic[R]):
    """Make attempts on one link: each with the breaker's leave, timed, and on the ledger before and after.

    Args:
        link: the link.
        attempts: the ledger of this call.
        pace: its time.
        links_after: links behind this one, for which time is kept.
        breaker: gives leave and learns from what comes.
        past: make the first attempt without the breaker's leave.
    """

    def __init__(
        self,
        link: Link,
        attempts: Attempts,
        pace: Pace,
        links_after: int,
        *,
        breaker: Breaker | None = None,
        past: bool = False,
    ) -> None:
        self.link = link
        self.pace = pace
        self.links_after = links_after
        self.made = 0
        self._attempts = attempts
        self._breaker = breaker or AlwaysClosed()
        self._circuit = circuit_of(link)
        self._past = past

    def make_attempt(
        self,
        send: Callable[[float], R],
        verdict: Callable[[R], ProviderFailure | None],
        estimate: Callable[[R], Usage],
    ) -> tuple[R | None, ProviderFailure | None]:
        """Make one attempt; return the reply, the failure, or both where a reply came that can't be used as it is.

        Args:
            send: sends, given seconds.
            verdict: what is wrong with a reply, if anything.
            estimate: a reply's usage where the provider did not say.
        """
        timeout = self.pace.compute_timeout(self.links_after)
        if timeout < backoff.MIN_USEFUL_SECONDS:
            return None, ProviderFailure(Outcome.TIMEOUT, "no time left", sent=False)
        past, self._past = self._past, False
        admission = Admission() if past else self._breaker.admit(self._circuit, seconds=timeout)
        if admission is None:
            return None, CircuitOpen()
        learned = Evidence(None, self.pace.clock(), timeout, probe=admission.probe, past=past)
        try:
            reply, failure = self._run_attempt(lambda: send(timeout), verdict, estimate)
            if failure is None:
                learned = replace(learned, outcome=Outcome.OK)
            elif failure.sent:
                learned = replace(learned, outcome=failure.outcome, retry_after=failure.retry_after)
            return reply, failure
        finally:
            self._breaker.report(self._circuit, learned)

    def wait(self, failure: ProviderFailure) -> bool:
        """Wait before another try of the link; False, at once, where deadline or breaker do not allow one."""
        now = self.pace.clock()
        circuit = self._breaker.look(self._circuit)
        if circuit.get_state(now) is CircuitState.OPEN and circuit.next_try(now) > now + (failure.retry_after or 0.0):
            return False
        again = self.pace.wait(1, failure.retry_after, self.links_after)
        if again:
            self._attempts.count_retry(self.link, failure.outcome)
        return again

    def _run_attempt(
        self,
        send: Callable[[], R],
        verdict: Callable[[R], ProviderFailure | None],
        estimate: Callable[[R], Usage],
    ) -> tuple[R | None, ProviderFailure | None]:
        begun = self._attempts.begin(self.link)
        try:
            reply = send()
        except ProviderFailure as failure:
            if failure.sent:
                self._record(begun, failure.outcome, failure.usage, failure.request_id, failure.error)
            else:
                self._attempts.cancel(begun)
            return None, failure
        except PentadError:  # of a budget or a store: nothing was sent
            self._attempts.cancel(begun)
            raise
        usage, note = (reply.usage, None) if reply.usage is not None else (estimate(reply), UNREPORTED)
        found = verdict(reply)
        outcome, error = (found.outcome, found.error) if found else (Outcome.OK, note)
        self._record(begun, outcome, usage, reply.request_id, error)
        return reply, found

    def _record(
        self, begun: Attempt, outcome: Outcome, usage: Usage | None, request_id: str | None, error: str | None
    ) -> None:
        self.made += 1
        self._attempts.record(self.link, begun, outcome, usage=usage, request_id=request_id, error=error)


class Pursuit:
    """One link asked for one reply.

    Args:
        provider: the link's adapter.
        sender: makes its attempts.
        request: what is asked.
        route: caps and effort.
    """

    def __init__(self, provider: ProviderChat, sender: Sender[ProviderReply], request: ChatRequest, route: Route):
        self._provider = provider
        self._sender = sender
        self._model = sender.link.model
        self._request = request.model_copy(update={"prompt_cache": request.prompt_cache or route.prompt_cache})
        self._route = route
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
        reply, failure = self._make_attempt()
        while self._prepare_continuation(reply) if failure is None else self._prepare_retry(failure):
            reply, failure = self._make_attempt()
        if reply is not None and reply.stop is StopReason.PAUSE and failure is None:
            raise ProviderFailure(Outcome.MALFORMED, f"the reply paused {MAX_PAUSES} times")
        cut = failure is not None and failure.outcome is Outcome.TRUNCATED
        if reply is not None and (failure is None or (cut and _is_presentable(reply, self._request))):
            return reply
        raise failure or ProviderFailure(Outcome.MALFORMED, "no reply")

    def _make_attempt(self) -> tuple[ProviderReply | None, ProviderFailure | None]:
        return self._sender.make_attempt(self._send, self._find_failure, self._estimate)

    def _send(self, timeout: float) -> ProviderReply:
        reply = self._provider.send(
            self._model, self._request, max_output_tokens=self._cap, timeout=timeout, effort=self._route.effort
        )
        return join_replies(self._paused, reply)

    def _find_failure(self, reply: ProviderReply) -> ProviderFailure | None:
        ends = {
            StopReason.REFUSAL: Outcome.REFUSAL,
            StopReason.CONTEXT_OVERFLOW: Outcome.CONTEXT_OVERFLOW,
            StopReason.MAX_TOKENS: Outcome.TRUNCATED,
        }
        if reply.stop in ends:
            return ProviderFailure(ends[reply.stop], f"the reply ended by {reply.stop}")
        found = reply.problems if reply.stop is StopReason.PAUSE else checks.find_problems(reply, self._request)
        return ProviderFailure(Outcome.MALFORMED, "the reply does not fit", problems=found) if found else None

    def _estimate(self, reply: ProviderReply) -> Usage:
        return estimate_usage(self._model, self._request, reply)

    def _prepare_continuation(self, reply: ProviderReply | None) -> bool:
        """Prepare the next attempt where the model paused its turn; what it said so far is kept.

        The API takes a paused reply as the last message only where it ends in work of the provider's own tools, and
        none is used here, so a user's message asks the model to go on.
        """
        if reply is None or reply.stop is not StopReason.PAUSE or self._pauses >= MAX_PAUSES:
            return False
        self._pauses += 1
        if self._paused is None or reply.blocks != self._paused.blocks:
            now = datetime.fromtimestamp(self._sender.pace.clock(), UTC)
            said = Message(message_id="paused", role="assistant", blocks=reply.blocks, created_at=now, raw=reply.raw)
            note = Message(message_id="go-on", role="user", blocks=(TextBlock(text=GO_ON),), created_at=now)
            self._request = self._request.model_copy(update={"messages": (*self._asked, said, note)})
        self._paused = reply
        return True

    def _prepare_retry(self, failure: ProviderFailure) -> bool:
        """Prepare another attempt if the outcome's recovery has one left."""
        recovery = RECOVERIES[failure.outcome]
        if recovery.repair and self._take_chance("repair"):
            self._add_repair_note(failure)
            return True
        if recovery.enlarge and self._take_chance("enlarge"):
            return self._extend_cap()
        if recovery.retry and failure.sent and self._take_chance("retry"):
            return self._sender.wait(failure)
        return False

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
    written = estimate_tokens(reply.text) + sum(estimate_tokens(str(call.arguments)) for call in reply.tool_calls)
    return Usage(input_tokens=estimate_request(request, factor=model.token_factor), output_tokens=written)


def _is_presentable(reply: ProviderReply, request: ChatRequest) -> bool:
    """Tell if a truncated reply is of use: words, and nothing that half of would be wrong."""
    if request.output_schema is not None:
        return False
    return bool(reply.text.strip()) and not reply.tool_calls and not reply.problems
