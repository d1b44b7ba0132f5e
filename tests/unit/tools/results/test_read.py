"""A model reads on in a result: by lines, by bytes, by words or a pattern, and only in its own run's."""

import re
import tracemalloc
from typing import Any

import pytest

from pentad.domain.errors import InvalidInput, NotFound
from pentad.tools.results.adapters.whole_memory import MemoryWholeResults
from pentad.tools.results.handles import CallPlace, make_handle, make_key
from pentad.tools.results.read import MOST_BYTES, Reading, ReadResults, parse_query

RUN, OTHER = "run_" + "0" * 26, "run_" + "1" * 26
LOG = "".join(f"line {number} äöü value={number * 7}\n" for number in range(1, 20_001)) + "end"


def read(text: str | bytes, **asked: Any) -> str:
    store = MemoryWholeResults()
    store.put(make_key("acme", RUN, 3, 1), text.encode() if isinstance(text, str) else text)
    query = parse_query({"handle": "res"} | asked)
    return ReadResults(store).read(query, "acme", RUN, CallPlace(3, 1), lambda said: said)


def test_lines_are_read_from_where_it_is_said_and_the_answer_says_where_to_go_on() -> None:
    note, *lines = read(LOG, from_line=100, lines=3).splitlines()
    assert [line.split()[1] for line in lines] == ["100", "101", "102"]
    assert note.startswith("[lines 100 to 102, bytes ") and note.endswith("; go on with from_line=103]")


def test_following_the_notes_by_lines_reads_all_of_it() -> None:
    found, asked = "", {"from_line": 1, "lines": 2_000}
    for _ in range(40):
        note, _, text = read(LOG, **asked).partition("\n")
        found += text
        on = re.search(r"go on with (from_\w+)=(\d+)", note)
        if on is None:
            break
        asked = {on[1]: int(on[2]), ("lines" if on[1] == "from_line" else "bytes"): 2_000}
        if on[1] == "from_byte":  # within a line that did not fit: the rest of it, and then by lines again
            break
    assert LOG.startswith(found) and len(found) > MOST_BYTES // 2


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 1_000])
def test_following_the_notes_by_bytes_reads_all_of_it_and_halves_no_character(size: int) -> None:
    whole = "aü漢😀\n" * 40
    found, start = "", 0
    for _ in range(1_000):
        note, _, text = read(whole, from_byte=start, bytes=size).partition("\n")
        found += text
        on = re.search(r"from_byte=(\d+)", note)
        if on is None:
            break
        assert int(on[1]) > start
        start = int(on[1])
    assert found == whole


def test_words_are_found_in_any_case_with_the_lines_around_them() -> None:
    text = read(LOG, search="LINE 777 ", context=1)
    assert text.splitlines() == [
        "[1 lines have these words]",
        "776- line 776 äöü value=5432",
        "777: line 777 äöü value=5439",
        "778- line 778 äöü value=5446",
    ]


def test_what_words_look_like_is_no_pattern_unless_it_is_said() -> None:
    assert "no line has these words" in read("a.b\n(x)\n", search="a.c|(")
    assert "2: (x)" in read("a.b\n(x)\n", search="(x)")
    assert "1: a.b" in read("a.b\n(x)\n", search=r"a.b|\d", pattern=True)


def test_of_many_matches_the_first_are_shown_and_the_search_goes_on_from_there() -> None:
    note, *lines = read(LOG, search=r"value=\d*7\b", pattern=True).splitlines()
    on = re.search(r"\[(2,000) lines have the pattern; the first 50 are shown: go on with from_line=(\d+)\]", note)
    assert on is not None and len(lines) == 50
    assert read(LOG, search=r"value=\d*7\b", pattern=True, from_line=int(on[2])).splitlines()[1].startswith(f"{on[2]}:")


@pytest.mark.parametrize("pattern", ["(", r"(a)\1", "a{100000}", "((a{500}){500}){500}", "(?=x)"])
def test_a_pattern_that_is_none_or_too_large_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidInput, match="RE2"):
        read(LOG, search=pattern, pattern=True)


def test_a_line_of_ten_million_characters_is_searched_and_read_in_parts() -> None:
    long = "x" * 5_000_000 + "needle" + "ü" * 2_500_000 + "\nlast"
    found = read(long, search="needle")
    assert len(found) < 2_000 and "needle" in found
    place = re.search(r"\(byte (\d+)\)", found)
    assert place is not None and "needle" in read(long, from_byte=int(place[1]), bytes=1_000)
    note = read(long, from_line=1).splitlines()[0]
    assert "line 1 is cut here: go on with from_byte=48000" in note
    assert read(long, from_line=2).splitlines()[1] == "last"


def test_words_across_two_pieces_of_a_long_line_are_found_once() -> None:
    for shift in range(5):
        line = "x" * (131_072 - 3 + shift) + "needle" + "x" * 400_000
        found = read(line, search="needle").splitlines()
        assert found[0] == "[1 lines have these words]"


def test_an_answer_is_never_so_long_that_it_is_cut_in_its_turn() -> None:
    wide = ("y" * 5_000 + "\n") * 1_000
    for asked in ({"lines": 2_000}, {"from_byte": 0, "bytes": MOST_BYTES}, {"search": "y", "context": 10}):
        assert len(read(wide, **asked).encode()) < 65_000


def test_more_than_may_be_held_is_searched_without_being_held() -> None:
    block = (b"2026-11-30 12:00:00 INFO request took 12 ms; " * 10 + b"\n") * 600

    class Endless(MemoryWholeResults):
        def get_size(self, key: str) -> int:
            return len(block) * 60

        def iter_blocks(self, key: str, start: int = 0, end: int | None = None) -> Any:
            yield from (block for _ in range(60))
            yield b"needle\n"

    tracemalloc.start()
    query = parse_query({"handle": "h", "search": "needle"})
    found = ReadResults(Endless()).read(query, "acme", RUN, CallPlace(1, 0), lambda said: said)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.endswith("36001: needle") and peak < len(block) * 30


def test_bytes_that_are_no_text_are_read_all_the_same() -> None:
    assert "\ufffd" in read(b"\xff\xfe\x00abc\xc3", from_byte=0)
    assert "1: " in read(b"\xff\xfe abc \xc3\n", search="abc")


@pytest.mark.parametrize(
    ("asked", "field"), [({"from_line": 20_002}, "from_line"), ({"from_byte": 10**8}, "from_byte")]
)
def test_a_range_behind_the_end_is_refused_and_says_what_there_is(asked: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read(LOG, **asked)
    assert refused.value.field == field and "at most" in str(refused.value.fix)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"handle": ""},
        {"handle": "h", "from_line": 0},
        {"handle": "h", "from_byte": -1},
        {"handle": "h", "bytes": MOST_BYTES + 1},
        {"handle": "h", "from_byte": 1, "search": "x"},
        {"handle": "h", "search": ""},
        {"handle": "h", "run": OTHER},
    ],
)
def test_arguments_that_are_not_valid_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        parse_query(arguments)


def test_a_handle_opens_the_result_of_its_own_run_only() -> None:
    handle = make_handle("acme", RUN, 3, 1)
    assert Reading("acme", (RUN,)).find(handle) == (RUN, CallPlace(3, 1))
    for tenant, runs in (("acme", (OTHER,)), ("other", (RUN,)), ("acme", ())):
        with pytest.raises(NotFound):
            Reading(tenant, runs).find(handle)


@pytest.mark.parametrize(
    "handle", ["res_3_1_000000000000", "res_03_1_0", "../../other", "res_3_2", "", "res_3_1_" + "g" * 12]
)
def test_what_is_no_handle_of_the_run_opens_nothing(handle: str) -> None:
    with pytest.raises(NotFound):
        Reading("acme", (RUN,)).find(handle)


def test_a_step_of_a_forked_run_reads_what_that_one_kept() -> None:
    assert Reading("acme", (OTHER, RUN)).find(make_handle("acme", RUN, 3, 1)) == (RUN, CallPlace(3, 1))


def test_a_result_that_is_gone_says_what_to_do() -> None:
    with pytest.raises(NotFound) as gone:
        ReadResults(MemoryWholeResults()).read(parse_query({"handle": "h"}), "acme", RUN, CallPlace(1, 0), str)
    assert "again" in str(gone.value.fix)
