"""Saved queries ask for fields that lines have, of functions that there are; each is named in a runbook."""

import re
from pathlib import Path
from typing import Any

import pytest

from infra.observability.queries import QUERIES
from pentad.observability.logs.schema import LogLine, SpanFields

Json = dict[str, Any]
_COMMANDS = re.compile(r"^(?:fields|filter|stats|sort|limit) ")
_WORDS = frozenset(
    "fields filter stats sort limit like in by as asc desc and or not".split()
    + "count sum avg max pct latest bin ispresent".split()
)


@pytest.fixture
def saved(resources: list[tuple[str, Json]]) -> list[Json]:
    return [body["Properties"] for _, body in resources if body["Type"] == "AWS::Logs::QueryDefinition"]


def test_each_query_is_in_the_stack_with_the_functions_logs(saved: list[Json], functions: dict[str, Json]) -> None:
    assert {one["Name"] for one in saved} == {f"pentad-dev/{one.name}" for one in QUERIES}
    for one in saved:
        assert set(one["LogGroupNames"]) <= {f"/aws/lambda/{name}" for name in functions}
        assert {"/aws/lambda/pentad-dev-gateway", "/aws/lambda/pentad-dev-deliver"} <= set(one["LogGroupNames"])
        assert len(one["LogGroupNames"]) <= 50 and len(one["QueryString"]) <= 10_000
        first, *rest = one["QueryString"].splitlines()
        assert first.startswith("# ") and first.endswith("?")
        assert all(line.startswith("| ") for line in rest[1:])


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_every_field_of_a_query_is_one_of_the_schema(query: Any) -> None:
    assert all(_COMMANDS.match(line) for line in query.lines)
    text = re.sub(r'"[^"]*"|(?<=like )/[^/]*/', "", "\n".join(query.lines))
    named = set(re.findall(r"\bas ([a-z0-9]+)", text))
    used = {one for one in re.findall(r"(?<![@\w.])[a-z_][a-z_0-9]*(?:\.[a-z_]+)*", text) if one not in _WORDS} - named
    # An attribute's own name has dots, too; which there are, the tests of spans know.
    used = {"span.attributes" if one.startswith("span.attributes.pentad.") else one for one in used}
    known = set(LogLine.model_fields) | {f"span.{name}" for name in SpanFields.model_fields}
    assert not used - known
    assert used & known or "@message" in text


def test_every_query_is_named_in_a_runbook(root: Path) -> None:
    told = "".join(page.read_text(encoding="utf-8") for page in (root / "docs" / "runbooks").glob("*.md"))
    assert not [one.name for one in QUERIES if f"`pentad-{{stage}}/{one.name}`" not in told]


def test_the_page_of_logs_lists_every_query(root: Path) -> None:
    page = (root / "docs" / "logs.md").read_text(encoding="utf-8")
    section = page.partition("## Saved queries")[2].partition("\n## ")[0]
    assert {one.name for one in QUERIES} == set(re.findall(r"`([a-z]+(?:-[a-z]+)+)`", section))
