"""Exercise each link of each chain with a tiny real request: a fallback that was never tried is a hope.

A model that stands in several chains is asked once, and its result is that of all its links. A drill goes past the
breaker and reports to it, so that one that finds a model well again closes its circuit.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from pentad.domain.ids import make_id
from pentad.domain.messages import Message, TextBlock
from pentad.domain.models import CallContext, ChatRequest, Outcome
from pentad.domain.usage import Usage
from pentad.models.breaker.ports import Breaker
from pentad.models.catalog.catalog import Link, ModelCatalog, ModelEntry
from pentad.models.drill.ports import DrillLog, DrillResult, LinkResult
from pentad.models.gateway.pursuit import estimate_usage
from pentad.models.gateway.sender import Pace, Sender
from pentad.models.ledger.attempts import Attempts, MakeId
from pentad.models.ledger.ports import Ledger
from pentad.models.providers.exchange import ProviderFailure, ProviderReply, ProviderVectors
from pentad.models.providers.ports import ProviderChat, ProviderEmbed
from pentad.observability.metrics import names
from pentad.observability.ports import Telemetry

TENANT = "SYS"
"""Whose attempts a drill's are on the ledger: no tenant can have that name."""
LINK_SECONDS = 20.0
OUTPUT_TOKENS = 256  # room for a thinking model to come to its one word; OpenAI takes no cap under 16
QUESTION = "This is a test of the connection. Answer with the one word: ok"
_ANSWERS = frozenset({Outcome.OK, Outcome.TRUNCATED})


@dataclass(frozen=True)
class Exercise:
    """One model to ask, and the links that it is: tier and position."""

    model: ModelEntry
    places: tuple[tuple[str, int], ...]
    dimensions: int | None


def plan(catalog: ModelCatalog) -> tuple[Exercise, ...]:
    """Return each model of each chain once, in the order of the chains."""
    places: dict[str, list[tuple[str, int]]] = {}
    dimensions: dict[str, int | None] = {}
    for tier, entry in catalog.tiers.items():
        for position, name in enumerate(entry.chain):
            places.setdefault(name, []).append((tier, position))
            dimensions.setdefault(name, entry.dimensions)
    return tuple(Exercise(catalog.models[name], tuple(found), dimensions[name]) for name, found in places.items())


class Drill:
    """Runs drills.

    Args:
        chat: an adapter for each provider's name.
        embed: the same for embeddings.
        catalog: models and tiers.
        ledger: where the attempts are recorded.
        breaker: is told what came of them.
        log: where results are kept.
        telemetry: a metric for each link.
        clock: ``time.time``.
        ids: makes attempt ids.
    """

    def __init__(
        self,
        chat: Mapping[str, ProviderChat],
        embed: Mapping[str, ProviderEmbed],
        catalog: ModelCatalog,
        ledger: Ledger,
        breaker: Breaker,
        log: DrillLog,
        telemetry: Telemetry,
        *,
        clock: Callable[[], float],
        ids: MakeId = make_id,
    ) -> None:
        self._chat = chat
        self._embed = embed
        self._catalog = catalog
        self._ledger = ledger
        self._breaker = breaker
        self._log = log
        self._telemetry = telemetry
        self._clock = clock
        self._ids = ids

    def __call__(self, *, deadline: float) -> DrillResult:
        """Ask every model once, keep the result and return it.

        Args:
            deadline: ``time.time()`` by which all must be done; a link for which no time is left counts as broken.

        Raises:
            StoreUnavailable: the ledger or the log did not answer.
        """
        started = datetime.fromtimestamp(self._clock(), UTC)
        exercises = plan(self._catalog)
        found: list[LinkResult] = []
        for index, exercise in enumerate(exercises):
            # A slow model must not take the time of those behind it.
            until = min(deadline, self._clock() + max(1.0, (deadline - self._clock()) / (len(exercises) - index)))
            found.extend(self._run_exercise(exercise, until))
        result = DrillResult(started_at=started, links=tuple(sorted(found, key=self._sort_key)))
        self._log.record(result)
        self._telemetry.count(names.DRILLS)
        for link in result.broken:
            self._telemetry.log_event(
                "drill.broken",
                level="ERROR",
                tier=link.tier,
                model=link.model,
                provider=link.provider,
                error=link.error,
            )
        return result

    def _sort_key(self, link: LinkResult) -> tuple[int, int]:
        return list(self._catalog.tiers).index(link.tier), link.link

    def _run_exercise(self, exercise: Exercise, until: float) -> list[LinkResult]:
        model, (tier, position) = exercise.model, exercise.places[0]
        context = CallContext(tenant_id=TENANT, purpose="drill")
        attempts = Attempts(context, tier, self._ledger, self._clock, self._ids, self._telemetry)
        pace = Pace(until, LINK_SECONDS, self._clock, _refuse_sleep, lambda: 0.0)
        error: str | None = None
        try:
            self._ask_model(exercise, Link(position=position, model=model), attempts, pace)
        except ProviderFailure as failure:
            error = failure.error
        made = attempts.made[-1] if attempts.made else None
        ok = made is not None and made.outcome in _ANSWERS
        self._telemetry.count(names.DRILL_LINK, int(ok), unit="None", provider=model.provider, model=model.name)
        return [
            LinkResult(
                tier=tier,
                link=link,
                provider=model.provider,
                model=model.name,
                ok=ok,
                outcome=made.outcome if made else None,
                duration_ms=made.duration_ms if made else 0,
                cost_nanousd=made.cost_nanousd if made else 0,
                error=None if ok else error,
            )
            for tier, link in exercise.places
        ]

    def _ask_model(self, exercise: Exercise, link: Link, attempts: Attempts, pace: Pace) -> None:
        """Ask a model once; raises ProviderFailure where it does not answer."""
        model = exercise.model
        if model.kind == "embedding":
            embedder = self._embed.get(model.provider)
            if embedder is None:
                raise _make_unconfigured_failure(model)
            dimensions = exercise.dimensions or model.dimensions or 0
            vectors: Sender[ProviderVectors] = Sender(link, attempts, pace, 0, breaker=self._breaker, past=True)
            vectors.make_attempt(
                lambda timeout: embedder.send(model, ["ok"], dimensions=dimensions, timeout=timeout),
                lambda reply: None,
                lambda reply: Usage(input_tokens=1),
            )
            return
        provider = self._chat.get(model.provider)
        if provider is None:
            raise _make_unconfigured_failure(model)
        request = _make_request(attempts.context, pace.clock())
        sender: Sender[ProviderReply] = Sender(link, attempts, pace, 0, breaker=self._breaker, past=True)
        sender.make_attempt(
            lambda timeout: provider.send(
                model, request, max_output_tokens=OUTPUT_TOKENS, timeout=timeout, effort="low"
            ),
            _check_answer,
            lambda reply: estimate_usage(model, request, reply),
        )


def _check_answer(reply: ProviderReply) -> None:
    if not reply.text.strip() and not reply.blocks:
        raise ProviderFailure(Outcome.MALFORMED, f"an empty reply that ended by {reply.stop}")


def _make_unconfigured_failure(model: ModelEntry) -> ProviderFailure:
    return ProviderFailure(Outcome.AUTHENTICATION, f"no adapter for '{model.provider}' is configured", sent=False)


def _make_request(context: CallContext, now: float) -> ChatRequest:
    at = datetime.fromtimestamp(now, UTC)
    words = (TextBlock(text=QUESTION),)
    return ChatRequest(
        context=context, messages=(Message(message_id="drill", role="user", blocks=words, created_at=at),)
    )


def _refuse_sleep(seconds: float) -> None:
    raise AssertionError("a drill makes one attempt and never waits for another")
