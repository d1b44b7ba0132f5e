"""The terminal shows what there is: text from outside neither acts nor passes for a line of ours."""

import json
from io import StringIO

import pytest
from rich.console import Console, Group
from rich.text import Text

from pentad.cli.screen import Grid, Quoted, Screen, build_line, build_styled, choose_verb, format_count

# What a terminal obeys, hides or turns round, with what is shown in its place.
HOSTILE = {
    "\x1b[8mhidden\x1b[0m": "\\u001b[8mhidden\\u001b[0m",
    "\x9b2J": "\\u009b2J",
    "a\rb": "a\\rb",
    "\u202eboB\u202c": "\\u202eboB\\u202c",
    "z\u200bw": "z\\u200bw",
    "\U000e0070": "\\udb40\\udc70",
}


@pytest.fixture
def screen() -> Screen:
    return Screen(width=60)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_nothing_that_a_terminal_obeys_is_printed(
    hostile: str, screen: Screen, capsys: pytest.CaptureFixture[str]
) -> None:
    grid = Grid("heading")
    grid.add_row(hostile)
    screen.print(hostile)
    screen.print(build_line("[bold]{it}[/]", it=hostile))
    screen.print(grid)
    screen.print(Quoted(hostile))
    screen.print_text(hostile)
    screen.print_json({hostile: hostile})
    screen.print(Group(Text(hostile), Text(hostile)))  # made by nobody of ours
    shown = capsys.readouterr().out
    assert shown.count(HOSTILE[hostile]) >= 7  # rich itself drops some from the last two
    assert shown.isascii() or "│" in shown
    assert not [one for one in shown if one != "\n" and (one < " " or "\x7e" < one < "\xa0")]


def test_a_string_is_one_plain_line(screen: Screen, capsys: pytest.CaptureFixture[str]) -> None:
    screen.print("one [red]two[/]\nthree :smile:")
    assert capsys.readouterr().out == "one [red]two[/]\\nthree :smile:\n"


def test_what_is_not_for_a_terminal_stays_on_its_line(screen: Screen, capsys: pytest.CaptureFixture[str]) -> None:
    long = "/a/folder " * 20
    screen.print(long.rstrip())
    screen.print(build_line("[bold]{it}[/]", it=long.rstrip()))
    screen.print_text(f"{long.rstrip()}\nnext")
    assert capsys.readouterr().out.splitlines() == [long.rstrip()] * 3 + ["next"]


def test_what_is_put_into_a_line_is_neither_markup_nor_a_template() -> None:
    line = build_line("[bold]{name}[/] is {state}", name="[/] \\[red] {state} \\", state=build_styled("on\n", "green"))
    assert line.plain == "[/] \\[red] {state} \\ is on\\n"
    assert [(line.plain[span.start : span.end], str(span.style)) for span in line.spans] == [
        ("[/] \\[red] {state} \\", "bold"),
        ("on\\n", "green"),
    ]


def test_a_name_without_a_value_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        build_line("{nobody}")


def test_a_cell_is_one_line_so_that_it_is_no_row(screen: Screen, capsys: pytest.CaptureFixture[str]) -> None:
    grid = Grid("tool", "state")
    grid.add_row("notes\npay", "on")
    screen.print(grid)
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [["tool", "state"], ["notes\\npay", "on"]]


def draw(grid: Grid, width: int | None) -> list[str]:
    """Return the lines of a table as a terminal of a width shows it; None is a file."""
    console = Console(file=StringIO(), force_terminal=width is not None, width=width or 60, color_system=None)
    console.print(grid, crop=width is not None)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]


RUNS = [
    (f"run_{'7' * 26}", "order-desk", "succeeded", "12-01 05:50:57", "1,465", "$0.00371766", reason)
    for reason in ("", "slow")
]


@pytest.mark.parametrize("width", [30, 40, 60, 80, 100, None])
def test_no_cell_of_a_table_is_cut_off_however_narrow_the_terminal_is(width: int | None) -> None:
    grid = Grid("run", "agent", "status", "created", "tokens", "cost", "reason")
    for run in RUNS:
        grid.add_row(*run)
    lines = draw(grid, width)
    assert all(len(line) <= (width or 200) for line in lines)
    words = " ".join(lines).split()
    if width != 30:  # where no id has room it is broken, and whole
        assert [word for run in RUNS for cell in run for word in cell.split()] == words[7:]
    assert "".join(words).count("".join(RUNS[0][0])) == 2
    assert len(lines) == 3 or (width or 200) <= 80


def test_a_row_that_has_no_room_goes_on_below_and_has_no_empty_line() -> None:
    grid = Grid("run", "agent", "cost", "reason")
    for run in RUNS:
        grid.add_row(run[0], run[1], run[5], run[6])
    assert draw(grid, 45) == [
        "run                             agent",
        "    cost         reason",
        f"{RUNS[0][0]}  order-desk",
        "    $0.00371766",
        f"{RUNS[0][0]}  order-desk",
        "    $0.00371766  slow",
    ]


def test_words_are_wrapped_before_a_row_is_parted() -> None:
    grid = Grid("fact", "said")
    grid.add_row("likes long walks by the sea", "12-01 05:50")
    assert draw(grid, 32) == ["fact                 said", "likes long walks by  12-01 05:50", "the sea"]


@pytest.mark.parametrize("exact", [True, False])
def test_each_line_of_a_quoted_text_stands_behind_the_bar_however_long_it_is(
    exact: bool, screen: Screen, capsys: pytest.CaptureFixture[str]
) -> None:
    screen.print(Quoted(f"one{' ' * 200}call 2 of 2: notes\n\ncall 3 of 3: pay {'x' * 300}", exact=exact))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 8
    assert all(line.startswith("  │ ") for line in lines)
    assert all(len(line) <= 60 for line in lines)


def test_a_quoted_value_keeps_every_character(screen: Screen, capsys: pytest.CaptureFixture[str]) -> None:
    value = f"a{' ' * 130}b {'日本' * 40} c"
    screen.print(Quoted(value, exact=True))
    assert "".join(line[4:] for line in capsys.readouterr().out.split("\n")) == value


def test_printed_json_is_the_value(screen: Screen, capsys: pytest.CaptureFixture[str]) -> None:
    value = {"a": ["\x1b[2J\u202e", "é", 1, None, "x" * 500]}
    screen.print_json(value)
    assert json.loads(capsys.readouterr().out) == value


@pytest.mark.parametrize(
    ("count", "word", "shown"),
    [
        (1, "chunk", "1 chunk"),
        (0, "chunk", "0 chunks"),
        (1_234, "entry", "1,234 entries"),
        (2, "policy", "2 policies"),
        (2, "key", "2 keys"),
        (2, "alias", "2 aliases"),
        (1, "alias", "1 alias"),
        (2, "batch", "2 batches"),
    ],
)
def test_one_is_counted_as_one(count: int, word: str, shown: str) -> None:
    assert format_count(count, word) == shown


@pytest.mark.parametrize(("count", "of", "verb"), [(1, None, "is"), (0, None, "are"), (2, 3, "are"), (0, 1, "is")])
def test_a_verb_agrees_with_how_many_there_are(count: int, of: int | None, verb: str) -> None:
    assert choose_verb(count, "is", "are", of=of) == verb
