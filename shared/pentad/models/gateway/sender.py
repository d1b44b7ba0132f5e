"""Make attempts on one link of a chain: each with the breaker's leave, in time, and on the ledger before and after."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

from pentad.domain.errors import PentadError
from pentad.domain.models import Attempt, Outcome, StopReason
from pentad.domain.usage import Usage
from pentad.models.breaker.circuit import Admission, CircuitState, Evidence
from pentad.models.breaker.ports import Breaker
from pentad.models.breaker.shared_breaker import AlwaysClosed, CircuitOpen, circuit_of
from pentad.models.catalog.catalog import Link
from pentad.models.ledger.attempts import Attempts
from pentad.models.providers import backoff
from pentad.models.providers.exchange import UNREPORTED, ProviderFailure, describe_fault


@dataclass(frozen=True)
class Pace:
    """Time as one call of the gateway sees it.

    Args:
        deadline: ``time.time()`` by which an answer is of use.
        attempt_seconds: what one attempt may take at most; None for what the link needs.
        clock: ``time.time``.
        sleep: ``time.sleep``.
        random: from 0 up to 1.
    """

    deadline: float
    attempt_seconds: float | None
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    random: Callable[[], float]

    @property
    def remaining(self) -> float:
        """Seconds to the deadline."""
        return self.deadline - self.clock()

    def compute_timeout(self, links_after: int, needed: float | None = None) -> float:
        """Return seconds the next attempt may take.

        Args:
            links_after: links behind this one.
            needed: seconds in which the link writes the longest reply that was asked for, where that is known.
        """
        return backoff.attempt_timeout(self.remaining, self.attempt_seconds, links_after, needed)

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
    def estimated(self) -> str:
        """Why the usage is an estimate; "" where it is none."""
        ...

    @property
    def usage(self) -> Usage | None:
        """As the provider counted it."""
        ...

    @property
    def stop(self) -> StopReason | None:
        """Why the model stopped; None for what is no text."""
        ...

    @property
    def first_byte_ms(self) -> int | None:
        """From the request to the reply's first byte; None where nobody looked."""
        ...


R = TypeVar("R", bound=Sent)


class Sender(Generic[R]):
    """Makes the attempts on one link.

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
        check: Callable[[R], None],
        estimate: Callable[[R], Usage],
        *,
        needed: float | None = None,
    ) -> R:
        """Make one attempt and return the reply.

        Args:
            send: sends, given seconds.
            check: raises ProviderFailure for a reply that can't be used as it is.
            estimate: a reply's usage where the provider did not say.
            needed: seconds that the longest reply takes, where that is known.

        Raises:
            CircuitOpen: the breaker gives no leave; nothing was sent.
            ProviderFailure: no reply came, none in the time that is left, or none of use.
            PentadError: a budget or a store did not let it be sent.
        """
        timeout = self.pace.compute_timeout(self.links_after, needed)
        # Nothing is lost by a first request in a hurry; another one, after what was cut off, would be paid for nothing.
        late = needed is not None and bool(self._attempts.made) and self.pace.remaining < backoff.MIN_ANSWER_SECONDS
        if late or timeout < backoff.MIN_USEFUL_SECONDS:
            raise ProviderFailure(Outcome.TIMEOUT, "no time left", sent=False)
        past, self._past = self._past, False
        admission = Admission() if past else self._breaker.admit(self._circuit, seconds=timeout)
        if admission is None:
            raise CircuitOpen()
        learned = Evidence(None, self.pace.clock(), timeout, probe=admission.probe, past=past)
        try:
            reply = self._send(lambda: send(timeout), check, estimate)
            learned = replace(learned, outcome=Outcome.OK)
            return reply
        except ProviderFailure as failure:
            if failure.sent:
                learned = replace(learned, outcome=failure.outcome, retry_after=failure.retry_after)
            raise
        finally:
            self._report(learned)

    def _report(self, learned: Evidence) -> None:
        """Tell the breaker. Never raises: a reply that is paid for must not be lost with what was learned of it."""
        try:
            self._breaker.report(self._circuit, learned)
        except Exception as error:  # a boundary: whatever went wrong, the reply goes to its caller
            self._attempts.log_loss("breaker.not_told", error)

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

    def _send(self, send: Callable[[], R], check: Callable[[R], None], estimate: Callable[[R], Usage]) -> R:
        """Send, and put on the ledger what became of it, whatever that is."""
        begun = self._attempts.begin(self.link)
        try:
            with self._attempts.enter_span(begun):
                reply = send()
        except ProviderFailure as failure:
            if failure.sent:
                self._record_failure(begun, failure)
            else:
                self._attempts.cancel(begun)
            raise
        except PentadError:  # of a budget or a store: nothing was sent
            self._attempts.cancel(begun)
            raise
        except BaseException as error:  # nobody expected it, or this process is being stopped
            self._record_failure(begun, ProviderFailure(Outcome.FAULT, describe_fault(error)))
            raise
        return self._accept(begun, reply, check, estimate)

    def _accept(self, begun: Attempt, reply: R, check: Callable[[R], None], estimate: Callable[[R], Usage]) -> R:
        """Check a reply, which is paid for in any case, and put it on the ledger."""
        usage, note = reply.usage, reply.estimated
        try:
            if usage is None:
                usage, note = estimate(reply), UNREPORTED
            check(reply)
        except ProviderFailure as failure:
            failure.usage, failure.estimated, failure.request_id = usage, note, reply.request_id
            self._record_failure(begun, failure)
            raise
        except Exception as error:  # a boundary: what a reply holds may break what looks at it, and it is paid for
            fault = ProviderFailure(
                Outcome.FAULT, describe_fault(error), usage=usage, request_id=reply.request_id, worked=True
            )
            fault.estimated = note
            self._record_failure(begun, fault)
            raise fault from error
        self.made += 1
        self._attempts.record(
            self.link,
            begun,
            Outcome.OK,
            usage=usage,
            request_id=reply.request_id,
            error=note or None,
            estimated=bool(note),
            stop=reply.stop,
            first_byte_ms=reply.first_byte_ms,
        )
        return reply

    def _record_failure(self, begun: Attempt, failure: ProviderFailure) -> None:
        self.made += 1
        error = "; ".join(filter(None, (failure.error, failure.estimated)))
        self._attempts.record(
            self.link,
            begun,
            failure.outcome,
            usage=failure.usage,
            request_id=failure.request_id,
            error=error,
            estimated=bool(failure.estimated),
        )
