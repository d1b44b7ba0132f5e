"""Rotations of an API key of Odoo, at a server that makes and revokes keys as its documentation and source say."""

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pentad.domain.errors import ConfigurationError, ToolUnavailable
from pentad.domain.secrets import KNOWN
from pentad.tools.business.adapters.records_odoo import OdooRecords
from pentad.tools.credentials.adapters.odoo_key import OdooKey
from pentad.tools.credentials.adapters.store_memory import MemorySecrets
from pentad.tools.credentials.rotate import RotationPlan, SecretRotation, Step
from tests.contract.tools.vendors.server import Asked, Fault, PlainHttp, Reply, Vendor, listen
from tests.secrets_watch import MARK

NAME = "p/tools/erp"
STEPS: tuple[Step, ...] = ("createSecret", "setSecret", "testSecret", "finishSecret")
FIRST = "f" * 40
NOW = datetime(2026, 11, 30, 9, 30, tzinfo=UTC)
DENIED = {"name": "odoo.exceptions.AccessDenied", "message": "The provided API key is invalid.", "debug": MARK}


class KeyServer(Vendor):
    """``res.users.apikeys`` of one user, at most ten keys at a time.

    Attributes:
        keys: those that count, with the end of each; None for one that a person made for good.
        allowed: the administrator lets users make keys.
    """

    def __init__(self) -> None:
        super().__init__()
        self.keys: dict[str, str | None] = {FIRST: None}
        self.allowed = True
        self.made = 0

    def respond(self, asked: Asked) -> Reply:
        if asked.headers.get("authorization", "").removeprefix("bearer ") not in self.keys:
            return Reply(401, {"name": "werkzeug.exceptions.Unauthorized", "message": "Invalid apikey"})
        assert asked.headers.get("x-odoo-database") == "works"
        match asked.parts[2:]:
            case ("res.users", "context_get"):
                return Reply(body={"lang": "en_US", "uid": 7})
            case ("res.partner", "search_read"):
                return Reply(body=[])
            case ("res.users.apikeys", method) if self.allowed:
                return self.generate(asked.json) if method == "generate" else self.revoke(asked.json["key"])
        return self.fail("Programmatic API keys are not enabled")

    def generate(self, given: dict[str, Any]) -> Reply:
        assert set(given) == {"key", "scope", "name", "expiration_date"} and given["scope"] == "rpc"
        ends = datetime.strptime(given["expiration_date"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
        if ends > NOW + timedelta(days=90):
            return self.fail("You cannot exceed 90 days.")
        if len(self.keys) >= 10:
            return self.fail("Limit of 10 API keys is reached for programmatic creation")
        if given["key"] not in self.keys:
            return Reply(403, DENIED)
        self.made += 1
        made = f"{self.made:040x}"
        self.keys[made] = given["expiration_date"]
        return Reply(body=made)

    def revoke(self, key: str) -> Reply:
        if key not in self.keys:
            return Reply(403, DENIED)
        del self.keys[key]
        return Reply(body=True)

    @staticmethod
    def fail(words: str) -> Reply:
        return Reply(422, {"name": "odoo.exceptions.UserError", "message": words, "debug": MARK})


class World:
    """A secret, its server and rotations of it."""

    def __init__(self, server: KeyServer, url: str) -> None:
        self.server = server
        text = json.dumps({"url": url, "token": FIRST, "database": "works", "note": "stays"})
        self.store = MemorySecrets({NAME: text})
        self.url = url
        rotator = OdooKey(lambda _: PlainHttp(), lambda: NOW)
        self.step = SecretRotation(self.store, {NAME: RotationPlan(kind="odoo")}, lambda kind: rotator)

    def begin(self) -> str:
        token = str(uuid.uuid4())
        self.store.begin_rotation(NAME, token)
        return token

    def rotate(self) -> None:
        token = self.begin()
        for step in STEPS:
            self.step(NAME, token, step)

    def read(self, stage: str = "AWSCURRENT") -> dict[str, str]:
        found = self.store.read(NAME, stage=stage)
        assert found is not None
        return dict(json.loads(found.text))

    def works(self, token: str) -> bool:
        """Ask as the ERP's tools do."""
        records = OdooRecords(PlainHttp(), self.url, key=lambda: token, database="works")
        try:
            records.search("res.partner", [], ["name"], limit=1, after=None)
        except ConfigurationError:
            return False
        return True


@pytest.fixture
def world() -> Iterator[World]:
    server = KeyServer()
    with listen(server) as url:
        yield World(server, url)
    KNOWN.clear()


def test_there_is_no_moment_without_a_key_that_counts(world: World) -> None:
    token = world.begin()
    for step in STEPS:
        assert world.works(world.read()["token"])
        world.step(NAME, token, step)
    current, previous = world.read(), world.read("AWSPREVIOUS")
    assert (previous["token"], current["note"], current["url"]) == (FIRST, "stays", world.url)
    # A process that has read the old one goes on with it, until the next rotation.
    assert world.works(current["token"]) and world.works(FIRST)
    assert world.server.keys[current["token"]] == "2027-02-28 09:30:00"


def test_a_key_is_revoked_by_the_rotation_after_the_one_that_replaced_it(world: World) -> None:
    seen = [FIRST]
    for _ in range(12):  # more than the ten keys that a user may have
        world.rotate()
        seen.append(world.read()["token"])
        assert set(world.server.keys) == set(seen[-2:])
    assert len(set(seen)) == 13


@pytest.mark.parametrize("dies", range(4))
def test_a_rotation_that_was_cut_off_is_begun_again_and_ends_the_same(world: World, dies: int) -> None:
    world.rotate()
    token = world.begin()
    for step in (*STEPS[: dies + 1], *STEPS):
        world.step(NAME, token, step)
    assert set(world.server.keys) == {world.read()["token"], world.read("AWSPREVIOUS")["token"]}
    assert world.server.made == 2


def test_a_key_that_was_made_and_not_stored_ends_by_itself(world: World) -> None:
    token = world.begin()
    world.server.faults.append(Fault(done=True, reply=Reply(502, b""), method="POST"))
    with pytest.raises(ToolUnavailable):
        world.step(NAME, token, "createSecret")
    for step in STEPS:
        world.step(NAME, token, step)
    lost = set(world.server.keys) - {FIRST, world.read()["token"]}
    assert [world.server.keys[one] for one in lost] == ["2027-02-28 09:30:00"]


def test_what_odoo_refuses_is_told_with_its_words_and_nothing_else(world: World) -> None:
    token = world.begin()
    world.server.allowed = False
    with pytest.raises(ConfigurationError, match=r"makes no new key \(422: Programmatic API keys are not enabled\)"):
        world.step(NAME, token, "createSecret")
    world.server.allowed = True
    del world.server.keys[FIRST]
    with pytest.raises(ConfigurationError, match=r"makes no new key \(401: Invalid apikey\)") as caught:
        world.step(NAME, token, "createSecret")
    assert MARK not in str(caught.value)
    with pytest.raises(ConfigurationError, match="does not accept the key"):
        world.step(NAME, token, "testSecret")
    assert world.read()["token"] == FIRST


@pytest.mark.parametrize("text", ['{"token": "x"}', '{"url": "https://erp.example"}', "only-a-key"])
def test_a_secret_that_does_not_say_where_odoo_is_can_not_be_rotated(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"has no (url|token)"):
        OdooKey(lambda _: PlainHttp(), lambda: NOW).make(text, "password")
