"""Assess how sure a turn is: ask its sources one after the other, each billed to the run and bounded by the deadline.

A source that fails (no model answered, no budget is left, no time is left, the reply was no rating) gives no signal and
is reported; it never fails the turn, which is paid for and would have to be asked for again. What no signal means says
`pentad.orchestration.confidence.bands`.
"""

import time
from collections.abc import Callable, Sequence

from pentad.domain.declarations.agents import AgentSpec, ConfidenceSpec
from pentad.domain.errors import ModelUnavailable
from pentad.domain.messages import Message
from pentad.domain.models import ChatRequest, StopReason
from pentad.domain.runs import Assessment, Signal, ToolCall
from pentad.models.ports import ChatModel
from pentad.models.structured.structured import complete_as, complete_in_words
from pentad.observability.metrics import names
from pentad.observability.ports import Telemetry
from pentad.orchestration.confidence.agreement import compute_agreement
from pentad.orchestration.confidence.bands import build_assessment
from pentad.orchestration.confidence.model_ratings import Rating, build_judge_request, build_self_report_request
from pentad.orchestration.confidence.validators import run_validators

JUDGE_TASK = "judge"
JUDGE_TIER = "fast"
MINIMUM_SECONDS = 1.0
"""Less than this is no time for a model, and a request would only be paid for."""
_DETAIL_CHARACTERS = 300
_SAMPLED = frozenset({StopReason.END, StopReason.TOOL_CALLS})

Source = Callable[[float], Signal]
"""Asks, until a deadline, and returns the signal; raises where there is none."""


class Assess:
    """An `pentad.orchestration.confidence.ports.Assessor`.

    Args:
        model: the gateway.
        telemetry: metrics and logs.
        clock: ``time.time``.
    """

    def __init__(self, model: ChatModel, telemetry: Telemetry, *, clock: Callable[[], float] = time.time) -> None:
        self._model = model
        self._telemetry = telemetry
        self._clock = clock

    def assess(
        self,
        agent: AgentSpec,
        request: ChatRequest,
        reply: Message,
        calls: Sequence[ToolCall],
        *,
        unknown_citations: int,
        deadline: float,
    ) -> Assessment | None:
        """Return the turn's assessment, or None where the agent asks for none; see the port."""
        spec = agent.confidence
        if spec is None:
            return None
        checked = run_validators(spec.validators, request, reply, calls, unknown_citations=unknown_citations)
        signals = [checked] if checked is not None else []
        signals += self._collect_signals(spec, request, reply, deadline)
        found = build_assessment(signals, spec)
        self._telemetry.count(names.CONFIDENCE, found.confidence, unit="None", agent=agent.name)
        self._telemetry.count(names.ASSESSMENTS, agent=agent.name, band=found.band.value)
        return found

    def _collect_signals(
        self, spec: ConfidenceSpec, request: ChatRequest, reply: Message, deadline: float
    ) -> list[Signal]:
        """Return the signals of the sources that need a model, those that there are."""
        sources: list[tuple[str, int, Source]] = []
        if spec.self_report:
            sources.append(("self_report", 1, lambda until: self._ask_self_report(request, reply, until)))
        if spec.judge:
            sources.append(("judge", 1, lambda until: self._ask_judge(request, reply, until)))
        if spec.samples:
            sources.append(
                ("agreement", spec.samples, lambda until: self._compare_samples(spec, request, reply, until))
            )
        found = []
        for place, (name, shares, source) in enumerate(sources):
            # Each has its share of what is left, so that one that hangs leaves time for the others.
            left = sum(each for _, each, _ in sources[place:])
            signal = self._ask_source(name, source, self._compute_deadline(deadline, shares, left))
            if signal is not None:
                found.append(signal)
        return found

    def _compute_deadline(self, deadline: float, shares: int, of: int) -> float:
        now = self._clock()
        return now + (deadline - now) * shares / of

    def _ask_source(self, name: str, source: Source, until: float) -> Signal | None:
        try:
            self._check_time(until)
            signal = source(until)
        except Exception as error:  # a boundary: whatever is wrong with a source, the turn stands and is paid for
            self._telemetry.count(names.CONFIDENCE_SIGNALS, source=name, outcome="none")
            self._telemetry.log_event("confidence.no_signal", level="WARNING", source=name, error=type(error).__name__)
            return None
        self._telemetry.count(names.CONFIDENCE_SIGNALS, source=name, outcome="given")
        return signal

    def _check_time(self, until: float) -> None:
        if until - self._clock() < MINIMUM_SECONDS:
            raise ModelUnavailable("no time is left to ask")

    def _ask_self_report(self, request: ChatRequest, reply: Message, until: float) -> Signal:
        rating = complete_in_words(self._model, build_self_report_request(request, reply), Rating, deadline=until).value
        return Signal(source="self_report", score=rating.confidence, detail=rating.reason[:_DETAIL_CHARACTERS])

    def _ask_judge(self, request: ChatRequest, reply: Message, until: float) -> Signal:
        asked = build_judge_request(request, reply, task=JUDGE_TASK, tier=JUDGE_TIER)
        rating = complete_as(self._model, asked, Rating, deadline=until).value
        return Signal(source="judge", score=rating.confidence, detail=rating.reason[:_DETAIL_CHARACTERS])

    def _compare_samples(self, spec: ConfidenceSpec, request: ChatRequest, reply: Message, until: float) -> Signal:
        """Ask again, as often as the agent wants, and compare; some samples are enough where others fail."""
        scores: list[float] = []
        failure: Exception | None = None
        for number in range(spec.samples):
            try:
                sample = self._ask_sample(request, reply, self._compute_deadline(until, 1, spec.samples - number))
            except Exception as error:  # the same boundary, for each sample
                failure = error
                continue
            scores.append(compute_agreement(reply, sample))
        if not scores:
            raise failure or ModelUnavailable("no sample was asked for")
        detail = f"{len(scores)} of {spec.samples} samples, agreement {', '.join(f'{each:.2f}' for each in scores)}"
        return Signal(source="agreement", score=sum(scores) / len(scores), detail=detail)

    def _ask_sample(self, request: ChatRequest, reply: Message, until: float) -> Message:
        self._check_time(until)
        asked = request.model_copy(
            update={
                "context": request.context.model_copy(update={"purpose": "sample"}),
                "model": reply.raw.model if reply.raw is not None else request.model,
                "fresh": True,  # a reply that is kept for repeats would agree with itself
            }
        )
        sampled = self._model.complete(asked, deadline=until)
        if sampled.stop not in _SAMPLED:
            raise ModelUnavailable("the sample is not a reply")
        return sampled.message
