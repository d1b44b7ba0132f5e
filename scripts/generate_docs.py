"""Bring the tables of the documentation that the code states up to date; ``--check`` only says which are not.

A table stands between ``<!-- generated: NAME -->`` and ``<!-- end -->``. Its rows and first columns come from the code;
the columns after those are written by hand in the page and kept. A row that the page lacks gets TODO there, which the
check refuses.
"""

import argparse
import ast
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "shared")]

from functions.models import gateway  # noqa: E402
from infra.orchestration.machines import loop  # noqa: E402
from pentad.api.routes import ROUTES  # noqa: E402
from pentad.domain.declarations.agents import AgentSpec  # noqa: E402
from pentad.observability.logs.schema import ALWAYS, CORRELATING, LogLine  # noqa: E402
from pentad.observability.metrics import names  # noqa: E402
from pentad.observability.metrics.table import CEILING, METRICS, MOST_TOLD_APART, compute_ceiling  # noqa: E402
from scripts import twin_tables  # noqa: E402

TODO = "TODO"
DIMENSIONS = frozenset(name for spec in METRICS.values() for name in spec.dimensions)
Row = tuple[str, ...]


class Table(NamedTuple):
    """A generated table: its page, all of its columns, and what makes the first cells of its rows."""

    page: str
    columns: Row
    rows: Callable[[], list[Row]]


def list_routes() -> list[Row]:
    """Method and path, and the scope that a credential needs."""
    return [(f"`{route.method} {re.sub('[<>]', _brace, route.path)}`", f"`{route.scope}`") for route in ROUTES]


def _brace(found: re.Match[str]) -> str:
    return "{" if found[0] == "<" else "}"


def list_metrics() -> list[Row]:
    """Name, unit, dimensions and what it tells; a test compares the dimensions with the calls."""
    return [
        (
            f"`{name}`",
            spec.unit,
            "; ".join(", ".join(sorted(one.name for one in each)) for each in spec.sets),
            spec.tells,
        )
        for name, spec in sorted(METRICS.items())
    ]


def list_most() -> list[Row]:
    """How many names a dimension tells apart, and how many metrics a stage has at most."""
    rows = [(f"`{name}`", str(most)) for name, most in MOST_TOLD_APART.items()]
    return [*rows, ("metrics of a stage", f"{compute_ceiling():,}, and never more than {CEILING:,}")]


def list_log_fields() -> list[Row]:
    """Each field of a line of the log, the kind of its value, on which lines it is, and what it says."""
    return [
        (f"`{name}`", _describe_type(field.annotation), _describe_place(name), str(field.description))
        for name, field in LogLine.model_fields.items()
    ]


def _describe_type(annotation: Any) -> str:
    said = str(annotation)
    return "object" if "SpanFields" in said or "dict" in said else "number" if "int" in said else "text"


def _describe_place(name: str) -> str:
    if name in ALWAYS:
        return "every line"
    return "where known" if name in CORRELATING else "some"


def find_dimensions() -> dict[str, set[str]]:
    """The dimensions by metric, as the calls of ``count`` in the package name them."""
    constants = {key: value for key, value in vars(names).items() if isinstance(value, str)}
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / "shared" / "pentad").rglob("*.py")):
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(function, ast.FunctionDef):
                continue
            spelled = {
                node.attr
                for node in ast.walk(function)
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "names"
            }
            for key in spelled & constants.keys():
                found.setdefault(constants[key], set()).update(_keywords(function, key))
    return found


def _keywords(function: ast.FunctionDef, key: str) -> Iterator[str]:
    """The dimensions that a function's calls with the metric ``key`` give by name."""
    for call in ast.walk(function):
        if isinstance(call, ast.Call) and any(isinstance(arg, ast.Attribute) and arg.attr == key for arg in call.args):
            yield from (word.arg for word in call.keywords if word.arg in DIMENSIONS)


def _define() -> dict[str, Any]:
    spec = AgentSpec.model_validate({"name": "any", "description": "Any agent.", "prompt": "Any prompt."})
    return loop.build_definition(
        spec,
        recall="functions.memory.recall",
        think="functions.models.gateway",
        await_human="functions.orchestration.await_human",
        deliver="functions.orchestration.deliver",
        run_tool="functions.orchestration.run_tool",
        tools={},
        seconds=dict.fromkeys(("recall", "think", "await_human", "deliver", "run_tool"), 30),
    )


def list_payloads() -> list[Row]:
    """Each task of an agent's state machine: what it calls, with which fields."""
    states = _define()["States"]
    return [(f"`{name}`", _describe_call(state), _payload(state["Arguments"])) for name, state in _tasks(states)]


def _tasks(states: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, state in states.items():
        if state["Type"] == "Task":
            yield name, state
        elif state["Type"] == "Map":
            inner = state["ItemProcessor"]["States"].items()
            yield from ((f"{name}, {step}", one) for step, one in inner)


def _describe_call(state: dict[str, Any]) -> str:
    called = str(state["Arguments"].get("FunctionName", ""))
    return f"`{called}`" if called else f"`{state['Resource'].rpartition(':::')[2]}`"


def _payload(arguments: dict[str, Any]) -> str:
    if "Payload" not in arguments:
        given = arguments.get("Input", arguments)
        return f"`{{{', '.join(given)}}}`"
    always, _, sometimes = str(arguments["Payload"]).partition("$exists")
    fields = [
        f'op: "{value[1:-1]}"' if key == "op" else key for key, value in re.findall(r"'(\w+)': ('\w+'|[$\w.]+)", always)
    ]
    fields += [f"{key}?" for key, _ in re.findall(r"'(\w+)': ('\w+'|[$\w.]+)", sometimes)]
    return f"`{{{', '.join(fields)}}}`"


def list_gateway_calls() -> list[Row]:
    """The operations of the gateway's function but `think`: what each receives, a field with a default as `field?`."""
    calls = (gateway.TaskCall, gateway.BeginCall, gateway.Embed, gateway.Complete, gateway.DrillCall)
    return [(f"`{get_args(call.model_fields['op'].annotation)[0]}`", _list_fields(call)) for call in calls]


def _list_fields(model: type[BaseModel]) -> str:
    given = (
        f"{field.alias or name}{'' if field.is_required() else '?'}"
        for name, field in model.model_fields.items()
        if name != "op"
    )
    return f"`{{{', '.join(given)}}}`"


def list_variables() -> list[Row]:
    """The variables that the states of an agent's machine assign."""
    assigned: dict[str, list[str]] = {}
    for name, state in _define()["States"].items():
        for variable in state.get("Assign", {}):
            assigned.setdefault(variable, []).append(name)
    return [(f"`${variable}`", ", ".join(by)) for variable, by in assigned.items()]


TABLES = {
    "payloads": Table("docs/architecture.md", ("state", "calls", "with", "returns"), list_payloads),
    "gateway's other calls": Table("docs/architecture.md", ("operation", "receives", "returns"), list_gateway_calls),
    "variables": Table("docs/architecture.md", ("variable", "assigned by", "is"), list_variables),
    "routes": Table("docs/api.md", ("route", "scope", "does"), list_routes),
    "log fields": Table("docs/logs.md", ("field", "kind", "on", "is"), list_log_fields),
    "metrics": Table("docs/layers/observability.md", ("metric", "unit", "dimensions", "is"), list_metrics),
    "ceiling": Table("docs/layers/observability.md", ("of", "at most"), list_most),
    "resource types": Table("twin/README.md", ("service", "resource types"), twin_tables.list_resource_types),
    "limits": Table("twin/README.md", ("service", "limit", "is"), twin_tables.list_limits),
    "bounds": Table(
        "twin/README.md",
        ("server", "connections", "head, bytes", "body, bytes", "arrival, s", "silence, s"),
        twin_tables.list_bounds,
    ),
    "missing": Table(
        "twin/README.md", ("service", "operations that nobody answers", "and of others"), twin_tables.list_missing
    ),
    "recordings": Table(
        "twin/README.md", ("feature", "recorded", "equal", "differ", "not run", "why"), twin_tables.list_recordings
    ),
}


def render(table: Table, before: str) -> str:
    """Return the table's text.

    Args:
        table: which.
        before: what stands in the page, whose other columns are kept.
    """
    width = len(table.columns)
    written = {cells[0]: cells for line in before.splitlines() if len(cells := split_row(line)) == width}
    rows = [(*row, *written.get(row[0], [TODO] * width)[len(row) :]) for row in table.rows()]
    lines = [f"| {' | '.join(cells)} |" for cells in (table.columns, *rows)]
    return "\n".join([lines[0], "|---" * width + "|", *lines[1:], ""])


def split_row(line: str) -> list[str]:
    """The cells of a table's row; a bar within a cell has a backslash before it."""
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]


def update(name: str) -> tuple[Path, str, str]:
    """Return a table's page, its text as it is, and as it should be."""
    table = TABLES[name]
    page = ROOT / table.page
    text = page.read_text(encoding="utf-8")
    start, end = f"<!-- generated: {name} -->\n\n", "\n<!-- end -->"
    head, _, rest = text.partition(start)
    before, _, tail = rest.partition(end)
    return page, text, f"{head}{start}{render(table, before)}{end}{tail}"


def find_stale() -> list[str]:
    """The tables that do not say what the code says, or lack a word for a row."""
    return [name for name in TABLES if (found := update(name))[1] != found[2] or f"| {TODO} |" in found[2]]


def main() -> int:
    """Write the tables, or check them; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a table is not up to date")
    if not parser.parse_args().check:
        for name in TABLES:
            page, _, text = update(name)
            page.write_text(text, encoding="utf-8")
    stale = find_stale()
    for name in stale:
        sys.stderr.write(f"{TABLES[name].page}: the table '{name}' is out of date: run make docs and fill in {TODO}\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
