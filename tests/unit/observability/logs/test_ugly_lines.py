"""Planted secrets and personal data, as ugly as they come, are in no line: as message, as field, and in a span."""

import json
from pathlib import Path

import pytest

from pentad.observability.logs.redact import serialize_line

_BREAK = "\u00a7"
"""Stands in the data's secrets, so that nobody who scans this repository takes them for real ones."""
PLANTED = json.loads((Path(__file__).parents[3] / "data" / "secrets" / "ugly_lines.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("one", PLANTED, ids=[one["name"] for one in PLANTED])
def test_what_was_planted_is_in_no_line(one: dict[str, str]) -> None:
    text, planted = one["text"].replace(_BREAK, ""), one["planted"].replace(_BREAK, "")
    assert planted in text
    for record in (
        {"message": text},
        {"event": "e", "detail": text},
        {"span": {"name": "chat m", "attributes": {"pentad.x": text}}},
    ):
        line = serialize_line(record)
        assert planted not in line
        assert json.dumps(planted, ensure_ascii=False)[1:-1] not in line
