"""All figures are in the tables."""

from io import StringIO

from rich.console import Console

from benchmarks.gateway.field import BY_NAME
from benchmarks.gateway.figures import per_call, rates
from benchmarks.gateway.loads import Load
from benchmarks.gateway.tables import show
from benchmarks.timing import Spread


def test_a_contender_is_shown_with_its_ratio_and_baseline() -> None:
    entries = [BY_NAME["anthropic"], BY_NAME["pentad"]]
    rounds = {"anthropic": [[1.0]], "pentad": [[1.25]]}
    out = StringIO()
    speeds = rates(entries, {"anthropic": [800.0], "pentad": [640.0]})
    console = Console(file=out, width=80)
    show(console, per_call(entries, rounds, rounds), speeds, [Load("LiteLLM", Spread(1, 2, 3, 3), 2896)])
    [line, *_] = [line for line in out.getvalue().splitlines() if "Pentad, an agent's turn" in line]
    assert "(Anthropic SDK)" in line
    assert "1.25 / 1.25 / 1.25" in line
    assert "640" in out.getvalue()
    assert "2,896" in out.getvalue()
