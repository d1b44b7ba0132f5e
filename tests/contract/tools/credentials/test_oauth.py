"""Access tokens: asked for once, kept, renewed; refresh tokens that are taken once are never lost to another call."""

import json
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from pentad.domain.errors import ConfigurationError, ToolFailed, ToolThrottled, ToolUnavailable
from pentad.domain.secrets import KNOWN
from pentad.tools.credentials.adapters.store_memory import MemorySecrets
from pentad.tools.credentials.oauth import TokenCache
from pentad.tools.credentials.tool_secrets import DeclaredToolSecrets, SecretCache
from pentad.tools.outside.places import SecretPlace
from pentad.tools.outside.ports import HttpClient
from tests.contract.tools.credentials.conftest import Kept, Vendor
from tests.contract.tools.egress.conftest import make_client
from tests.contract.tools.egress.servers import Answer
from tests.secrets_watch import MARK

NAME = "p/tools/crm"


@pytest.fixture(autouse=True)
def _no_secrets() -> Iterator[None]:
    yield
    KNOWN.clear()


class Process:
    """One process of a tool's function: its caches, and a call at a time with a client of its own."""

    def __init__(self, store: object, *, renewed: bool = False, now: float = 1_000_000.0) -> None:
        self.now = now
        self.slept: list[float] = []
        self._store = store
        self._place = SecretPlace(secret=NAME, renewed=renewed)
        self._caches = SecretCache(), TokenCache()

    def get(self, vendor: Vendor, *, refused: str = "", sleep: object = None, forget: bool = False) -> str:
        secrets = DeclaredToolSecrets(
            {"crm": self._place},
            shared=self._store,  # type: ignore[arg-type]
            cache=self._caches[0],
            tokens=self._caches[1],
            clock=lambda: self.now,
            sleep=self.slept.append if sleep is None else sleep,  # type: ignore[arg-type]
        )
        token = secrets.get_token("acme", "crm", make_http(vendor), refused=refused)
        if forget:
            secrets.forget_used()
        return token


def make_http(vendor: Vendor) -> HttpClient:
    return make_client(vendor.url.split("/")[2])


def read_fields(kept: Kept) -> dict[str, str]:
    found = kept.store.read(NAME)
    assert found is not None
    fields: dict[str, str] = json.loads(found.text)
    return fields


def test_client_credentials_give_a_token_that_is_kept(kept: Kept, vendor: Vendor) -> None:
    kept.set(NAME, vendor.make_secret(scope="read write"))
    process = Process(kept.store)
    assert [process.get(vendor) for _ in range(3)] == [f"{MARK}-access-1"] * 3
    assert vendor.got[0].body.decode().startswith("scope=read+write&grant_type=client_credentials&")
    process.now += 3_541
    assert process.get(vendor) == f"{MARK}-access-2"
    assert process.get(vendor, refused=f"{MARK}-access-2") == f"{MARK}-access-3"
    assert len(vendor.got) == 3


def test_a_token_that_a_server_refused_is_asked_for_anew_in_the_next_call(kept: Kept, vendor: Vendor) -> None:
    kept.set(NAME, vendor.make_secret())
    process = Process(kept.store)
    assert process.get(vendor) == f"{MARK}-access-1"
    assert process.get(vendor, forget=True) == f"{MARK}-access-1"
    assert process.get(vendor) == f"{MARK}-access-2"


def test_basic_encodes_what_it_joins(kept: Kept, vendor: Vendor) -> None:
    secret = json.dumps({"token_url": vendor.url, "client_id": "a:b", "client_secret": "c/d e", "auth": "basic"})
    kept.set(NAME, secret)
    Process(kept.store).get(vendor)
    assert vendor.got[0].headers["authorization"] == "Basic YSUzQWI6YyUyRmQrZQ=="
    assert b"client_secret" not in vendor.got[0].body


def test_a_new_client_secret_is_found_when_the_old_one_is_refused(kept: Kept, vendor: Vendor) -> None:
    kept.set(NAME, vendor.make_secret())
    process = Process(kept.store)
    process.get(vendor)
    vendor.secret = f"{MARK}-client-2"
    kept.set(NAME, vendor.make_secret())
    assert process.get(vendor, refused=vendor.tokens[-1]) == f"{MARK}-access-2"


def test_a_client_that_is_refused_is_told_without_what_the_vendor_says(kept: Kept, vendor: Vendor) -> None:
    kept.set(NAME, vendor.make_secret())
    vendor.secret = "another"
    with pytest.raises(ToolFailed) as caught:
        Process(kept.store).get(vendor)
    assert MARK not in f"{caught.value} {caught.value.fix} {caught.value.__cause__}"
    assert len(vendor.got) == 1


def test_a_refusal_of_slack_is_one_though_its_status_is_200(kept: Kept, vendor: Vendor) -> None:
    kept.set(NAME, vendor.make_secret(refresh_token=vendor.refresh_token))
    vendor.fail = Answer(body=b'{"ok": false, "error": "invalid_refresh_token"}')
    with pytest.raises(ToolFailed, match="'crm' was refused"):
        Process(kept.store).get(vendor)
    assert len(vendor.got) == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(429, [("Retry-After", "9")]), ToolThrottled),
        (Answer(503), ToolUnavailable),
        (Answer(404), ToolFailed),
        (Answer(302, [("Location", "http://127.0.0.1:9/")]), ToolFailed),
        (Answer(200, body=b"<html>"), ToolFailed),
        (Answer(200, body=b"[]"), ToolFailed),
        (Answer(200, body=b'{"access_token": 5}'), ToolFailed),
        (Answer(200, body=b'{"access_token": ""}'), ToolFailed),
    ],
)
def test_what_is_no_token_is_told(vendor: Vendor, answer: Answer, kind: type[Exception]) -> None:
    vendor.fail = answer
    with pytest.raises(kind):
        Process(MemorySecrets({NAME: vendor.make_secret()})).get(vendor)


@pytest.mark.parametrize("text", ["plain", "[]", '{"client_id": "x"}', '{"token_url": "x", "client_id": 5}'])
def test_a_secret_without_what_is_needed_is_told(vendor: Vendor, text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Process(MemorySecrets({NAME: text})).get(vendor)
    assert "client_secret" in caught.value.message


def test_a_token_of_seconds_is_asked_for_each_time(vendor: Vendor) -> None:
    vendor.seconds = 30
    process = Process(MemorySecrets({NAME: vendor.make_secret()}))
    assert [process.get(vendor) for _ in range(2)] == [f"{MARK}-access-1", f"{MARK}-access-2"]


def test_threads_of_a_process_ask_once(vendor: Vendor) -> None:
    process = Process(MemorySecrets({NAME: vendor.make_secret()}))
    with ThreadPoolExecutor(20) as pool:
        assert set(pool.map(lambda _: process.get(vendor), range(50))) == {f"{MARK}-access-1"}
    assert len(vendor.got) == 1


# Refresh tokens


def test_a_refresh_token_that_stays_is_not_stored_again(kept: Kept, vendor: Vendor) -> None:
    before = kept.set(NAME, vendor.make_secret(refresh_token=vendor.refresh_token))
    assert Process(kept.store).get(vendor) == f"{MARK}-access-1"
    found = kept.store.read(NAME)
    assert found is not None
    assert found.version_id == before


def test_a_new_refresh_token_is_stored_before_the_call_goes_on(kept: Kept, vendor: Vendor) -> None:
    vendor.rotates = True
    kept.set(NAME, vendor.make_secret(refresh_token=vendor.refresh_token, extra="stays"))
    one, other = Process(kept.store, renewed=True), Process(kept.store, renewed=True)
    assert one.get(vendor) == f"{MARK}-access-1"
    fields = read_fields(kept)
    assert (fields["refresh_token"], fields["access_token"], fields["extra"]) == (
        vendor.refresh_token,
        f"{MARK}-access-1",
        "stays",
    )
    assert other.get(vendor) == f"{MARK}-access-1"
    one.now = other.now = one.now + 3_541
    assert (other.get(vendor), one.get(vendor)) == (f"{MARK}-access-2", f"{MARK}-access-2")
    assert (read_fields(kept)["refresh_token"], vendor.reused) == (vendor.refresh_token, False)


def test_a_vendor_that_renews_needs_a_declaration(kept: Kept, vendor: Vendor) -> None:
    vendor.rotates = True
    kept.set(NAME, vendor.make_secret(refresh_token=vendor.refresh_token))
    with pytest.raises(ConfigurationError, match="renews the refresh token") as caught:
        Process(kept.store).get(vendor)
    assert "renewed: true" in str(caught.value.fix)


def test_fifty_processes_use_a_refresh_token_once(vendor: Vendor) -> None:
    vendor.rotates = True
    store = MemorySecrets({NAME: vendor.make_secret(refresh_token=vendor.refresh_token)})
    processes = [Process(store, renewed=True) for _ in range(50)]

    first = store.read(NAME)

    def wait(_seconds: float) -> None:
        for _ in range(2_000):  # the one that renews has not stored it yet
            if store.read(NAME) != first:
                return
            time.sleep(0.005)

    with ThreadPoolExecutor(50) as pool:
        found = set(pool.map(lambda one: one.get(vendor, sleep=wait), processes))
    assert found == {f"{MARK}-access-1"}
    assert (len(vendor.got), vendor.reused) == (1, False)


def test_what_an_operator_stores_meanwhile_stays(vendor: Vendor) -> None:
    vendor.rotates = True
    store = MemorySecrets({NAME: vendor.make_secret(refresh_token=vendor.refresh_token)})
    made: list[str] = []

    def add(secret_id: str, text: str, *, version_id: str, stage: str) -> bool:
        if stage == "PENTAD_RENEWED" and not made:
            made.append(store.set(NAME, vendor.make_secret(refresh_token="operators")))
        return MemorySecrets.add(store, secret_id, text, version_id=version_id, stage=stage)

    store.add = add  # type: ignore[method-assign]
    assert Process(store, renewed=True).get(vendor) == f"{MARK}-access-1"
    current, renewed = store.read(NAME), store.read(NAME, stage="PENTAD_RENEWED")
    assert current is not None
    assert renewed is not None
    assert current.version_id == made[0]
    assert json.loads(renewed.text)["refresh_token"] == vendor.refresh_token


def test_a_claim_of_a_process_that_died_is_taken_over(vendor: Vendor) -> None:
    vendor.rotates = True
    store = MemorySecrets({NAME: vendor.make_secret(refresh_token=vendor.refresh_token)})
    dying = Process(store, renewed=True, now=1_000_019.0)
    vendor.fail = Answer(503)
    with pytest.raises(ToolUnavailable):
        dying.get(vendor)
    vendor.fail = None
    soon = Process(store, renewed=True, now=1_000_025.0)  # the next minute has begun
    with pytest.raises(ToolUnavailable, match="another call is renewing"):
        soon.get(vendor)
    assert len(soon.slept) == 16
    later = Process(store, renewed=True, now=1_000_050.0)
    assert later.get(vendor) == f"{MARK}-access-1"


def test_ids_of_claims_are_uuids(vendor: Vendor) -> None:
    vendor.rotates = True
    store = MemorySecrets({NAME: vendor.make_secret(refresh_token=vendor.refresh_token)})
    Process(store, renewed=True).get(vendor)
    claim = store.read(NAME, stage="PENTAD_RENEWING")
    assert claim is not None
    assert str(uuid.UUID(claim.version_id)) == claim.version_id
