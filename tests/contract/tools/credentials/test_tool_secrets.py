"""The secrets of a tool's call: kept for minutes, per tenant, read anew once when they were refused."""

import pytest

from pentad.domain.errors import ConfigurationError, StoreUnavailable, ToolFailed, ToolUnavailable
from pentad.domain.secrets import KNOWN
from pentad.tools.credentials.adapters.store_memory import MemorySecrets
from pentad.tools.credentials.ports import StoredSecret
from pentad.tools.credentials.tool_secrets import DeclaredToolSecrets, SecretCache
from pentad.tools.outside.places import SecretPlace
from tests.contract.tools.credentials.conftest import Kept
from tests.secrets_watch import MARK

SHARED = SecretPlace(secret="p/tools/smtp")
EACH = SecretPlace(secret="p/tools/crm", tenants=True)
SOME = SecretPlace(secret="p/tools/erp", tenants=("acme",))
PLACES = {"smtp": SHARED, "crm": EACH, "erp": SOME}


class Clock:
    """Seconds that a test moves on."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def make(kept: Kept, cache: SecretCache | None = None, own: Kept | None = None) -> DeclaredToolSecrets:
    return DeclaredToolSecrets(PLACES, shared=kept.store, own=(own or kept).store, cache=cache)


def test_a_secret_is_kept_for_five_minutes_by_the_process(kept: Kept) -> None:
    clock = Clock()
    cache = SecretCache(clock=clock)
    first = kept.set("p/tools/smtp", f'{{"user": "a", "password": "{MARK}-1", "port": 25}}')
    found = make(kept, cache).get("acme", "smtp")
    assert (dict(found.fields), found.version_id) == ({"user": "a", "password": f"{MARK}-1", "port": "25"}, first)
    kept.set("p/tools/smtp", f"{MARK}-2")
    clock.now = 299.9
    assert make(kept, cache).get("acme", "smtp") == found
    clock.now = 300.0
    assert make(kept, cache).get("acme", "smtp").text == f"{MARK}-2"


def test_a_tenant_has_its_own_or_none(kept: Kept) -> None:
    kept.set("p/tools/crm/acme", f"{MARK}-acme")
    kept.set("p/tools/crm", f"{MARK}-all")
    kept.set("p/tools/erp", f"{MARK}-erp")
    cache = SecretCache()
    assert make(kept, cache).get("acme", "crm").text == f"{MARK}-acme"
    assert make(kept, cache).get("globex", "erp").text == f"{MARK}-erp"
    for tenant, name in (("globex", "crm"), ("acme", "erp")):
        with pytest.raises(ConfigurationError) as caught:
            make(kept, cache).get(tenant, name)
        assert (caught.value.field, f"of the tenant '{tenant}'" in caught.value.message) == ("secrets", True)
        assert MARK not in f"{caught.value} {caught.value.fix}"


def test_a_tenants_secret_is_read_with_the_calls_credentials_only(kept: Kept) -> None:
    kept.set("p/tools/crm/acme", f"{MARK}-acme")
    with pytest.raises(ConfigurationError, match="no credentials"):
        DeclaredToolSecrets(PLACES, shared=kept.store).get("acme", "crm")


def test_a_refused_secret_is_read_anew_once(kept: Kept) -> None:
    kept.set("p/tools/smtp", f"{MARK}-1")
    secrets = make(kept)
    old = secrets.get("acme", "smtp")
    with pytest.raises(ToolFailed, match="'smtp' was refused"):
        secrets.renew("acme", "smtp", old)
    kept.set("p/tools/smtp", f"{MARK}-2")
    new = secrets.renew("acme", "smtp", old)
    assert new.text == f"{MARK}-2"
    assert secrets.get("acme", "smtp") == new


def test_while_a_rotation_is_under_way_the_pending_value_counts(kept: Kept) -> None:
    kept.set("p/tools/smtp", f"{MARK}-1")
    secrets = make(kept)
    old = secrets.get("acme", "smtp")
    pending = "11111111-1111-4111-8111-111111111111"
    kept.store.add("p/tools/smtp", f"{MARK}-2", version_id=pending, stage="AWSPENDING")
    assert secrets.renew("acme", "smtp", old).text == f"{MARK}-2"
    # What is current stays what is handed out first: a rotation may also come to nothing.
    assert secrets.get("acme", "smtp") == old


def test_what_a_call_has_used_can_be_dropped(kept: Kept) -> None:
    cache = SecretCache()
    kept.set("p/tools/smtp", f"{MARK}-1")
    secrets = make(kept, cache)
    secrets.get("acme", "smtp")
    kept.set("p/tools/smtp", f"{MARK}-2")
    secrets.forget_used()
    assert make(kept, cache).get("acme", "smtp").text == f"{MARK}-2"


def test_a_store_that_does_not_answer_is_told() -> None:
    class Down(MemorySecrets):
        def read(self, secret_id: str, *, stage: str = "AWSCURRENT", version_id: str | None = None) -> StoredSecret:
            raise StoreUnavailable("the store of secrets did not answer: ThrottlingException")

    with pytest.raises(ToolUnavailable):
        DeclaredToolSecrets(PLACES, shared=Down()).get("acme", "smtp")


def test_nothing_shows_a_value(kept: Kept) -> None:
    kept.set("p/tools/smtp", f'{{"password": "{MARK}-1", "host": "mail.example.com"}}')
    cache = SecretCache()
    secrets = make(kept, cache)
    credential = secrets.get("acme", "smtp")
    assert MARK not in f"{credential!r} {credential} {cache!r} {secrets!r} {KNOWN!r} {vars(cache)!r}"
