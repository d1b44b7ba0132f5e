"""The fault table, played to the real SDKs: each fault's outcomes, how the call ends, and that both books agree.

What is on the ledger is what was on the wire, and no tool call leaves that does not fit its tool. The chain has two
links: the provider that the fault is played to, and another one that is well.
"""

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.utils import formatdate

import jsonschema
import pytest

from pentad.domain.errors import (
    ContextOverflow,
    MalformedReply,
    ModelCallerError,
    ModelThrottled,
    ModelUnavailable,
    PentadError,
    Refused,
)
from pentad.domain.models import ChatReply, ChatRequest, Outcome
from pentad.models.catalog.catalog import ModelCatalog, load
from pentad.models.gateway.gateway import Gateway
from pentad.models.gateway.guarded import Guard, guard_chat
from pentad.models.providers import strictjson
from pentad.models.providers.adapters import anthropic, anthropic_wire, openai, openai_compatible_wire, openai_wire, sdk
from pentad.models.providers.exchange import ProviderFailure
from pentad.observability.adapters.memory import MemoryTelemetry
from tests.contract.models.conftest import MODELS, OWN, PROVIDERS, Adapters, Desk, Serve
from tests.contract.models.wire_bodies import JSON, error, ok, provider_of, whole
from tests.unit.models.samples import ADD, request, user
from twin.servers.loopback import ConnectionCut, Request, Response

OTHER = dict(zip(PROVIDERS, (*PROVIDERS[1:], PROVIDERS[0]), strict=True))
CLAUDE = ("anthropic", "bedrock")
OPENAIS = ("openai", "compatible")
RATE_LIMIT, OVERLOAD, TIMEOUT, CONNECTION = (
    Outcome.RATE_LIMIT,
    Outcome.OVERLOAD,
    Outcome.TIMEOUT,
    Outcome.CONNECTION,
)
MALFORMED, TRUNCATED, OK, AUTHENTICATION = Outcome.MALFORMED, Outcome.TRUNCATED, Outcome.OK, Outcome.AUTHENTICATION
ASKED = request(user("What is 1 + 2?"), tools=(ADD,))
Play = Callable[[str], Response]


@dataclass(frozen=True)
class Row:
    """A fault: what is played to the first link, how often, and what is on the ledger in the end."""

    name: str
    play: Play
    outcomes: tuple[Outcome, ...]
    answers: str = "first"  # the link that answers: first or other
    times: int = 1
    providers: tuple[str, ...] = PROVIDERS


def status(code: int, kind: str, message: str = "no", **headers: str) -> Play:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda provider: error(provider, code, kind, message, named)


def rate_limited(retry_after: str | None) -> Play:
    headers = {} if retry_after is None else {"retry_after": retry_after}
    return lambda provider: status(429, _RATE[provider], **headers)(provider)


_RATE = {"anthropic": "rate_limit_error", "openai": "rate_limit_exceeded", "compatible": "rate_limit_exceeded"}
_RATE["bedrock"] = "ThrottlingException"


def tool(arguments: str, *, name: str = "add", stop: str = "tool_calls", ids: tuple[str, ...] = ("c1",)) -> Play:
    calls = tuple((call_id, name, arguments) for call_id in ids)
    return lambda provider: Response(200, whole(provider, calls=calls, stop=stop), JSON)


def said(text: str, stop: str = "end", *, usage: bool = True) -> Play:
    return lambda provider: Response(200, whole(provider, text, stop=stop, usage=usage), JSON)


def raw(body: bytes | Callable[[], Iterator[bytes]], media_type: str = "application/json") -> Play:
    return lambda _: Response(200, body if isinstance(body, bytes) else body(), {"content-type": media_type})


def cut(*pieces: bytes) -> Callable[[], Iterator[bytes]]:
    def stream() -> Iterator[bytes]:
        yield from pieces
        raise ConnectionCut

    return stream


def packed(body: bytes, spoil: Callable[[bytes], bytes]) -> Response:
    return Response(200, spoil(gzip.compress(body)), JSON | {"content-encoding": "gzip"})


def hang_up(_: str) -> Response:
    raise ConnectionCut(reset=True)


SSE = "text/event-stream"
START = b'event: message_start\ndata: {"type": "message_start"}\n\n'
DELTA = b'event: content_block_delta\ndata: {"type": "content_block_delta", "delta": {"text": "Hel"}}\n\n'
ERROR_EVENT = b'event: error\ndata: {"type": "error", "error": {"type": "overloaded_error", "message": "no"}}\n\n'
DEEP = '{"a": ' + "[" * 2_000 + "]" * 2_000 + "}"
ROWS = [
    *(Row(f"429 retry-after {value}", rate_limited(value), (RATE_LIMIT, OK)) for value in ("2", "0", "-5", "NaN")),
    *(Row(f"429 retry-after {value}", rate_limited(value), (RATE_LIMIT, OK)) for value in ("inf", "soon", "")),
    Row("429 retry-after a date", rate_limited(formatdate(time.time() + 3, usegmt=True)), (RATE_LIMIT, OK)),
    Row("429 retry-after a date of old", rate_limited("Wed, 21 Oct 2015 07:28:00 GMT"), (RATE_LIMIT, OK)),
    Row("429 retry-after huge", rate_limited("99999999"), (RATE_LIMIT, OK), "other"),
    Row("429 without retry-after", rate_limited(None), (RATE_LIMIT, OK)),
    Row("429 that lasts", rate_limited(None), (RATE_LIMIT, RATE_LIMIT, OK), "other", 99),
    Row("529", status(529, "overloaded_error"), (OVERLOAD, OK)),
    Row("529 that lasts", status(529, "overloaded_error"), (OVERLOAD, OVERLOAD, OK), "other", 99),
    *(Row(str(code), status(code, "server_error"), (OVERLOAD, OK)) for code in (500, 502, 503)),
    Row("504", status(504, "timeout_error"), (TIMEOUT, OK), "other"),
    Row(
        "502 of a proxy",
        lambda _: Response(502, b"<h1>Bad Gateway</h1>", {"content-type": "text/html"}),
        (OVERLOAD, OK),
    ),
    Row("401", status(401, "authentication_error"), (AUTHENTICATION, OK), "other"),
    Row("403", status(403, "permission_error"), (AUTHENTICATION, OK), "other"),
    Row("404 of a retired model", status(404, "not_found_error", "model: retired"), (AUTHENTICATION, OK), "other"),
    Row(
        "400 no credit",
        status(400, "invalid_request_error", "Your credit balance is too low to access the API."),
        (AUTHENTICATION, OK),
        "other",
        providers=("anthropic",),
    ),
    # The next attempt is without strict mode: the same set of tools is not sent in it again.
    Row(
        "400 of a schema in strict mode",
        status(400, "invalid_request_error", "The compiled grammar is too large. Simplify your tool schemas."),
        (OVERLOAD, OK),
        providers=("anthropic", "openai", "bedrock"),
    ),
    Row("429 no credit", status(429, "insufficient_quota"), (AUTHENTICATION, OK), "other", providers=OPENAIS),
    Row(
        "400 with a bad key",
        status(400, "x", "API key not valid."),
        (AUTHENTICATION, OK),
        "other",
        providers=("compatible",),
    ),
    Row("reset", hang_up, (CONNECTION, OK)),
    Row("reset that lasts", hang_up, (CONNECTION, CONNECTION, OK), "other", 99),
    Row("cut in its middle", raw(cut(b'{"id": "msg_1", "conte')), (CONNECTION, OK)),
    Row("stream cut before its first delta", raw(cut(START), SSE), (CONNECTION, OK)),
    Row("stream cut after its first delta", raw(cut(START, DELTA), SSE), (CONNECTION, OK)),
    Row("stream with an error event", raw(START + DELTA + ERROR_EVENT, SSE), (MALFORMED, OK)),
    Row("200 with HTML", raw(b"<html>welcome</html>", "text/html"), (MALFORMED, OK)),
    Row("200 with half a JSON", lambda provider: Response(200, whole(provider, "Hi")[:-9], JSON), (MALFORMED, OK)),
    Row("200 with another JSON", raw(b'{"hello": ["world"]}'), (MALFORMED, OK)),
    Row("200 with nothing", raw(b""), (MALFORMED, OK)),
    Row("200 without usage", said("Fine.", usage=False), (OK,)),
    Row("200 with an empty reply", said(""), (MALFORMED, OK)),
    Row("arguments truncated", tool('{"a": 1, "b', stop="max_tokens"), (TRUNCATED, OK), providers=OPENAIS),
    Row("arguments left out", tool("{}", stop="max_tokens"), (TRUNCATED, OK), providers=CLAUDE),
    Row("arguments malformed", tool('{"a": 1, "b": }'), (MALFORMED, OK)),
    Row("arguments no object", tool("[1, 2]"), (MALFORMED, OK)),
    Row("arguments with duplicate keys", tool('{"a": 1, "b": 2, "a": 3}'), (MALFORMED, OK)),
    Row("arguments with NaN", tool('{"a": NaN, "b": 2}'), (MALFORMED, OK)),
    Row("arguments with Infinity", tool('{"a": Infinity, "b": 2}'), (MALFORMED, OK)),
    Row("arguments of extreme depth", tool(DEEP), (MALFORMED, OK)),
    Row("arguments that do not fit", tool('{"a": "one", "b": 2}'), (MALFORMED, OK)),
    Row("arguments that never fit", tool('{"a": "one"}'), (MALFORMED, MALFORMED, OK), "other", 99),
    Row("an unknown tool", tool('{"a": 1, "b": 2}', name="rm"), (MALFORMED, OK)),
    Row("a repeated call id", tool('{"a": 1, "b": 2}', ids=("c1", "c1")), (MALFORMED, OK)),
    Row("words cut at the cap", said("Once upon", "max_tokens"), (TRUNCATED, OK)),
    Row("refusal", said("No.", "refusal"), (Outcome.REFUSAL, OK), "other"),
    Row("pause_turn", said("Let me see.", "pause_turn"), (OK, OK), providers=CLAUDE),
    Row("pause_turn without end", said("And", "pause_turn"), (OK,) * 6, "other", 99, CLAUDE),
]
CASES = [pytest.param(row, provider, id=f"{row.name}-{provider}") for row in ROWS for provider in row.providers]


def chain(*providers: str, seconds: float = 120) -> ModelCatalog:
    """Return a catalog whose primary chain is of these providers."""
    models = ", ".join(MODELS[provider].name for provider in providers)
    return load(
        overlay=f"{OWN[: OWN.index('tiers:')]}tiers:\n  primary: {{chain: [{models}], attempt_seconds: {seconds}}}\n"
    )


@dataclass
class Stage:
    """A server that plays a fault to one provider's requests, so many times, and is well to all others."""

    serve: Serve
    provider: str
    play: Play
    times: int
    seconds: float = 120
    seen: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.adapters: Adapters = self.serve(self._answer)
        self.desk = Desk(self.adapters, chain(self.provider, OTHER[self.provider], seconds=self.seconds))

    def _answer(self, asked: Request) -> Response:
        provider = provider_of(asked)
        with self._lock:
            self.seen.append(provider)
            count = self.seen.count(provider)
        if provider == self.provider and count <= self.times:
            return self.play(provider)
        return ok(provider)

    def complete(self, asked: ChatRequest = ASKED) -> ChatReply:
        try:
            reply = self.desk.complete(asked)
        finally:
            self.compare()
        for call in reply.message.tool_calls:
            jsonschema.validate(call.arguments, ADD.input_schema)
        return reply

    def compare(self) -> None:
        """Check that what is on the ledger is what was on the wire."""
        names = {MODELS[provider].name: provider for provider in PROVIDERS}
        assert [names[attempt.model] for attempt in self.desk.ledger.all] == self.seen

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        return tuple(attempt.outcome for attempt in self.desk.ledger.all)


@pytest.mark.parametrize("provider", ["anthropic", *OPENAIS])
def test_a_reply_cut_within_an_emoji_is_not_asked_for_again(serve: Serve, provider: str) -> None:
    body = whole(provider, "Hi @").replace(b"@", b"\xf0\x9f")
    stage = Stage(serve, provider, lambda _: Response(200, body, JSON), 1)
    assert stage.complete().message.text == "Hi \ufffd"
    assert stage.outcomes == (OK,)


@pytest.mark.parametrize(("row", "provider"), CASES)
def test_the_fault_table(serve: Serve, row: Row, provider: str) -> None:
    stage = Stage(serve, provider, row.play, row.times)
    reply = stage.complete()
    assert stage.outcomes == row.outcomes
    assert reply.model == MODELS[provider if row.answers == "first" else OTHER[provider]].name
    assert reply.message.text == ("Let me see.\n\nFine." if row.name == "pause_turn" else "Fine.")
    assert bool(reply.notices) == (row.answers == "other")


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(("header", "least", "most"), [("7", 7, 8), ("0", 0, 1), ("-3", 0, 1), ("NaN", 0, 1)])
def test_retry_after_is_what_is_waited(serve: Serve, provider: str, header: str, least: float, most: float) -> None:
    stage = Stage(serve, provider, rate_limited(header), 1)
    stage.complete()
    assert least <= sum(stage.desk.slept) <= most


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_caller_error_ends_the_call_at_once(serve: Serve, provider: str) -> None:
    stage = Stage(serve, provider, status(400, "invalid_request_error", "tools.0.name is wrong"), 99)
    with pytest.raises(ModelCallerError):
        stage.complete()
    assert stage.outcomes == (Outcome.CALLER_ERROR,)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("tools.0.custom.input_schema: JSON schema is invalid", "does not take a JSON Schema"),
        ("Image media type is not allowed", "does not take an image"),
        ("frequency_penalty: Extra inputs are not permitted", "does not know a part or a setting"),
    ],
)
def test_what_a_provider_can_not_express_goes_to_the_next_link_or_is_one_clear_error(
    serve: Serve, provider: str, message: str, told: str
) -> None:
    play = status(400, "invalid_request_error", message)
    stage = Stage(serve, provider, play, 99)
    assert stage.complete().model == MODELS[OTHER[provider]].name
    assert stage.outcomes == (Outcome.CALLER_ERROR, OK)
    alone = Stage(serve, provider, play, 99)
    alone.desk = Desk(alone.adapters, chain(provider))
    with pytest.raises(ModelCallerError, match=told) as caught:
        alone.complete()
    assert caught.value.fix
    assert message not in str(caught.value)
    assert len(alone.seen) == 1


_OVERFLOWS = {
    "anthropic": status(400, "invalid_request_error", "prompt is too long: 2 tokens > 1 maximum"),
    "openai": status(400, "context_length_exceeded"),
    "compatible": status(400, "exceed_context_size_error"),
    "bedrock": status(400, "ValidationException", "Input is too long for requested model."),
}
_TOO_LARGE = [
    *((provider, status(413, "request_too_large")) for provider in PROVIDERS),
    *_OVERFLOWS.items(),
    *((provider, said("Half", "window")) for provider in CLAUDE),
]


@pytest.mark.parametrize(("provider", "play"), _TOO_LARGE)
def test_what_is_too_large_goes_to_a_larger_window_only(serve: Serve, provider: str, play: Play) -> None:
    stage = Stage(serve, provider, play, 99)
    larger = MODELS[OTHER[provider]].context_tokens > MODELS[provider].context_tokens
    if larger:
        assert stage.complete().model == MODELS[OTHER[provider]].name
    else:
        with pytest.raises(ContextOverflow):
            stage.complete()
    assert stage.outcomes == (Outcome.CONTEXT_OVERFLOW, *([OK] if larger else []))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_provider_that_says_nothing_is_left_in_time(serve: Serve, provider: str) -> None:
    over = threading.Event()

    def idle(_: str) -> Response:
        over.wait(20)
        raise ConnectionCut

    for load_sdk in (anthropic.load_sdk, openai.load_sdk):
        load_sdk()  # the first import may take longer than an attempt has here
    stage = Stage(serve, provider, idle, 1, seconds=1.5)
    try:
        assert stage.complete().model == MODELS[OTHER[provider]].name
    finally:
        over.set()
    assert stage.outcomes == (TIMEOUT, OK)


def _wait_forever(_: str) -> Response:
    time.sleep(2)
    raise ConnectionCut


def _say_usage(**counts: int | float) -> Play:
    """A whole answer whose counts are replaced by what a provider got wrong."""

    def play(provider: str) -> Response:
        body = json.loads(whole(provider, "Fine."))
        names = (
            ("prompt_tokens", "completion_tokens") if provider == "compatible" else ("input_tokens", "output_tokens")
        )
        body["usage"] |= dict(zip(names, counts.values(), strict=True))
        return Response(200, json.dumps(body).encode(), JSON)

    return play


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    ("play", "worked"),
    [
        (_wait_forever, True),
        (lambda provider: Response(200, cut(whole(provider, "Hi")[:40])(), JSON), True),
        (lambda provider: Response(200, whole(provider, "Hi")[:-9], JSON), True),
        (lambda provider: packed(whole(provider, "Hi"), lambda data: b"no gzip" + data), True),
        (lambda provider: packed(whole(provider, "Hi"), lambda data: data[:20] + bytes(8) + data[28:]), True),
        (lambda provider: packed(whole(provider, "Hi"), lambda data: data[: len(data) // 2]), True),
        (lambda provider: packed(whole(provider, "Hi"), lambda data: data[:10]), True),
        (lambda provider: Response(200, gzip.compress(whole(provider, "Hi")), JSON), True),
        (lambda provider: Response(200, cut(whole(provider, "Hi")[:40])(), JSON | {"content-encoding": "gzip"}), True),
        (raw(b"", "application/json"), True),
        (raw(b"[]", "application/json; charset=utf-8"), True),
        (raw(START, SSE), True),
        (raw(b"", "text/plain"), False),
        (raw(b"<html>welcome</html>", "text/html"), False),
        (lambda provider: Response(200, b"no gzip", {"content-type": "text/html"}), False),
        (hang_up, False),
        (status(529, "overloaded_error"), False),
        (status(504, "timeout_error"), False),
    ],
    ids=[
        "timeout",
        "cut",
        "half a JSON",
        "gzip that is none",
        "gzip broken inside",
        "half a gzip",
        "gzip cut behind its head",
        "gzip that is not said to be",
        "chunks cut that are no gzip",
        "empty JSON",
        "a list",
        "events",
        "empty",
        "HTML of a proxy",
        "a page",
        "hung up at once",
        "529",
        "504",
    ],
)
def test_only_what_a_provider_may_have_worked_on_is_to_be_billed(
    serve: Serve, provider: str, play: Play, worked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if play is _wait_forever:
        monkeypatch.setattr(sdk, "_AT_ONCE_SECONDS", 0.1)
    client = serve(lambda asked: play(provider_of(asked))).get_client(provider)
    with pytest.raises(ProviderFailure) as caught:
        client.send(MODELS[provider], ASKED, max_output_tokens=500, timeout=0.5 if play is _wait_forever else 20)
    assert caught.value.worked is worked


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("counts", [(-5, 3), (9, -1), (1e30, 3), (9, 10**30), (9, 2.5), (10**400, 3), (10**4299, 3)])
def test_counts_that_can_be_none_are_no_usage(serve: Serve, provider: str, counts: tuple[float, float]) -> None:
    play = _say_usage(read=counts[0], written=counts[1])
    client = serve(lambda asked: play(provider_of(asked))).get_client(provider)
    reply = client.send(MODELS[provider], ASKED, max_output_tokens=500, timeout=20)
    assert (reply.text, reply.usage) == ("Fine.", None)
    assert reply.estimated.startswith("the reported usage is absurd: ")


def _guard(stage: Stage) -> MemoryTelemetry:
    """Put the guards, which are about the adapters wherever they are wired, about those of a stage."""
    telemetry = MemoryTelemetry()
    desk, providers = stage.desk, guard_chat(stage.adapters.by_provider, Guard(telemetry))
    catalog = chain(stage.provider, OTHER[stage.provider])
    desk.gateway = Gateway(providers, catalog, desk.ledger, clock=lambda: desk.now, sleep=desk.sleep)
    return telemetry


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("digits", [401, 4_300, 4_301, 100_000])
def test_a_count_that_no_float_can_hold_leaves_the_reply_whole(serve: Serve, provider: str, digits: int) -> None:
    def play(asked: str) -> Response:
        answer = _say_usage(read=123_456_789_123, written=3)(asked)
        assert isinstance(answer.body, bytes)
        return Response(200, answer.body.replace(b"123456789123", b"1" * digits), JSON)

    stage = Stage(serve, provider, play, 99)
    telemetry = _guard(stage)
    assert stage.complete().model == MODELS[provider].name
    [attempt] = stage.desk.ledger.all
    assert (attempt.outcome, attempt.is_estimated) == (OK, True)
    assert attempt.cost_nanousd > 0
    assert ("inf" if digits > 4_300 else "beyond any request") in (attempt.error or "")
    assert [one.name for one in telemetry.counts] == ["UsageAbsurd"]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_reply_whose_body_can_not_be_unpacked_is_booked_as_an_estimate(serve: Serve, provider: str) -> None:
    def play(asked: str) -> Response:
        return packed(whole(asked, "Hi"), lambda data: b"no gzip" + data)

    stage = Stage(serve, provider, play, 1)
    _guard(stage)
    assert stage.complete().model == MODELS[provider].name
    first, second = stage.desk.ledger.all
    assert (first.outcome, first.is_estimated) == (Outcome.MALFORMED, True)
    assert first.cost_nanousd > 0
    assert (second.outcome, second.is_estimated) == (OK, False)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("broken", ["find_absurd_count", "read"])
def test_what_nobody_expected_of_a_reply_that_is_here_is_paid_for(
    serve: Serve, provider: str, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*_: object) -> None:
        raise OverflowError("a user's word")

    monkeypatch.setattr(strictjson, broken, stumble)
    stage = Stage(serve, provider, ok, 0)
    _guard(stage)
    with pytest.raises(PentadError):
        stage.complete()
    assert {attempt.outcome for attempt in stage.desk.ledger.all} == {Outcome.FAULT}
    assert all(attempt.is_estimated and attempt.usage.total_tokens for attempt in stage.desk.ledger.all)
    assert "word" not in repr(stage.desk.ledger.all)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_reply_that_its_reader_stumbles_over_is_paid_for(
    serve: Serve, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*_: object, **__: object) -> None:
        raise KeyError("a user's word")

    for wire in (anthropic_wire, openai_wire, openai_compatible_wire):
        monkeypatch.setattr(wire, "decode", stumble)
    client = serve(lambda asked: ok(provider_of(asked))).get_client(provider)
    with pytest.raises(ProviderFailure) as caught:
        client.send(MODELS[provider], ASKED, max_output_tokens=500, timeout=20)
    assert (caught.value.outcome, caught.value.worked) == (Outcome.FAULT, True)
    assert "word" not in caught.value.error


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_refused_connection_is_answered_for_by_the_other(serve: Serve, provider: str) -> None:
    stage = Stage(serve, provider, ok, 0)
    nowhere = Adapters("http://127.0.0.1:9")
    setattr(stage.adapters, provider, nowhere.get_client(provider))
    desk = Desk(stage.adapters, chain(provider, OTHER[provider]))
    assert desk.complete(ASKED).model == MODELS[OTHER[provider]].name
    assert [attempt.outcome for attempt in desk.ledger.all] == [CONNECTION, CONNECTION, OK]
    nowhere.close()


@pytest.mark.parametrize(
    ("play", "ends"),
    [
        (status(529, "overloaded_error"), ModelUnavailable),
        (rate_limited("99"), ModelThrottled),
        (status(401, "authentication_error"), ModelUnavailable),
        (hang_up, ModelUnavailable),
        (said("No.", "refusal"), Refused),
        (tool('{"a": "one"}'), MalformedReply),
        (tool("{}", stop="max_tokens"), MalformedReply),
        (raw(b"<html>"), MalformedReply),
    ],
    ids=["down", "limits", "keys", "reset", "refusal", "arguments", "truncated", "html"],
)
def test_with_the_same_fault_everywhere_the_call_ends_as_it_should(
    serve: Serve, play: Play, ends: type[PentadError]
) -> None:
    seen: list[str] = []

    def answer(asked: Request) -> Response:
        seen.append(provider_of(asked))
        return play(seen[-1])

    desk = Desk(serve(answer), chain(*PROVIDERS))
    with pytest.raises(ends) as caught:
        desk.complete(ASKED)
    assert caught.value.attempts == tuple(desk.ledger.all)
    names = {MODELS[provider].name: provider for provider in PROVIDERS}
    assert [names[attempt.model] for attempt in desk.ledger.all] == seen


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_largest_cap_needs_no_stream(serve: Serve, provider: str) -> None:
    # The SDKs refuse a long answer without a stream unless the request brings its own time, as ours does.
    stage = Stage(serve, provider, ok, 0)
    asked = ASKED.model_copy(update={"max_output_tokens": 128_000})
    assert stage.complete(asked).model == MODELS[provider].name
