"""The conventions in the code are those of the table that was read; and spans that break them are refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from pentad.observability.spans.conventions import CONTENT, OPERATIONS, TYPES, check_span
from tests.log_lines import find_span_faults

TABLE = json.loads((Path(__file__).parents[3] / "data/genai-conventions.json").read_text())["spans"]
CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "anthropic",
    "gen_ai.request.model": "m-1",
    "gen_ai.usage.input_tokens": 7,
    "gen_ai.response.finish_reasons": ("stop",),
    "pentad.cost.nanousd": 12,
}


def test_operations_names_and_kinds_are_the_tables() -> None:
    for operation in ("chat", "embeddings", "retrieval", "execute_tool", "invoke_agent"):
        rule, row = OPERATIONS[operation], TABLE[operation]
        assert row["operation"] == operation
        assert row["name"] == f"{operation} {{{rule.named_by}}}"
        if "kind" in row:
            assert rule.kinds == {word for word in ("CLIENT", "INTERNAL") if word in row["kind"]}
        assert set(row.get("required", [])) - {"gen_ai.operation.name"} == set(rule.required)
    assert {one for one in OPERATIONS if one.endswith("_memory")} == {
        one for one in TABLE["memory"]["operations"] if one.endswith("_memory")
    }


def test_attributes_are_of_the_table_and_content_is_what_it_calls_opt_in() -> None:
    chat = TABLE["chat"]
    listed = {name for level in ("required", "conditional", "recommended") for name in chat[level]}
    assert listed <= set(TYPES)
    assert {*chat["opt_in"], *TABLE["execute_tool"]["opt_in"]} == CONTENT


def test_a_span_as_the_conventions_have_it_passes() -> None:
    check_span("chat m-1", "CLIENT", CHAT)


@pytest.mark.parametrize(
    ("name", "kind", "more"),
    [
        ("chat", "CLIENT", {}),
        ("chat m-2", "CLIENT", {}),
        ("chat m-1", "INTERNAL", {}),
        ("chat m-1", "CLIENT", {"gen_ai.usage.input_tokens": "7"}),
        ("chat m-1", "CLIENT", {"gen_ai.usage.input_tokens": True}),
        ("chat m-1", "CLIENT", {"gen_ai.usage.input_tokens": 7.0}),
        ("chat m-1", "CLIENT", {"gen_ai.response.finish_reasons": "stop"}),
        ("chat m-1", "CLIENT", {"gen_ai.usage.cache_creation.input_tokens": 1}),
        ("chat m-1", "CLIENT", {"gen_ai.output.messages": "what was said"}),
        ("chat m-1", "CLIENT", {"gen_ai.operation.name": "talk"}),
        ("chat m-1", "CLIENT", {"gen_ai.operation.name": None}),
        ("chat m-1", "CLIENT", {"gen_ai.provider.name": None}),
    ],
)
def test_any_other_is_refused(name: str, kind: str, more: dict[str, Any]) -> None:
    attributes = {key: value for key, value in (CHAT | more).items() if value is not None}
    with pytest.raises(ValueError, match="chat"):
        check_span(name, kind, attributes)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({}, None),
        ({"name": "chat other"}, "has to be named"),
        ({"kind": "INTERNAL"}, "is of the kind"),
        ({"status": "ERROR"}, "is ERROR, with the error None"),
        ({"attributes": {**CHAT, "error.type": "timeout"}}, "is OK, with the error timeout"),
        ({"attributes": {**CHAT, "gen_ai.response.finish_reasons": ["stop"]}}, None),
        ({"attributes": {**CHAT, "gen_ai.usage.input_tokens": "7"}}, "has to be a whole number"),
    ],
)
def test_a_span_in_a_line_of_a_log_is_held_against_them(change: dict[str, Any], fault: str | None) -> None:
    span = {"name": "chat m-1", "kind": "CLIENT", "status": "OK", "attributes": CHAT} | change
    found = find_span_faults(json.dumps({"message": "chat m-1", "span": span}))
    assert len(found) == (fault is not None) and (fault is None or fault in found[0])
    assert find_span_faults("START RequestId: 7") == find_span_faults('{"event": "x"}') == []
