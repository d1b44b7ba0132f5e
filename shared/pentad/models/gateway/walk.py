"""Walk along a chain until a link answers, around the links whose circuit is open."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pentad.domain.models import Outcome
from pentad.models.breaker.circuit import CircuitState
from pentad.models.breaker.ports import Breaker
from pentad.models.breaker.shared_breaker import CircuitOpen, circuit_of
from pentad.models.catalog.catalog import Link
from pentad.models.gateway.sender import Pace, Sender, Sent
from pentad.models.ledger.attempts import Attempts
from pentad.models.providers.exchange import ProviderFailure
from pentad.models.providers.outcomes import RECOVERIES

R = TypeVar("R", bound=Sent)
A = TypeVar("A")


@dataclass
class Walk(Generic[R, A]):
    """One walk. What was passed over, and what failed, can be read afterwards.

    A chain whose open links are all that is left ends in one attempt on the link whose cooldown ends first: somebody
    waits for an answer, and a cooldown is a guess. It is one request, without a retry, and none where an operator's
    command holds the circuit open.

    Args:
        links: the candidates, in the chain's order.
        attempts: the ledger of this call.
        pace: its time.
        breaker: says which links to leave alone.
    """

    links: Sequence[Link]
    attempts: Attempts
    pace: Pace
    breaker: Breaker
    failed: list[tuple[Link, ProviderFailure]] = field(default_factory=list)
    skipped: list[Link] = field(default_factory=list)

    def run(self, ask: Callable[[Sender[R]], A]) -> tuple[Link, A] | None:
        """Return the link that answered and what, or None.

        Args:
            ask: asks one link; raises ProviderFailure where it gave no answer.
        """
        for index, link in enumerate(self.links):
            if _is_pointless(link, self.failed):
                continue
            answer = self._ask(link, ask, self._count_usable(index + 1))
            if answer is not None:
                return link, answer[0]
            if self._over:
                return None
        return self._ask_last_resort(ask)

    def find_rate_limit(self) -> float | None:
        """Return seconds after which the first of the links may answer again, where each of them said 429.

        0 where none said when; None where a link failed by something else. A link whose circuit a 429 has opened counts
        as one that said so; one for which no time was left says nothing.
        """
        now, waits = self.pace.clock(), list[float]()
        asked = [failure for _, failure in self.failed if failure.sent or failure.outcome is not Outcome.TIMEOUT]
        for failure in asked:
            if failure.outcome is not Outcome.RATE_LIMIT and not isinstance(failure, CircuitOpen):
                return None
        for link in self.links:
            found = [failure for other, failure in self.failed if other is link and failure.sent]
            circuit = self.breaker.look(circuit_of(link))
            if found:
                waits.append(found[-1].retry_after or 0.0)
            elif circuit.get_state(now) is CircuitState.OPEN:
                if circuit.reason != Outcome.RATE_LIMIT:
                    return None
                waits.append(circuit.next_try(now) - now)
        return min((wait for wait in waits if wait > 0), default=0.0) if waits else None

    @property
    def _over(self) -> bool:
        last = self.failed[-1][1] if self.failed else None
        if last is None or (last.reason is not None and last.reason.elsewhere):
            return False
        return last.final or RECOVERIES[last.outcome].then == "fail"

    def _ask(
        self, link: Link, ask: Callable[[Sender[R]], A], links_after: int, *, past: bool = False
    ) -> tuple[A] | None:
        sender: Sender[R] = Sender(link, self.attempts, self.pace, links_after, breaker=self.breaker, past=past)
        try:
            return (ask(sender),)
        except CircuitOpen as failure:
            if sender.made:  # it opened under our hands
                self.failed.append((link, failure))
            else:
                self.skipped.append(link)
        except ProviderFailure as failure:
            self.failed.append((link, failure))
        return None

    def _count_usable(self, first: int) -> int:
        """Return how many of the links from ``first`` on are worth keeping time for."""
        now = self.pace.clock()
        states = (self.breaker.look(circuit_of(link)).get_state(now) for link in self.links[first:])
        return sum(state is not CircuitState.OPEN for state in states)

    def _ask_last_resort(self, ask: Callable[[Sender[R]], A]) -> tuple[Link, A] | None:
        now = self.pace.clock()
        circuits = [(link, self.breaker.look(circuit_of(link))) for link in self.skipped]
        free = [(circuit.next_try(now), link) for link, circuit in circuits if circuit.get_forced(now) != "open"]
        free = [(at, link) for at, link in free if not _is_pointless(link, self.failed)]
        if not free:
            return None
        _, link = min(free, key=lambda each: each[0])
        answer = self._ask(link, ask, 0, past=True)
        return None if answer is None else (link, answer[0])


def _is_pointless(link: Link, failed: list[tuple[Link, ProviderFailure]]) -> bool:
    """Tell if an earlier failure says that this link would fail too."""
    for other, failure in failed:
        same_provider = other.model.provider == link.model.provider
        if failure.outcome is Outcome.AUTHENTICATION and failure.scope == "provider" and same_provider:
            return True
        if failure.outcome is Outcome.CALLER_ERROR and same_provider:
            return True
        if failure.outcome is Outcome.CONTEXT_OVERFLOW and link.model.context_tokens <= other.model.context_tokens:
            return True
    return False
