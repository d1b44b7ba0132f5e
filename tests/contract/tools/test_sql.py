"""The SQL tools on a real PostgreSQL: what a role can't do, whatever is sent; and changes with their undo."""

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from functions.library.sql.change_sql import change_sql
from functions.library.sql.describe_sql import describe_sql
from functions.library.sql.preview_sql_change import preview_sql_change
from functions.library.sql.query_sql import query_sql
from pentad.domain.errors import (
    ConfigurationError,
    InvalidInput,
    PentadError,
    ToolFailed,
    ToolThrottled,
    ToolUnavailable,
)
from pentad.domain.runs import CallStatus
from pentad.tools.data.sql.adapters.postgres import PostgresDatabase
from pentad.tools.data.sql.adapters.postgres_rows import read_address
from pentad.tools.data.sql.ports import CheckedQuery
from pentad.tools.data.sql.settings import SqlSettings
from pentad.tools.data.sql.statements import check_change
from pentad.tools.declare.declare import Tool
from tests.contract.tools.vendors.worlds import Secrets
from tests.unit.tools.data.sql.examples import CALLS_IN_DISGUISE, HOSTILE, ORDINARY
from tests.unit.tools.worlds import World

SHOP = """
DROP DATABASE IF EXISTS shop;
CREATE DATABASE shop
"""
TABLES = """
CREATE TYPE order_state AS ENUM ('new', 'old');
CREATE SCHEMA sales;
CREATE TABLE customers (id int PRIMARY KEY, name text, email text);
COMMENT ON COLUMN customers.email IS 'where bills go';
CREATE TABLE orders (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_id int REFERENCES customers, status text,
    total numeric(10, 2),
    placed_at timestamptz DEFAULT now(), data jsonb, tags text[], state order_state DEFAULT 'new', raw bytea,
    twice numeric GENERATED ALWAYS AS (total * 2) STORED
);
CREATE TABLE sales.regions (id int PRIMARY KEY, region text);
CREATE TABLE keyless (word text);
CREATE TABLE secrets (id int PRIMARY KEY, password text);
CREATE FUNCTION shop_name(orders) RETURNS int AS 'SELECT 42' LANGUAGE sql;
CREATE FUNCTION shop_name(customers) RETURNS int AS 'SELECT 42' LANGUAGE sql;
CREATE FUNCTION shop_wipe() RETURNS int AS 'DELETE FROM orders; SELECT 1' LANGUAGE sql;
INSERT INTO customers VALUES (1, 'Ann Lee', 'ann@example.com'), (2, 'Bob', NULL);
INSERT INTO orders (customer_id, status, total, data, tags, raw) VALUES
    (1, 'paid', 10.10, '{"size": [1, 2], "color": "red"}', '{a,b}', '\\x00ff'),
    (1, 'open', 25, '{"size": []}', NULL, NULL),
    (2, 'paid', 0.30, NULL, '{}', NULL);
INSERT INTO sales.regions VALUES (1, 'north');
INSERT INTO secrets VALUES (1, 'hunter2');
INSERT INTO keyless VALUES ('a'), ('b');
"""
# As docs/tools/sql.md says.
ROLES = """
DO $do$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'pentad_reader') THEN
    CREATE ROLE pentad_reader LOGIN PASSWORD 'reader' NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT CONNECTION LIMIT 20;
    CREATE ROLE pentad_writer LOGIN PASSWORD 'writer' NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT CONNECTION LIMIT 20;
  END IF;
END $do$;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
REVOKE TEMPORARY ON DATABASE shop FROM PUBLIC;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public, sales TO pentad_reader, pentad_writer;
GRANT SELECT ON customers, orders, sales.regions TO pentad_reader;
GRANT SELECT, INSERT, UPDATE, DELETE ON orders, keyless TO pentad_writer;
GRANT SELECT ON customers TO pentad_writer;
"""


@pytest.fixture(scope="module")
def shop_server(postgres_server: str) -> Iterator[str]:
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        for statement in SHOP.split(";"):
            connection.execute(statement)
    yield make_conninfo(postgres_server, dbname="shop")
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute("DROP DATABASE shop WITH (FORCE)")
        connection.execute("DROP ROLE pentad_reader")
        connection.execute("DROP ROLE pentad_writer")


@pytest.fixture
def shop(shop_server: str) -> Iterator[str]:
    """Return the address, as its owner, of a shop as it is new."""
    with psycopg.connect(shop_server, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS sales, public CASCADE")
        connection.execute("CREATE SCHEMA public")
        connection.execute(TABLES)
        connection.execute(ROLES)
    yield shop_server


def as_role(shop: str, role: str) -> dict[str, str]:
    """Return the secret of a role."""
    return {"url": make_conninfo(shop, user=role, password=role.removeprefix("pentad_"))}


def look(shop: str, statement: str) -> list[Any]:
    with psycopg.connect(shop) as connection:
        return connection.execute(statement).fetchall()


SETTINGS = {"secret": "shop", "tables": ["orders", "customers", "sales.regions"], "timeout_seconds": 2}
CHANGES = {"secret": "shop", "tables": ["orders", "keyless"], "reads": ["customers"], "max_rows": 3}


def call(shop: str, tool: Tool[Any, Any], **arguments: Any) -> World:
    changes = tool in (change_sql, preview_sql_change)
    secret = {"shop": json.dumps(as_role(shop, "pentad_writer" if changes else "pentad_reader"))}
    assert tool.settings is not None
    settings = tool.settings.model_validate(CHANGES if changes else SETTINGS)
    world = World(tool, settings=settings, secrets=Secrets(secret))
    world.add_call(arguments)
    world.execute()
    return world


def reader(shop: str, seconds: int = 2) -> PostgresDatabase:
    return PostgresDatabase(as_role(shop, "pentad_reader"), seconds=seconds, tenant_id="acme")


def test_ordinary_queries_run(shop: str) -> None:
    for statement in ORDINARY:
        answer = call(shop, query_sql, statement=statement)
        assert not answer.call.is_error, (statement, answer.call.result)


def test_values_are_bound_by_the_server_and_numbers_keep_their_digits(shop: str) -> None:
    hostile = "x'; DELETE FROM orders; --"
    statement = "SELECT $1 AS said, total AS again, id FROM orders WHERE total >= $2 AND id = $3 AND $4::text IS NULL"
    answer = call(shop, query_sql, statement=statement, parameters=[hostile, "10.10", 1, None])
    assert answer.result["rows"] == [{"said": hostile, "again": "10.10", "id": 1}]
    assert answer.call.untrusted


def test_what_is_not_shown_is_told(shop: str) -> None:
    few = call(shop, query_sql, statement="SELECT n FROM generate_series(1, 5000) AS g(n)").result
    assert few["row_count"] == 100 and "more rows" in few["notes"][0]
    wide = reader(shop).query(CheckedQuery("SELECT repeat('x', 1000000) AS a"), [], max_rows=5, max_bytes=1_000)
    assert wide.rows == [] and "left out" in wide.notes[0]
    many = CheckedQuery("SELECT repeat('x', 600) FROM generate_series(1, 9)")
    long = reader(shop).query(many, [], max_rows=9, max_bytes=2_000)
    assert len(long.rows) == 3 and "2,000 bytes" in long.notes[0]


def test_grants_are_the_wall_behind_the_check(shop: str) -> None:
    before = look(shop, "SELECT count(*), sum(total) FROM orders")
    for statement in HOSTILE:
        try:
            found = reader(shop, 1).query(CheckedQuery(statement.rstrip("; ")), [], max_rows=10, max_bytes=100_000)
        except PentadError:
            continue
        assert "hunter2" not in str(found.rows), statement
        assert "root:" not in str(found.rows), statement
    assert look(shop, "SELECT count(*), sum(total) FROM orders") == before
    assert look(shop, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(4,)]


def test_a_field_that_would_call_a_function_is_refused_before_anything_runs(shop: str) -> None:
    for statement in CALLS_IN_DISGUISE:
        answer = call(shop, query_sql, statement=statement).call
        assert answer.is_error and "would call a function" in (answer.result or ""), (statement, answer.result)
    disguised = "UPDATE orders AS o SET status = 'x' WHERE o.id = 1 AND o.shop_name > 0"
    assert "would call a function" in (call(shop, preview_sql_change, statement=disguised).call.result or "")


def test_a_column_with_the_name_of_a_function_is_read(shop: str) -> None:
    with psycopg.connect(shop) as connection:
        connection.execute('ALTER TABLE orders ADD shop_name text, ADD txid_status int, ADD "Ts_stat" int')
    for statement in (
        "SELECT o.shop_name, o.TXID_STATUS, o.\"Ts_stat\" FROM orders o WHERE o.shop_name = 'a'",
        "WITH a AS (SELECT * FROM orders) SELECT a.shop_name, x.txid_status FROM a, (SELECT a.* FROM a) x",
        "SELECT t.txid_status FROM (VALUES (1)) t(txid_status) WHERE EXISTS (SELECT t.txid_status FROM orders t)",
    ):
        answer = call(shop, query_sql, statement=statement).call
        assert not answer.is_error, (statement, answer.result)


def test_a_role_that_lifts_read_only_still_can_not_write(shop: str) -> None:
    with psycopg.connect(as_role(shop, "pentad_reader")["url"], autocommit=True) as connection:
        connection.execute("SELECT set_config('default_transaction_read_only', 'off', false)")
        for statement in ("DELETE FROM orders", "CREATE TABLE x (a int)", "CREATE TEMP TABLE x (a int)",
                          "SELECT * FROM secrets", "SELECT shop_wipe()"):  # fmt: skip
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


@pytest.mark.parametrize(
    ("statement", "kind", "told"),
    [
        (
            "SELECT count(*) FROM generate_series(1, 10000), orders a, orders b, orders c, orders d, orders e, "
            "orders f, orders g, orders h, orders i, orders j, orders k, orders l",
            "ToolFailed",
            "longer than 2 seconds",
        ),
        ("SELECT nothing FROM orders", "InvalidInput", 'column "nothing" does not exist'),
        ("SELECT 'x'::int", "InvalidInput", "invalid input syntax"),
        ("SELECT $1 + $2 FROM orders", "InvalidInput", "the database says"),
        ("SELECT * FROM secrets", "InvalidInput", "not among those"),
        ("SELECT 1 / (id - id) FROM orders", "InvalidInput", "division by zero"),
    ],
)
def test_what_goes_wrong_is_told(shop: str, statement: str, kind: str, told: str) -> None:
    answer = call(shop, query_sql, statement=statement).call
    assert answer.is_error and answer.result is not None
    assert answer.result.startswith(kind) and told in answer.result
    assert "reader" not in answer.result


def test_the_tables_are_described_as_far_as_the_role_sees_them(shop: str) -> None:
    tables = {one["table"]: one["columns"] for one in call(shop, describe_sql).result}
    assert set(tables) == {"orders", "customers", "sales.regions"}
    assert tables["customers"][2] == {"name": "email", "type": "text", "nullable": True, "comment": "where bills go"}
    assert tables["orders"][0]["primary_key"] is True


def change(shop: str, statement: str, parameters: list[Any] | None = None) -> World:
    """Preview a change, and do it with the rows that were shown."""
    shown = call(shop, preview_sql_change, statement=statement, parameters=parameters or [])
    assert not shown.call.is_error, shown.call.result
    rest = {name: shown.result[name] for name in ("rows", "other_tables")}
    return call(shop, change_sql, statement=statement, parameters=parameters or [], **rest)


ALL = "SELECT md5(string_agg(t::text, '|' ORDER BY id)) FROM orders AS t"


@pytest.mark.parametrize(
    ("statement", "parameters", "rows"),
    [
        ("UPDATE orders SET status = $1, total = total + $2 WHERE customer_id = $3", ["shipped", "0.05", 1], 2),
        ("UPDATE orders AS o SET data = NULL, tags = NULL, raw = NULL, state = 'old' WHERE o.id = 1", [], 1),
        ("DELETE FROM orders WHERE customer_id IN (SELECT id FROM customers WHERE name LIKE 'Ann%')", [], 2),
        ("INSERT INTO orders (customer_id, status, total) VALUES ($1, $2, 5), (2, 'new', 6)", [2, "new"], 2),
    ],
)
def test_a_change_is_shown_done_and_taken_back(shop: str, statement: str, parameters: list[Any], rows: int) -> None:
    before = look(shop, ALL)
    done = change(shop, statement, parameters)
    assert not done.call.is_error, done.call.result
    assert done.result == {"table": "public.orders", "changed_rows": rows, "undoable": True}
    assert look(shop, ALL) != before
    done.undo()
    assert done.call.status is CallStatus.UNDONE
    assert look(shop, ALL) == before


def test_a_preview_shows_the_rows_and_changes_nothing(shop: str) -> None:
    before = look(shop, ALL)
    shown = call(shop, preview_sql_change, statement="UPDATE orders SET total = 1 WHERE id = 1").result["rows"]
    assert (shown[0]["before"]["total"], shown[0]["after"]["total"]) == ("10.10", "1.00")
    assert look(shop, ALL) == before


def test_a_change_that_would_come_to_other_rows_is_not_done(shop: str) -> None:
    statement = "UPDATE orders SET total = total + 1 WHERE customer_id = 1"
    shown = call(shop, preview_sql_change, statement=statement).result["rows"]
    with psycopg.connect(shop) as connection:
        connection.execute("UPDATE orders SET status = 'lost' WHERE id = 2")
    before = look(shop, ALL)
    met = call(shop, change_sql, statement=statement, rows=shown).call
    assert met.is_error and "nothing was changed" in (met.result or "")
    invented = [{"before": None, "after": {"id": "1"}}]
    assert call(shop, change_sql, statement=statement, rows=invented).call.is_error
    assert look(shop, ALL) == before


def test_an_undo_after_somebody_elses_change_restores_nothing(shop: str) -> None:
    done = change(shop, "UPDATE orders SET total = 1 WHERE customer_id = 1")
    with psycopg.connect(shop) as connection:
        connection.execute("UPDATE orders SET status = 'lost' WHERE id = 2")
    before = look(shop, ALL)
    with pytest.raises(ToolFailed, match="changed since"):
        done.undo()
    assert look(shop, ALL) == before


def test_an_undo_of_a_delete_meets_a_row_that_is_there_again(shop: str) -> None:
    done = change(shop, "DELETE FROM orders WHERE id = 3")
    with psycopg.connect(shop) as connection:
        connection.execute("INSERT INTO orders (id, total) OVERRIDING SYSTEM VALUE VALUES (3, 9)")
    with pytest.raises(ToolFailed, match="changed since"):
        done.undo()


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE orders SET total = 1 WHERE id > 0 OR id < 0", None),
        ("DELETE FROM orders WHERE id = 77", "touches no row"),
        ("UPDATE orders SET id = 9 WHERE id = 1", "primary key"),
        ("UPDATE orders SET total = 'x' WHERE id = 1", "invalid input syntax"),
        ("UPDATE orders SET customer_id = 77 WHERE id = 1", "a rule of the database"),
        ("UPDATE orders SET total = $2 WHERE id = $1", "value is missing"),
    ],
)
def test_what_can_not_be_changed_is_told(shop: str, statement: str, told: str | None) -> None:
    before = look(shop, ALL)
    met = call(shop, preview_sql_change, statement=statement).call
    assert met.is_error is (told is not None) and (told or "") in (met.result or "")
    assert look(shop, ALL) == before


def test_too_many_rows_are_not_changed(shop: str) -> None:
    with psycopg.connect(shop) as connection:
        connection.execute("INSERT INTO orders (total) SELECT n FROM generate_series(1, 10) AS g(n)")
    for statement in ("DELETE FROM orders WHERE id > 0", "INSERT INTO orders (total) SELECT id FROM orders"):
        met = call(shop, preview_sql_change, statement=statement).call
        assert met.is_error and "more than 3 rows" in (met.result or "")


def test_a_table_without_a_key_is_changed_and_says_that_it_stays(shop: str) -> None:
    shown = call(shop, preview_sql_change, statement="UPDATE keyless SET word = 'c' WHERE word = 'a'")
    assert not shown.result["undoable"] and "primary key" in shown.result["notes"][0]
    done = change(shop, "UPDATE keyless SET word = 'c' WHERE word = 'a'")
    assert sorted(look(shop, "SELECT word FROM keyless")) == [("b",), ("c",)]
    with pytest.raises(ToolFailed, match="can't be undone"):
        done.undo()


def test_rows_without_a_key_are_changed_one_by_one_so_that_before_and_after_belong_together(shop: str) -> None:
    met = call(shop, preview_sql_change, statement="UPDATE keyless SET word = word || 'x' WHERE word <> ''").call
    assert met.is_error and "one by one" in (met.result or "")
    done = change(shop, "DELETE FROM keyless WHERE word <> ''")
    assert done.result["changed_rows"] == 2


def run_as_owner(shop: str, statements: str) -> None:
    with psycopg.connect(shop, autocommit=True) as connection:
        connection.execute(statements)


TRIGGER = """
CREATE FUNCTION note() RETURNS trigger AS 'BEGIN {} RETURN NEW; END' LANGUAGE plpgsql SECURITY DEFINER;
CREATE TRIGGER note {} ON orders FOR EACH ROW EXECUTE FUNCTION note();
"""
DELETE, UPDATE = "DELETE FROM orders WHERE id = 1", "UPDATE orders SET status = 'x' WHERE id = 1"


@pytest.mark.parametrize(
    ("rule", "statement", "others"),
    [
        ("CREATE TABLE bills (o int REFERENCES orders ON DELETE CASCADE); INSERT INTO bills VALUES (1), (1), (2)",
         DELETE, ["public.bills"]),
        ("CREATE TABLE bills (o int REFERENCES orders ON DELETE SET NULL); INSERT INTO bills VALUES (1)",
         DELETE, ["public.bills"]),
        ("CREATE TABLE sales.bills (id int PRIMARY KEY REFERENCES orders ON DELETE CASCADE);"
         "CREATE TABLE lines (b int REFERENCES sales.bills ON DELETE CASCADE);"
         "INSERT INTO sales.bills VALUES (1); INSERT INTO lines VALUES (1)", DELETE, ["public.lines", "sales.bills"]),
        ("ALTER TABLE orders ADD parent int REFERENCES orders ON DELETE CASCADE;"
         "UPDATE orders SET parent = 1 WHERE id = 2", DELETE, ["public.orders"]),
        (TRIGGER.format("INSERT INTO secrets VALUES (7, NEW.status);", "AFTER UPDATE"), UPDATE, ["public.secrets"]),
        (TRIGGER.format("UPDATE customers SET email = NULL;", "BEFORE INSERT"),
         "INSERT INTO orders (total) VALUES (1)", ["public.customers"]),
        (TRIGGER.format("NEW.tags = NULL;", "BEFORE UPDATE"), UPDATE, []),
        ("CREATE TABLE bills (o int REFERENCES orders ON DELETE CASCADE); INSERT INTO bills VALUES (2)", DELETE, []),
    ],
)  # fmt: skip
def test_rows_that_change_elsewhere_are_told_and_shown_before(
    shop: str, rule: str, statement: str, others: list[str]
) -> None:
    run_as_owner(shop, rule)
    shown = call(shop, preview_sql_change, statement=statement).result
    assert shown["other_tables"] == others and shown["undoable"] is (not others)
    assert all(other in shown["notes"][0] for other in others)
    before = look(shop, ALL)
    if others:
        unseen = call(shop, change_sql, statement=statement, rows=shown["rows"]).call
        assert unseen.is_error and "the other tables" in (unseen.result or "")
        assert look(shop, ALL) == before
    done = change(shop, statement)
    assert done.result["undoable"] is (not others)
    if others:
        with pytest.raises(ToolFailed, match="rows changed that are not kept"):
            done.undo()


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE orders SET status = (SELECT string_agg('0123456789', '') FROM generate_series(1, 9999)) WHERE id = 1",
         "more than 60,000 bytes"),
        ("UPDATE orders SET status = $1, data = NULL WHERE id <> 2", "more than 60,000 bytes"),
        ("DELETE FROM orders WHERE data ? 'long'", "more than 60,000 bytes"),
        ("INSERT INTO orders (total) SELECT n FROM generate_series(1, 9999) AS g(n)", "more than 3 rows"),
        ("INSERT INTO orders (status) SELECT $1 FROM generate_series(1, 3) AS g(n)", "more than 60,000 bytes"),
    ],
)  # fmt: skip
def test_what_a_change_returns_is_bounded_before_it_is_sent(shop: str, statement: str, told: str) -> None:
    run_as_owner(shop, "UPDATE orders SET data = jsonb_build_object('long', repeat('x', 5000000)) WHERE id = 2")
    before = look(shop, ALL)
    parameters = ["\u00fc" * 20_000] if "$1" in statement else []
    met = call(shop, preview_sql_change, statement=statement, parameters=parameters).call
    assert met.is_error and told in (met.result or "") and len(met.result or "") < 1_000
    assert look(shop, ALL) == before


def test_a_row_that_others_hold_is_waited_for_a_moment_only(shop: str) -> None:
    with psycopg.connect(shop) as connection:
        connection.execute("SELECT * FROM orders WHERE id = 1 FOR UPDATE")
        database = PostgresDatabase(as_role(shop, "pentad_writer"), seconds=10, tenant_id="acme", lock_ms=100)
        checked = check_change("UPDATE orders SET total = 1 WHERE id = 1", ["orders"], [])
        with pytest.raises(ToolThrottled, match="others hold"):
            database.change(checked, [], max_rows=3, max_bytes=60_000)


def test_the_tenant_stands_in_each_transaction(shop: str) -> None:
    with psycopg.connect(shop) as connection:
        connection.execute("ALTER TABLE customers ENABLE ROW LEVEL SECURITY")
        connection.execute(
            "CREATE POLICY own ON customers USING (current_setting('pentad.tenant', true) = 'acme' AND id = 1)"
        )
    assert call(shop, query_sql, statement="SELECT name FROM customers").result["rows"] == [{"name": "Ann Lee"}]
    other = PostgresDatabase(as_role(shop, "pentad_reader"), seconds=2, tenant_id="other")
    assert other.query(CheckedQuery("SELECT name FROM customers"), [], max_rows=5, max_bytes=1_000).rows == []


def test_a_database_that_is_away_and_a_secret_that_is_wrong_are_told_apart() -> None:
    away = PostgresDatabase(
        {"host": "127.0.0.1", "port": "1", "username": "u", "password": "hunter2", "dbname": "d"},
        seconds=1, tenant_id="acme",
    )  # fmt: skip
    with pytest.raises(ToolUnavailable) as caught:
        away.describe(["orders"])
    assert "hunter2" not in str(caught.value) and caught.value.__cause__ is None
    with pytest.raises(ConfigurationError, match="'password'"):
        read_address({"host": "db.example", "username": "u", "dbname": "d"})
    assert "sslmode=require" in read_address({"url": "postgresql://u:p@db.example/d"})


@pytest.mark.parametrize(
    "url",
    ["postgresql://u:hunter%zz2@db/d", "postgresql://u:hunter%002@db/d", "mysql://u:hunter2@db/d", "password=hunter 2"],
)
def test_a_url_that_can_not_be_read_is_told_without_its_password(url: str) -> None:
    settings = SqlSettings.model_validate(SETTINGS)
    world = World(query_sql, settings=settings, secrets=Secrets({"shop": json.dumps({"url": url})}))
    world.add_call({"statement": "SELECT count(*) FROM orders"})
    world.execute()
    assert (world.call.result or "").startswith("ConfigurationError: the database's secret has a url")
    assert "hunter" not in (world.call.result or "")
    with pytest.raises(ConfigurationError) as caught:
        read_address({"url": url})
    assert caught.value.__cause__ is None


def test_a_statement_that_was_checked_is_what_runs(shop: str) -> None:
    broken = CheckedQuery("SELECT 1) AS q) AS x; DELETE FROM orders; SELECT (((1")
    with pytest.raises(InvalidInput):
        reader(shop).query(broken, [], max_rows=1, max_bytes=100)
