"""Which versions there are, which are in use, and deleting those that are not."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from pentad.cli.versions import Versions
from tests.twin.update.assembly import CANARY, MACHINE, write
from tests.twin.update.test_update import start, token
from twin.running.options import TwinOptions
from twin.running.twin import Twin

pytestmark = [pytest.mark.twin, pytest.mark.xdist_group("twin-update")]

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:say"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return write(tmp_path / "cdk.out", "first", 1)


@pytest.fixture
def twin(out: Path, tmp_path: Path) -> Iterator[Twin]:
    with Twin.start(out, tmp_path / ".pentad", options=TwinOptions(vector_dimension=8)) as running:
        yield running


@pytest.fixture
def versions(twin: Twin) -> Versions:
    return Versions(twin.get_admin_client("stepfunctions"), twin.get_admin_client("lambda"), "say")


def test_versions_tell_their_share_of_new_runs_and_whether_runs_are_in_flight(
    twin: Twin, versions: Versions, out: Path
) -> None:
    start(twin, waits=True)
    token(twin)
    twin.updates.update(write(out, "second", 2, preference=CANARY), hold=True)
    found = [(one.machine, one.number, one.weight, one.running) for one in versions.list_versions()]
    assert found == [("say", 2, 20, False), ("say", 1, 80, True)]


def test_what_is_pruned_is_what_nothing_uses(twin: Twin, versions: Versions, out: Path) -> None:
    twin.updates.update(write(out, "second", 2))
    start(twin, waits=True)
    token(twin)
    for number, word in enumerate(("third", "fourth"), start=3):
        twin.updates.update(write(out, word, number))
    machines = versions.find_unused_machines(keep=1)
    functions = versions.find_unused_functions(without=machines)
    # The second has a run in flight, the fourth is what new runs get.
    assert [one.number for one in machines] == [3, 1]
    assert functions == [f"{FUNCTION}:1", f"{FUNCTION}:3"]
    versions.delete(machines, functions)
    assert [one.number for one in versions.list_versions()] == [4, 2]
    assert versions.find_unused_functions(without=[]) == []
    # A later version has a number of its own.
    twin.updates.update(write(out, "fifth", 5))
    assert [one.number for one in versions.list_versions()] == [5, 4, 2]


def test_so_many_versions_stay_for_a_way_back(twin: Twin, versions: Versions, out: Path) -> None:
    for number, word in enumerate(("second", "third"), start=2):
        twin.updates.update(write(out, word, number))
    assert [one.number for one in versions.find_unused_machines(keep=2)] == [1]
    assert versions.find_unused_machines(keep=3) == []


def test_a_version_that_an_alias_leads_to_cannot_be_deleted(twin: Twin) -> None:
    client = twin.get_admin_client("stepfunctions")
    with pytest.raises(ClientError, match="ConflictException"):
        client.delete_state_machine_version(stateMachineVersionArn=f"{MACHINE}:1")
