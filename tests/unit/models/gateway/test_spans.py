"""Each request on the wire is a span, and the request names it."""

from itertools import count

import pytest

from pentad.domain.models import Outcome
from pentad.domain.tracing import get_open_place
from pentad.models.gateway.gateway import Gateway
from pentad.models.ledger.adapters.ledger_memory import MemoryLedger
from pentad.models.providers.exchange import ProviderFailure, ProviderReply
from pentad.observability.adapters.memory import MemoryTelemetry
from tests.unit.models.samples import CATALOG, Answer, Clock, ScriptedProvider, Sent, reply, request

FAILED = ProviderFailure(Outcome.OVERLOAD, "Error overload")


def complete(*answers: Answer) -> tuple[MemoryTelemetry, MemoryLedger]:
    clock, telemetry, ledger, numbers = Clock(), MemoryTelemetry(), MemoryLedger(), count(1)
    gateway = Gateway(
        {"anthropic": ScriptedProvider(clock, *answers, seconds=2.0)},
        CATALOG,
        ledger,
        clock=clock,
        sleep=clock.sleep,
        random=lambda: 0.5,
        ids=lambda prefix, _: f"{prefix}_{next(numbers):04d}",
        telemetry=telemetry,
    )
    gateway.complete(request(), deadline=clock.now + 300)
    return telemetry, ledger


def test_each_attempt_is_a_span_with_what_it_cost_and_why_it_ended() -> None:
    telemetry, ledger = complete(FAILED, reply("Hi."))
    failed, answered = telemetry.ended
    assert (failed.error, answered.error) == ("overload", None)
    assert answered.attributes["gen_ai.response.finish_reasons"] == ("stop",)
    assert [span.attributes["pentad.attempt.number"] for span in telemetry.ended] == [1, 2]
    assert failed.place != answered.place
    assert failed.place.trace_id == answered.place.trace_id
    assert (answered.end - answered.start).total_seconds() == pytest.approx(2)
    attempts = [one for one in ledger.all if one.outcome is not Outcome.BEGUN]
    assert [span.attributes["pentad.cost.nanousd"] for span in telemetry.ended] == [
        one.cost_nanousd for one in attempts
    ]


def test_what_is_sent_names_the_span_of_its_attempt() -> None:
    seen = []

    def answer(_: Sent) -> ProviderReply:
        seen.append(get_open_place())
        return reply("Hi.")

    telemetry, _ = complete(answer)
    assert seen == [telemetry.ended[0].place]
    assert get_open_place() is None
