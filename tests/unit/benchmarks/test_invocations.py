"""A request belongs to the invocation during which it was made."""

from benchmarks.invocations import Repeat, invocation_of, repeated_reads
from tests.unit.benchmarks.builders import report, request

ROLES = {"role": "pentad-dev-gateway"}
REPORTS = [report("pentad-dev-gateway", 100), report("pentad-dev-gateway", 200), report("pentad-dev-recall", 205)]


def test_a_request_belongs_to_the_newest_invocation_of_its_function() -> None:
    assert invocation_of(request("role", 210), "pentad-dev-gateway", REPORTS) == "pentad-dev-gateway@200"


def test_a_request_before_any_invocation_belongs_to_none() -> None:
    assert invocation_of(request("role", 50), "pentad-dev-gateway", REPORTS) is None


def test_the_same_item_read_twice_in_one_invocation_is_told() -> None:
    seen = [request("role", 101), request("role", 105), request("role", 106, sk="STEP#1")]
    assert repeated_reads(seen, REPORTS, ROLES) == [Repeat("gateway", "GetItem", "run", 2)]


def test_the_same_item_read_by_two_invocations_is_not_told() -> None:
    assert repeated_reads([request("role", 101), request("role", 201)], REPORTS, ROLES) == []


def test_writes_are_no_reads() -> None:
    seen = [request("role", 101, "UpdateItem"), request("role", 105, "UpdateItem")]
    assert repeated_reads(seen, REPORTS, ROLES) == []
