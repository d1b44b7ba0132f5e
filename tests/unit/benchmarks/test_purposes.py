"""What a request is for is said by its kinds of items where nobody has said it of the request itself."""

import pytest

from benchmarks.purposes import purpose
from benchmarks.requests import Row


@pytest.mark.parametrize(
    ("operation", "items", "told"),
    [
        ("GetItem", "session head", "the session's epoch, and the version that the append is checked against"),
        ("Query", "circuit", "which models are out of order; kept for a while"),
        ("BatchGetItem", "switch, tool's health", "is anything switched off; kept for a while; is a tool out of order"),
        (
            "PutItem",
            "model attempt, spend",
            "the ledger: one entry for each attempt at a provider, embeddings too; "
            "counts what was spent, for the reports",
        ),
        ("Query", "record", "?"),
        ("Query", "record, spend", "?; counts what was spent, for the reports"),
    ],
)
def test_each_kind_says_what_it_is_asked_for(operation: str, items: str, told: str) -> None:
    assert purpose(Row("gateway", operation, "state", items, 1)) == told
