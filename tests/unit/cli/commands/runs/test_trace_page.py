"""The waterfall as an HTML file: whole, escaped, and with the money of models and AWS."""

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest

from pentad.cli.commands.runs.function_use import MODEL_CALL, RUN_START, USES, FunctionUse
from pentad.cli.commands.runs.trace_costs import estimate_aws_cost
from pentad.cli.commands.runs.trace_page import render_page

START = datetime(2026, 11, 30, tzinfo=UTC)
Json = dict[str, Any]


def span(kind: str, name: str, start_ms: int, end_ms: int, depth: int = 1, **attributes: Any) -> Json:
    return {
        "kind": kind,
        "name": name,
        "start": (START + timedelta(milliseconds=start_ms)).isoformat(),
        "end": (START + timedelta(milliseconds=end_ms)).isoformat(),
        "duration_ms": end_ms - start_ms,
        "depth": depth,
        "attributes": attributes,
    }


def trace(*spans: Json, transitions: int = 4, source: str = "history") -> Json:
    return {"run_id": "run_1", "status": "succeeded", "spans": spans, "transitions": transitions, "source": source}


class Page(HTMLParser):
    """What a browser makes of the page: the tags that were opened and closed, and the words."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += f" {data}"


WHOLE = trace(
    span("run", "run_1", 0, 10_000, depth=0, cost_nanousd=5_000_000),
    span("function", "pentad-dev-gateway", 0, 2_000, outcome="error"),
    span("function", "pentad-dev-gateway", 2_000, 4_000, outcome="ok", cold_start_ms=812),
    span("model", "m-1", 2_100, 3_900, depth=2, tokens=1200, cost_nanousd=5_000_000, cached_tokens=1000, attempt=2),
    span("state", "AwaitHuman", 4_000, 9_000),
)


def test_the_page_tells_where_time_and_money_went() -> None:
    page = Page(render_page(WHOLE))
    assert not page.open
    words = page.words
    assert "1 attempt, 1,200 tokens, $0.005" in words
    assert "4 transitions $0.0001" in words
    assert "waited for humans: 5,000 ms" in words
    assert "cold starts: 1 function, 812 ms" in words
    assert "tries of functions that failed: 1" in words
    assert "cached_tokens=1000" in words
    assert "cost_nanousd=$0.005" in words


def test_bars_stand_where_their_spans_were() -> None:
    found = re.findall(r"left:([0-9.]+)%;width:([0-9.]+)%", render_page(WHOLE))
    assert [(float(left), float(width)) for left, width in found] == [
        (0, 100),
        (0, 20),
        (20, 20),
        (21, 18),
        (40, 50),
    ]


@pytest.mark.parametrize(
    "word", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "a\u202eb\x00c", "&amp;"]
)
def test_hostile_names_and_values_stay_words(word: str) -> None:
    text = render_page(trace(span("tool", word, 0, 1, status=word)))
    page = Page(text)
    assert not page.tags & {"script", "img"}
    assert not page.open
    assert "\u202e" not in text and "\x00" not in text


def test_it_needs_nothing_else_and_runs_nothing() -> None:
    text = render_page(WHOLE)
    assert "default-src 'none'" in text
    assert not re.search(r"https?://|src=|@import|url\(", text)


def test_a_run_without_spans_or_history_has_a_page() -> None:
    words = Page(render_page(trace(transitions=0, source="records"))).words
    assert "from our own records" in words
    assert "AWS itself" not in words and "DynamoDB" not in words, "nothing is known of it"


def test_aws_takes_its_listed_prices() -> None:
    cost = estimate_aws_cost(4, WHOLE["spans"])
    assert cost.transitions == 100_000
    # Two requests, and four seconds of the gateway's 1 GB.
    assert cost.functions == 2 * 200 + 4 * 13_333
    assert cost.total == cost.transitions + cost.functions + cost.dynamodb


def take_units(*uses: FunctionUse) -> int:
    return round(sum(use.read_units * 125 + use.write_units * 625 for use in uses))


def test_dynamodb_takes_the_units_of_each_function_and_of_what_it_calls() -> None:
    spans = [
        span("run", "run_1", 0, 10_000, depth=0),
        span("state", "Recall", 0, 2_000),
        span("function", "pentad-dev-recall", 0, 2_000, depth=2),
        span("model", "embed-1", 0, 1_000, depth=3),
        span("model", "embed-1", 1_000, 1_500, depth=3, attempt=2),
        span("state", "Act", 2_000, 6_000),
        span("function", "pentad-dev-run-tool", 2_000, 6_000, depth=2),
        span("tool", "weather", 2_000, 6_000, depth=3),
    ]
    cost = estimate_aws_cost(2, spans)
    used = (USES["recall"], MODEL_CALL, USES["run-tool"], RUN_START)
    assert cost.dynamodb == take_units(*used) > 0
    assert cost.requests == sum(use.requests for use in used)
    # Recall's two seconds and the runner's four of 0.5 GB, the gateway's one of 1 GB, the tool's four of 0.25 GB.
    assert cost.functions == 4 * 200 + 5 * 13_333
    assert cost.unmeasured == 0


def test_what_was_not_measured_is_told_and_not_guessed() -> None:
    asked = trace(span("function", "pentad-dev-await-human", 0, 10))
    cost = estimate_aws_cost(1, asked["spans"])
    assert (cost.unmeasured, cost.dynamodb) == (1, take_units(RUN_START))
    words = Page(render_page(asked)).words
    assert "without 1 invocation not measured" in words
    assert "DynamoDB (estimated)" in words and "not counted: the API's function" in words


def test_without_functions_no_request_is_estimated() -> None:
    assert estimate_aws_cost(0, []).requests == 0
