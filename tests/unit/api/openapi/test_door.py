"""The document's types of OpenAI's routes are such that generators of clients make classes of all of them."""

from collections.abc import Iterator
from typing import Any

from pentad.api.openapi.door import SCHEMAS
from tests.unit.api.client import Client


def _walk(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for one in value.values():
            yield from _walk(one)
    elif isinstance(value, list):
        for one in value:
            yield from _walk(one)


def test_an_object_that_stands_beside_others_has_a_name_of_its_own() -> None:
    choices = [one[kind] for one in _walk(SCHEMAS) for kind in ("oneOf", "anyOf") if kind in one]
    assert len(choices) > 5
    assert [one for choice in choices for one in choice if one.get("properties")] == []


def test_every_reference_leads_to_a_type_of_the_document() -> None:
    document = Client()("GET", "/v1/openapi.json").json
    references = {one["$ref"] for one in _walk(document) if isinstance(one.get("$ref"), str)}
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert "#/components/schemas/ChatAllowedTools" in references
    assert references <= known
