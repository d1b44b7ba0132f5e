"""The benchmark of what observing costs: its parts are what they say, and its promises are of counts."""

from benchmarks.observability import Imported, Turn, measure_turns, promise


def test_each_part_writes_its_own_lines_and_nothing_else() -> None:
    turns = {one.parts: one for one in measure_turns(1, 1)}
    assert (turns["nothing"].bytes, turns["nothing"].lines) == (0, 0)
    parts = [turns[name] for name in ("logs", "metrics", "spans")]
    assert all(one.lines > 0 for one in parts)
    whole = turns["all"]
    assert whole.lines == sum(one.lines for one in parts)
    assert whole.bytes == sum(one.bytes for one in parts)


def test_a_turn_that_writes_too_much_breaks_the_promise() -> None:
    imported = [Imported("without", 4, 1, 1), Imported("with", 30, 9, 9)]
    kept = promise([Turn("all", 900, 5_000, 12)], imported)
    assert [one.kept for one in kept] == [True, True, True]
    broken = promise([Turn("all", 900, 50_000, 90)], [imported[0], Imported("with", 900, 9, 9)])
    assert [one.kept for one in broken] == [False, False, False]
