"""What an approver sees is what runs: each call whole, and nothing beside the calls that looks like one."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from pentad.cli.client import ApiClient
from pentad.cli.commands.runs.runs import wait_for_run
from pentad.cli.screen import Screen
from pentad.cli.show import (
    MOST_SHOWN,
    count_not_shown,
    print_run,
    render_approval,
    render_context,
    render_waterfall,
)

Json = dict[str, Any]
WIDTH = 80


def make_view(*calls: Json, text: str | None = None, **changes: Any) -> Json:
    view = {
        "approval": "apr_1",
        "kind": "calls",
        "agent": "clerk",
        "run_id": "run_1",
        "status": "pending",
        "group": "leads",
        "expires_at": "2026-11-29T20:00:00Z",
        "quorum": 1,
        "votes": [],
        "confidence": None,
        "text": text,
        "calls": [{"tool": "pay", "index": index, "edited": False} | call for index, call in enumerate(calls)],
    }
    return view | changes


def show(view: Json, capsys: pytest.CaptureFixture[str]) -> list[str]:
    Screen(width=WIDTH).print(render_approval(view))
    return capsys.readouterr().out.splitlines()


def read_back(lines: list[str]) -> list[Any]:
    """Return the arguments that the lines behind the bars say, one for each call."""
    said: list[str] = []
    for line in lines:
        if line.startswith("  call "):
            said.append("")
        elif line.startswith("  │ ") and said:
            said[-1] += line[4:]
    return [json.loads(one) for one in said]


@pytest.mark.parametrize(
    "arguments",
    [
        {"to": "Bob", "amount": 5},
        {"to": "Bob\x1b[8m and 5,000 to Eve\x1b[0m", "memo": "\x1b[1A\x1b[2K"},
        {"memo": "5 euros\n  call 2 of 2: notes, 12 characters\n  │ {}\n\nApprove? [y/N] y"},
        {"to": "\u202eeve\u202c", "x": "\u2066\u2069"},
        {"to": "B\u200bo\u200db\ufeff", "joined": "\u0915\u094d\u200d\u0937"},
        {"memo": "".join(chr(0xE0000 + ord(letter)) for letter in "pay Eve instead")},
        {"memo": "[/][bold]markup[/] [link=https://evil]click[/link] :warning:"},
        {'"}\n  call 2': {"deep": [{"er": [{"est": [None, True, 1.5, "\u2028"]}]}]}},
        {"spaces": f"5{' ' * 500}000", "nbsp": "Bob\u00a0", "wide": "日本語" * 60},
        {"quote": '", "to": "Eve', "slash": "\\u202e \\n"},
    ],
)
def test_a_call_is_shown_so_that_it_can_be_read_back(arguments: Json, capsys: pytest.CaptureFixture[str]) -> None:
    lines = show(make_view({"arguments": arguments}), capsys)
    assert read_back(lines) == [arguments]
    assert sum(line.startswith("  call ") for line in lines) == 1
    assert all(len(line) <= WIDTH for line in lines)
    assert not [one for line in lines for one in line if one < " " or "\u200b" <= one <= "\u202e" or one > "\uffff"]


def test_fifty_calls_are_each_shown_whole_and_counted_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    calls = [{"arguments": {"to": f"n{number}", "memo": "x\n" * 20}} for number in range(49)]
    lines = show(make_view(*calls, {"tool": "notes\x1b[2J", "arguments": {"text": "last"}}), capsys)
    assert read_back(lines) == [*(call["arguments"] for call in calls), {"text": "last"}]
    assert sum(line.startswith("  call ") for line in lines) == 50
    assert lines[-1] == "  50 calls: pay x 49, notes\\u001b[2J x 1"


def test_a_value_that_is_too_long_is_cut_and_says_by_how_much(capsys: pytest.CaptureFixture[str]) -> None:
    view = make_view({"arguments": {"memo": "x" * (MOST_SHOWN + 5_000)}}, {"arguments": {"to": "Bob"}})
    lines = show(view, capsys)
    left = count_not_shown(view)
    assert 5_000 < left < 5_100
    assert f"  {left:,} more characters are not shown: --json has them" in lines
    shown = "".join(line[4:] for line in lines if line.startswith("  │ ")).replace(" ", "")
    assert shown.count("x") == MOST_SHOWN - len('{\n  "memo": "')
    assert "  call 2 of 2: pay, 17 characters" in lines


def test_how_long_a_value_is_and_how_much_of_it_is_hidden_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    lines = show(make_view({"arguments": {"to": "a\u202eb\x1b"}, "edited": True}), capsys)
    assert "  call 1 of 1: pay (edited), 28 characters, 2 hidden: see \\u" in lines


def test_a_draft_keeps_its_lines_and_none_of_them_passes_for_ours(capsys: pytest.CaptureFixture[str]) -> None:
    lines = show(make_view(text="Dear Bob,\n  call 1 of 1: pay\n\x1b[2Jyours"), capsys)
    assert lines[2:] == [
        "  text, 38 characters, 1 hidden: see \\u",
        "  │ Dear Bob,",
        "  │   call 1 of 1: pay",
        "  │ \\u001b[2Jyours",
    ]


def test_names_of_the_approval_are_lines_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    view = make_view(status="rejected", decided_by="ann\n  call 1 of 1: pay", reason="no\x1b[8m", agent="a\nb")
    lines = show(view, capsys)
    assert len(lines) == 2
    assert "a\\nb" in lines[0]
    assert lines[1] == "  rejected by ann\\n  call 1 of 1: pay: no\\u001b[8m"


def test_an_answer_is_printed_as_it_is_but_for_what_acts(capsys: pytest.CaptureFixture[str]) -> None:
    citation = {"marker": "[cite:k7]", "document": "a\nb.md", "title": "\x1b[2J", "start": 0, "end": 9}
    view = {
        "notices": ["slow\x1b[8m"],
        "answer": "one [cite:k7]\ntwo\x1b[2J [bold]",
        "citations": [citation, {**citation, "marker": "[cite:m2]", "page": 3}],
        "error": None,
        "stop_reason": None,
        "steps": 1,
        "tokens": 9,
        "cost": "$0",
        "session": "s1",
        "run_id": "run_1",
        "status": "succeeded",
    }
    print_run(Screen(width=WIDTH), view)
    assert capsys.readouterr().out.splitlines() == [
        "slow\\u001b[8m",
        "one [1]",
        "two\\u001b[2J [bold]",
        "  [1] a\\nb.md: \\u001b[2J (0-9)",
        "  [2] a\\nb.md: \\u001b[2J (page 3, 0-9)",
        "run_1 succeeded 1 step, 9 tokens, $0, session s1",
    ]


def test_whoever_waits_behind_a_human_is_told_so(capsys: pytest.CaptureFixture[str]) -> None:
    view: dict[str, Any] = {
        "status": "queued",
        "holding": "A human is looking at this.",
        "pending_approval": None,
        "citations": [],
        "notices": [],
        "answer": None,
        "error": None,
        "stop_reason": None,
        "steps": 0,
        "tokens": 0,
        "cost": "$0",
        "session": "s1",
        "run_id": "run_1",
    }
    assert wait_for_run(cast(ApiClient, None), view, 0) == view
    print_run(Screen(width=WIDTH), view)
    assert "A human is looking at this." in capsys.readouterr().out


def make_trace(*spans: tuple[str, int, int]) -> Json:
    """A trace of spans: name, depth and milliseconds, all from the same moment on."""
    begin = datetime(2026, 11, 30, tzinfo=UTC)
    return {
        "spans": [
            {
                "name": name,
                "kind": "state",
                "start": begin.isoformat(),
                "end": (begin + timedelta(milliseconds=took)).isoformat(),
                "duration_ms": took,
                "depth": depth,
                "attributes": {"model": "claude-sonnet-5-5", "tokens": 4711},
            }
            for name, depth, took in spans
        ]
    }


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_a_waterfall_fits_the_terminal_and_cuts_no_time(width: int, capsys: pytest.CaptureFixture[str]) -> None:
    names = [
        ("run_01m81j18g0zz4zjt3f83r06ysa", 0, 133_812),
        ("specialised-research-agent-with-a-long-name", 3, 86_400_000),
    ]
    Screen(width=width).print(render_waterfall(make_trace(*names, ("Think", 1, 7)), width))
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= width
    for line, took in zip(lines[1:], ["133,812", "86,400,000", "7"], strict=True):
        assert took in line.split()
        assert "█" in line


def test_a_run_without_spans_is_an_empty_waterfall(capsys: pytest.CaptureFixture[str]) -> None:
    Screen(width=80).print(render_waterfall({"spans": []}, 80))
    assert capsys.readouterr().out.split() == ["span", "ms", "details"]


def test_a_context_shows_each_piece_with_why_and_what_stands_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    source = {"name": "s1#0.0", "tokens": 12, "score": 4.25, "signal": "words"}
    turns = {"count": 1, "tokens": 12, "left_out": 3, "signals": {"cosine": 0.61}, "sources": [source]}
    question = {"count": 1, "tokens": 1_234, "left_out": 0, "signals": {}, "sources": []}
    pieces = [
        {"kind": "turns", "reason": "several parts", **turns},
        {"kind": "question", "reason": "what is asked\x1b[31m", **question},
    ]
    screen = Screen(width=120)
    for part in render_context({"estimated_tokens": 1_246, "pieces": pieces}):
        screen.print(part)
    shown = capsys.readouterr().out
    assert ["turns", "1", "12", "3", "cosine=0.61", "several", "parts"] in [line.split() for line in shown.splitlines()]
    assert "turns s1#0.0: 12 tokens, score 4.250 (words)" in shown
    assert "1,246 tokens of messages, estimated" in shown
    assert "\x1b[31m" not in shown


def test_a_run_without_a_context_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    for part in render_context(None):
        Screen(width=80).print(part)
    assert "has no context" in capsys.readouterr().out


def test_a_call_says_why_it_asks_and_what_of_it_came_from_outside_on_lines_of_their_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = {"path": "to", "text": "x@evil.example\n  │ {}\x1b[2J[bold]", "source": "tool:web"}
    call = {"arguments": {"to": "x@evil.example"}, "reasons": ["'amount' is over 50."], "outside": [found]}
    lines = show(make_view(call), capsys)
    assert "  asks: 'amount' is over 50." in lines
    text = "".join(lines)
    assert "'to' has words of tool:web" in text
    assert "\x1b" not in text
    assert read_back(lines) == [{"to": "x@evil.example"}]


def test_a_draft_names_its_words_with_letters_that_pass_for_others(capsys: pytest.CaptureFixture[str]) -> None:
    lines = show(make_view(text="Pay to p\u0430yp\u0430l today. Привет, Анна."), capsys)
    assert any("2 letters pass for others" in line for line in lines)
    assert "  'p\u0430yp\u0430l' is written p\\u0430yp\\u0430l" in lines
    assert not any("Привет" in line and "is written" in line for line in lines)
    plain = show(make_view(text="Pay to paypal today. Привет, Анна."), capsys)
    assert not any("is written" in line or "pass for" in line for line in plain)
