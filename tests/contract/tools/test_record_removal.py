"""Records of both CRMs are removed once, and each end of it is told as it is."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from pentad.domain.errors import (
    ConfigurationError,
    EffectUncertain,
    InvalidInput,
    NotFound,
    PolicyDenied,
    RecordChanged,
    ToolFailed,
    ToolThrottled,
    ToolUnavailable,
)
from pentad.tools.business.adapters.records_hubspot import HubSpotRecords
from pentad.tools.business.adapters.records_salesforce import SalesforceRecords
from pentad.tools.business.ports import RemovableRecords
from pentad.tools.business.removal import RecordRemoval
from pentad.tools.business.settings import CrmSettings, KindSettings
from tests.contract.tools.vendors.records import HubSpot, RecordVendor, Salesforce
from tests.contract.tools.vendors.server import TOKEN, Asked, Fault, PlainHttp, Reply, listen

FAULTS: dict[str, Reply | None] = {
    "500": Reply(500, b"<html>oops</html>"),
    "503": Reply(503, None, {"retry-after": "9"}),
    "hang up": None,
}


@dataclass
class World:
    """A vendor with one record, and what removes it."""

    vendor: RecordVendor
    open: Callable[[bool], RecordRemoval]
    record_id: str

    def remove(self, *, version: str | None = None, again: bool = False, record_id: str | None = None) -> str:
        done = self.open(True).remove(self.vendor.kind, record_id or self.record_id, version=version, again=again)
        assert done.fields in ({}, {self.vendor.words["name"]: "Jones"})
        return done.note or ""

    @property
    def version(self) -> str:
        """Return the version that the record has now."""
        records = self.open(True)._records
        return str(records.read(self.vendor.kind, self.record_id, (self.vendor.words["name"],)).version)

    def fail(self, method: str, reply: Reply | None, *, done: bool = False) -> None:
        self.vendor.faults.append(Fault(done, reply, method))

    def count(self, method: str) -> int:
        return sum(one.method == method for one in self.vendor.asked)


@pytest.fixture(params=["hubspot", "salesforce"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    vendor: RecordVendor = {"hubspot": HubSpot, "salesforce": Salesforce}[request.param]()
    name, http = vendor.words["name"], PlainHttp()
    with listen(vendor) as url:

        def make(allowed: bool) -> RecordRemoval:
            kinds = {vendor.kind: KindSettings(read=(name,), remove=allowed)}
            records: RemovableRecords = HubSpotRecords(http, url, token=lambda: TOKEN)
            if request.param == "salesforce":
                records = SalesforceRecords(http, url, api_version="v62.0", token=lambda: TOKEN)
            return RecordRemoval(records, CrmSettings(provider=request.param, url=url, kinds=kinds))

        yield World(vendor, make, vendor.put({name: "Jones", "email": "j@example.com"}))


def test_a_record_is_removed_and_told_as_it_stood_with_where_it_is(world: World) -> None:
    done = world.open(True).remove(world.vendor.kind, world.record_id, version=None, again=False)
    assert done.fields == {world.vendor.words["name"]: "Jones"}
    assert "a human can restore it" in (done.note or "")
    assert (list(world.vendor.rows), list(world.vendor.removed)) == ([], [world.record_id])


def test_without_the_settings_word_nothing_is_asked(world: World) -> None:
    with pytest.raises(PolicyDenied, match="cancel"):
        world.open(False).remove(world.vendor.kind, world.record_id, version=None, again=False)
    with pytest.raises(InvalidInput, match="no kind"):
        world.open(True).remove("invoices", world.record_id, version=None, again=False)
    assert world.vendor.asked == []


@pytest.mark.parametrize("again", [True, False])
def test_a_record_that_never_was_is_told_so_at_every_try(world: World, again: bool) -> None:
    with pytest.raises(NotFound):
        world.remove(record_id=world.vendor.name_next(), again=again)
    assert world.count("DELETE") == 0


def test_a_second_call_finds_none_and_a_retry_finds_it_done(world: World) -> None:
    world.remove()
    with pytest.raises(NotFound):
        world.remove()
    assert "an earlier try, or somebody else since, did it" in world.remove(again=True)
    assert world.count("DELETE") == 1


@pytest.mark.parametrize("fault", list(FAULTS))
def test_a_removal_that_was_done_but_not_answered_is_found_done(world: World, fault: str) -> None:
    world.fail("DELETE", FAULTS[fault], done=True)
    assert world.remove().startswith("done")
    assert world.count("DELETE") == 1


@pytest.mark.parametrize("fault", list(FAULTS))
@pytest.mark.parametrize("versioned", [True, False])
def test_a_removal_that_was_not_answered_is_tried_again_only_on_the_version_that_was_read(
    world: World, fault: str, versioned: bool
) -> None:
    version = world.version if versioned else None
    world.fail("DELETE", FAULTS[fault])
    with pytest.raises(ToolUnavailable):
        world.remove(version=version)
    assert world.record_id in world.vendor.rows
    if versioned:
        assert world.remove(version=version, again=True).startswith("done")
        return
    with pytest.raises(EffectUncertain, match="may have removed"):
        world.remove(again=True)
    assert (world.count("DELETE"), list(world.vendor.removed)) == (1, [])


@pytest.mark.parametrize("versioned", [True, False])
def test_what_a_human_restored_meanwhile_is_not_removed_again(world: World, versioned: bool) -> None:
    version = world.version if versioned else None
    world.remove(version=version)
    world.vendor.put({"email": "j@example.com"} | world.vendor.removed.pop(world.record_id), world.record_id)
    with pytest.raises(EffectUncertain, match="restored"):
        world.remove(version=version, again=True)
    assert world.record_id in world.vendor.rows


@pytest.mark.parametrize("done", [True, False])
def test_where_the_look_after_fails_too_the_retry_tells(world: World, done: bool) -> None:
    serve = world.vendor.serve

    def fail_look(asked: Asked) -> Reply | None:
        answer = serve(asked)
        if asked.method == "DELETE" and not looks:
            looks.append(asked)
            world.fail("GET", Reply(503, None))
        return answer

    looks: list[Asked] = []
    world.vendor.serve = fail_look  # type: ignore[method-assign]
    world.fail("DELETE", None, done=done)
    version = world.version
    with pytest.raises(ToolUnavailable, match="broke"):
        world.remove(version=version)
    assert (world.record_id in world.vendor.rows) is not done
    assert world.remove(version=version, again=True).startswith("an earlier try" if done else "done")
    assert list(world.vendor.removed) == [world.record_id]


def test_what_somebody_changed_since_it_was_read_stays(world: World) -> None:
    with pytest.raises(RecordChanged):
        world.remove(version="an older one")
    assert world.count("DELETE") == 0


def test_a_condition_that_the_vendor_refuses_is_told(world: World) -> None:
    world.fail("DELETE", Reply(412, None))
    with pytest.raises(RecordChanged, match="nothing was done"):
        world.remove()


def test_what_somebody_else_removed_between_is_told(world: World) -> None:
    world.fail("DELETE", Reply(404, [{"errorCode": "ENTITY_IS_DELETED", "message": "entity is deleted"}]))
    assert world.remove().startswith("somebody else did it")


def test_a_refusal_is_told_with_the_vendors_words_and_a_limit_as_one(world: World) -> None:
    words = "Your attempt to delete Jones could not be completed because it is associated with the following cases"
    body = [{"errorCode": "DELETE_FAILED", "message": words}]
    world.fail("DELETE", Reply(400, body if isinstance(world.vendor, Salesforce) else {"message": words}))
    with pytest.raises(ToolFailed, match="associated with the following cases; nothing was done"):
        world.remove()
    world.fail("DELETE", world.vendor.limit)
    with pytest.raises(ToolThrottled, match="limit is reached"):
        world.remove()
    assert world.record_id in world.vendor.rows


@pytest.mark.parametrize("status", [401, 403, 418])
def test_a_look_that_is_refused_after_a_try_leaves_it_uncertain(world: World, status: int) -> None:
    world.fail("GET", Reply(status, b""))
    with pytest.raises((ToolFailed, ConfigurationError)):
        world.remove()
    world.fail("GET", Reply(status, b""))
    with pytest.raises(EffectUncertain, match="earlier try may have done it"):
        world.remove(again=True)


def test_one_that_was_changed_while_its_removal_was_not_answered_is_uncertain(world: World) -> None:
    serve = world.vendor.serve

    def change(asked: Asked) -> Reply | None:
        answer = serve(asked)
        if asked.method == "DELETE":
            world.vendor.put({"email": "new@example.com"}, world.record_id)
        return answer

    world.vendor.serve = change  # type: ignore[method-assign]
    world.fail("DELETE", None)
    with pytest.raises(EffectUncertain, match="changed meanwhile"):
        world.remove()


@pytest.mark.parametrize("record_id", ["../other", "1/../../x", "5?x=1", "#", "a b", "x' OR Id != null", "-1"])
def test_an_id_stays_an_id_whatever_is_in_it(world: World, record_id: str) -> None:
    for again in (True, False):
        with pytest.raises((InvalidInput, NotFound)):
            world.remove(record_id=record_id, again=again)
    assert world.record_id in world.vendor.rows
