"""What the other layers ask of the model gateway, and what the gateway asks of its adapters."""

# The gateway's own types are named, not loaded: other layers import this module and need neither YAML nor the catalog.
from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Protocol

from pentad.domain.models import Attempt, CallContext, ChatReply, ChatRequest, EmbedReply

if TYPE_CHECKING:
    from pentad.models.breaker import Circuit, Evidence
    from pentad.models.budgets import BudgetDefinition, Reservation, Standing
    from pentad.models.catalog import Effort, ModelEntry
    from pentad.models.circuits import Admission
    from pentad.models.exchange import Credentials, ProviderReply, ProviderVectors
    from pentad.models.spend import By, Spending


class ChatModel(Protocol):
    """One model turn: routing, fallback, retries and the ledger are behind it."""

    def complete(self, request: ChatRequest, *, deadline: float) -> ChatReply:
        """Return the reply; ``degraded`` is set where every link of the chain was down.

        Args:
            request: what to send.
            deadline: ``time.time()`` by which an answer is of use; the gateway stops trying before it.

        Raises:
            InvalidInput: an unknown task, tier or model.
            ContextOverflow: no model of the chain holds the conversation.
            Refused: every model tried declined.
            MalformedReply: no usable reply, after one repair.
            ModelCallerError: the provider says the request is wrong.
            BudgetExceeded: a budget is used up.
        """
        ...


class Embedder(Protocol):
    """Text to vectors."""

    def embed(self, texts: Sequence[str], context: CallContext, *, deadline: float) -> EmbedReply:
        """Return one vector a text, in order, of length 1 (Euclidean norm).

        Raises:
            ModelThrottled: the provider said 429 until the deadline.
            ModelUnavailable: it did not answer until the deadline.
            InvalidInput: an empty text, or more than the batch bound.
        """
        ...


class ResponseCache(Protocol):
    """Replies kept for exact repeats of their requests. Bounded; a tenant never sees another's."""

    def get(self, tenant: str, key: str) -> ChatReply | None:
        """Return the reply kept under a key, without usage, cost and attempts, or None.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def put(self, tenant: str, key: str, reply: ChatReply, *, seconds: int) -> None:
        """Keep a reply for so long; one above 300 KB is not kept.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...


class Ledger(Protocol):
    """Every attempt on the wire, append only: begun before it is sent, recorded when its outcome is known."""

    def begin(self, attempt: Attempt) -> None:
        """Append that a request is about to be sent, so that it is seen even if this process is killed meanwhile.

        Args:
            attempt: with the outcome ``begun``.

        Raises:
            StoreUnavailable: the store did not answer; then it must not be sent.
        """
        ...

    def void(self, attempt: Attempt) -> None:
        """Append that an attempt that was begun was not sent after all.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def record(self, attempt: Attempt) -> None:
        """Append an attempt; the same attempt_id again changes nothing.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def of_run(self, tenant: str, run: str, *, since: datetime | None = None) -> list[Attempt]:
        """Return a run's attempts in the order they were made; ``begun`` are those without a recorded outcome.

        Args:
            tenant: the tenant.
            run: the run.
            since: only those that began then or later.
        """
        ...


class Breaker(Protocol):
    """Keeps calls away from a model that is down. A circuit's name is ``provider/model``."""

    def look(self, name: str) -> Circuit:
        """Return the circuit as it was a moment ago, at next to no cost."""
        ...

    def admit(self, name: str, *, seconds: float) -> Admission | None:
        """Return leave for one attempt, or None; where the circuit is half-open, one caller among all gets it.

        Args:
            name: the circuit.
            seconds: the time the attempt will have; a probe that is not reported by then is given up.
        """
        ...

    def report(self, name: str, evidence: Evidence) -> None:
        """Learn what became of an attempt; never raises for a store that does not answer."""
        ...


class CircuitStore(Protocol):
    """Where circuits are kept for all processes."""

    def all(self) -> Mapping[str, Circuit]:
        """Return every stored circuit by its name.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def get(self, name: str) -> Circuit:
        """Return a circuit as it was last written; a closed one of version 0 where none was.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def put(self, circuit: Circuit) -> bool:
        """Store a circuit as the next version; return False, and store nothing, where its own is not the stored one.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...


class SpendReader(Protocol):
    """What was spent: sums over the ledger."""

    def read(self, tenant: str, by: By, first: date, last: date, *, limit: int = 1000) -> Spending:
        """Return a tenant's spend of some days, both included, by a dimension.

        Args:
            tenant: whose.
            by: the dimension.
            first: the first day (UTC).
            last: the last day.
            limit: rows at most, the dearest; the rest are summed up.

        Raises:
            InvalidInput: the days hold more counters than one question may read.
            StoreUnavailable: the store did not answer.
        """
        ...


class BudgetDefinitions(Protocol):
    """The budgets of tenants, as operators set them."""

    def of(self, tenant: str) -> tuple[BudgetDefinition, ...]:
        """Return a tenant's budgets.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...


class BudgetStore(BudgetDefinitions, Protocol):
    """The same, for who sets them."""

    def put(self, definition: BudgetDefinition) -> None:
        """Set a budget, in place of one of the same scope, period and subject.

        Raises:
            InvalidInput: the tenant has as many as it may.
            StoreUnavailable: the store did not answer.
        """
        ...

    def remove(self, tenant: str, scope: str, period: str, subject: str) -> None:
        """Remove a budget.

        Raises:
            NotFound: there is no such budget.
            StoreUnavailable: the store did not answer.
        """
        ...


class Budget(Protocol):
    """Counts what calls use of budgets. Reserve the worst case, call, settle what it was.

    A reservation counts against all budgets that apply, or against none of them. One that is neither settled nor
    released is given back after `pentad.models.budgets.RESERVATION_SECONDS`: its caller is dead.
    """

    def applies(self, context: CallContext, now: datetime) -> bool:
        """Tell if a call counts against any budget; from memory, mostly.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def standings(self, context: CallContext, now: datetime) -> tuple[Standing, ...]:
        """Return how far each budget is used that a call counts against.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def reserve(self, context: CallContext, amount_nanousd: int, *, attempt: str, now: datetime) -> Reservation:
        """Hold an amount of every budget that applies; the same attempt again holds nothing more.

        Raises:
            BudgetExceeded: it does not fit one of them; nothing is held.
            StoreUnavailable: the store did not answer, or too many callers reserve at once.
        """
        ...

    def settle(self, reservation: Reservation, actual_nanousd: int) -> None:
        """Count what was spent in place of what was held; a repeat changes nothing.

        What was given back already (the caller was away too long) is counted all the same.

        Raises:
            StoreUnavailable: the store did not answer, or too many callers settle at once.
        """
        ...

    def release(self, reservation: Reservation) -> None:
        """Give back what was held: nothing was spent. A repeat changes nothing.

        Raises:
            StoreUnavailable: see `settle`.
        """
        ...


class ProviderChat(Protocol):
    """One chat request to one provider: no retry, no fallback, one request on the wire at most."""

    def send(
        self,
        model: ModelEntry,
        request: ChatRequest,
        *,
        max_output_tokens: int,
        timeout: float,
        effort: Effort | None = None,
    ) -> ProviderReply:
        """Return the reply as it came; what it holds is not yet checked against the tools' schemas.

        Args:
            model: which model.
            request: what to send.
            max_output_tokens: the cap of the reply.
            timeout: seconds it may take in all.
            effort: how hard a thinking model should try.

        Raises:
            ProviderFailure: there is none; ``outcome`` says why.
            PentadError: nothing was sent: a budget does not allow it, or a store did not answer.
        """
        ...


class ProviderEmbed(Protocol):
    """One embeddings request to one provider."""

    def send(self, model: ModelEntry, texts: Sequence[str], *, dimensions: int, timeout: float) -> ProviderVectors:
        """Return one vector a text, in order, as the provider scaled them.

        Raises:
            ProviderFailure: there are none; ``outcome`` says why.
        """
        ...


class Secrets(Protocol):
    """Where credentials are kept."""

    def get_json(self, secret_id: str) -> Mapping[str, Any]:
        """Return a secret that is a JSON object.

        Raises:
            ConfigurationError: there is none, it may not be read, or it is no JSON object.
            StoreUnavailable: the store did not answer.
        """
        ...

    def forget(self, secret_id: str) -> None:
        """Read the secret anew next time: the provider did not accept it, so it may have been rotated."""
        ...


class CredentialSource(Protocol):
    """The credential of one provider."""

    def get(self) -> Credentials:
        """Return the credential.

        Raises:
            ConfigurationError: there is none.
            StoreUnavailable: the store did not answer.
        """
        ...

    def forget(self) -> None:
        """Read it anew next time."""
        ...
