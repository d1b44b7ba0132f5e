"""Event patterns match as EventBridge's documentation says."""

from typing import Any

import pytest

from twin.pumps.events.patterns import PatternError, match_event

EVENT = {
    "source": "shop",
    "detail": {
        "name": "Order-17.PDF",
        "total": 12.5,
        "count": 0,
        "paid": True,
        "note": None,
        "empty": "",
        "tags": ["new", "gift"],
        "items": [{"sku": "a", "n": 1}, {"sku": "b", "n": 2}],
        "ip": "10.0.0.7",
        "mixed": [{"a": 1}, {"b": 2}],
        "none": [],
        "lists": [["flat"], [["deep"]]],
        "big": 5_000_000_001,
    },
}


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ({"name": ["Order-17.PDF"]}, True),
        ({"name": ["other"]}, False),
        ({"name": [{"prefix": "Order-"}]}, True),
        ({"name": [{"prefix": "order-"}]}, False),
        ({"name": [{"prefix": {"equals-ignore-case": "order-"}}]}, True),
        ({"name": [{"suffix": ".PDF"}]}, True),
        ({"name": [{"suffix": {"equals-ignore-case": ".pdf"}}]}, True),
        ({"name": [{"equals-ignore-case": "order-17.pdf"}]}, True),
        ({"name": [{"wildcard": "Order-*.PDF"}]}, True),
        ({"name": [{"wildcard": "Order-*.txt"}]}, False),
        ({"name": [{"wildcard": "Order-??.PDF"}]}, False),
        ({"name": [{"anything-but": "x"}]}, True),
        ({"name": [{"anything-but": ["x", "Order-17.PDF"]}]}, False),
        ({"name": [{"anything-but": {"prefix": "Order"}}]}, False),
        ({"name": [{"anything-but": {"suffix": [".txt", ".md"]}}]}, True),
        ({"name": [{"anything-but": {"wildcard": "*.PDF"}}]}, False),
        ({"missing": [{"anything-but": "x"}]}, False),
        ({"total": [12.5]}, True),
        ({"total": ["12.5"]}, False),
        ({"total": [{"numeric": [">", 12, "<=", 12.5]}]}, True),
        ({"total": [{"numeric": ["=", 12]}]}, False),
        ({"name": [{"numeric": [">", 0]}]}, False),
        ({"count": [0]}, True),
        ({"count": [False]}, False),
        ({"paid": [True]}, True),
        ({"paid": [1]}, False),
        ({"note": [None]}, True),
        ({"empty": [""]}, True),
        ({"note": [{"exists": True}]}, True),
        ({"missing": [{"exists": False}]}, True),
        ({"name": [{"exists": False}]}, False),
        ({"missing": {"deeper": [{"exists": False}]}}, True),
        ({"tags": ["gift"]}, True),
        ({"tags": ["old"]}, False),
        ({"items": {"sku": ["b"]}}, True),
        ({"items": {"sku": ["c"]}}, False),
        # One object of the array has all that is asked (aws/event-ruler, array consistency).
        ({"items": {"sku": ["a"], "n": [1]}}, True),
        ({"items": {"sku": ["a"], "n": [2]}}, False),
        ({"items": {"sku": ["a"], "$or": [{"n": [2]}, {"n": [3]}]}}, False),
        ({"items": {"sku": ["a"], "m": [{"exists": False}]}}, True),
        ({"items": {"sku": ["a"], "m": {"o": [{"exists": False}]}}}, True),
        ({"mixed": {"a": [1], "b": [{"exists": False}]}}, False),
        ({"none": {"a": [{"exists": False}]}}, True),
        ({"lists": ["deep"]}, True),
        ({"big": [{"numeric": [">", 1]}]}, False),
        ({"ip": [{"cidr": "10.0.0.0/24"}]}, True),
        ({"ip": [{"cidr": "10.0.1.0/24"}]}, False),
        ({"$or": [{"count": [5]}, {"paid": [True]}]}, True),
        ({"$or": [{"count": [5]}, {"paid": [False]}]}, False),
        ({"paid": [True], "$or": [{"count": [5]}, {"count": [6]}]}, False),
    ],
)
def test_detail_matches(test: dict[str, Any], expected: bool) -> None:
    assert match_event({"source": ["shop"], "detail": test}, EVENT) is expected


@pytest.mark.parametrize(
    "pattern", [{"source": "shop"}, {"source": [{"like": "x"}]}, {"source": [{"prefix": "a", "suffix": "b"}]}]
)
def test_malformed_pattern_is_refused(pattern: dict[str, Any]) -> None:
    with pytest.raises(PatternError):
        match_event(pattern, EVENT)
