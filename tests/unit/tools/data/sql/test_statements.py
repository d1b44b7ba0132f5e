"""What the check of statements lets through and refuses."""

import pytest

from pentad.domain.errors import InvalidInput
from pentad.tools.data.sql.statements import check_change, check_query
from tests.unit.tools.data.sql.examples import HOSTILE, ORDINARY

TABLES = ("orders", "customers", "sales.regions")


def test_there_are_many_of_each() -> None:
    assert len(set(ORDINARY)) >= 60 and len(set(HOSTILE)) >= 60


@pytest.mark.parametrize("statement", ORDINARY)
def test_an_ordinary_query_is_sent_as_it_is(statement: str) -> None:
    assert check_query(statement, TABLES).sql == statement.removesuffix(";")


@pytest.mark.parametrize("statement", HOSTILE)
def test_a_hostile_statement_is_refused_with_what_to_do(statement: str) -> None:
    with pytest.raises(InvalidInput, match="refused") as caught:
        check_query(statement, TABLES)
    assert caught.value.field == "statement" and caught.value.fix


def test_a_table_with_the_name_of_a_function_gets_its_columns_and_calls_nothing() -> None:
    assert check_change("INSERT INTO repeat (a) VALUES (1)", ("repeat",), ()).table == "public.repeat"
    for statement in (
        "INSERT INTO repeat (a) VALUES (repeat('x', 3))",
        "INSERT INTO repeat AS r (a) SELECT repeat('x', 3)",
        "INSERT INTO public.repeat SELECT repeat('x', 3) FROM repeat",
    ):
        with pytest.raises(InvalidInput, match="function 'repeat'"):
            check_change(statement, ("repeat",), ("repeat",))


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT $1,$2",
        "SELECT id FROM orders WHERE id IN ($1,$2,$3)",
        "SELECT id FROM orders WHERE (id,total) = ($1,$2)AND status=$3",
        "SELECT $1::int,$2::text",
        "SELECT ARRAY[$1,$2]",
        "SELECT tags[$1],tags[$1:$2] FROM orders",
        "SELECT $1||$2",
        'SELECT \'$1,$2\',"$1,$2" FROM (SELECT 1) AS a ("$1,$2")',
        "SELECT '$1,$2' || $1, '$$,$$' FROM orders AS repeat (a) WHERE a=$2",
        "SELECT 'it''s $1,$2',$1 FROM (SELECT 1) AS repeat (a)",
    ],
)
def test_parameters_stand_side_by_side_and_texts_keep_theirs(statement: str) -> None:
    assert check_query(statement, TABLES).sql == statement


@pytest.mark.parametrize(
    "statement", ["SELECT $$,$$", "SELECT $1,$$a$$", "SELECT $a$,$a$", "SELECT $1$,$1$", "SELECT $1a"]
)
def test_dollar_quotes_are_no_parameters(statement: str) -> None:
    with pytest.raises(InvalidInput, match=r"refused: '\$' is not allowed outside"):
        check_query(statement, TABLES)


@pytest.mark.parametrize("statement", ["SELECT FROM WHERE (", "SELECT 1 +", "SELECT (1"])
def test_what_can_not_be_read_is_told_with_what_is_wrong(statement: str) -> None:
    with pytest.raises(InvalidInput, match=r"it can't be read: .+ \(line 1\)"):
        check_query(statement, TABLES)


BROKEN = ("", " ", ";", "SELECT FROM WHERE", "(" * 3_000 + "1", "SELECT " + "(" * 400 + "1" + ")" * 400, "SELECT \x00",
          "SELECT 1 + " * 5_000, "SELECT '", "x" * 10_001,
          "SELECT p.\u00a0n FROM orders p", "SELECT 1\x85", "SELECT '\ud800'",
          "SELECT 1 \u2028; DELETE FROM orders")  # fmt: skip


@pytest.mark.parametrize("statement", BROKEN)
def test_what_is_no_statement_is_refused(statement: str) -> None:
    with pytest.raises(InvalidInput, match="refused"):
        check_query(statement, TABLES)


@pytest.mark.parametrize(
    ("statement", "kind", "name", "condition", "numbers"),
    [
        ("UPDATE orders SET total = $1 WHERE id = $2", "update", "orders", "id = $1", (2,)),
        ("update orders as o set status = 'x' where o.id in (select id from customers)", "update", "o", None, ()),
        ("DELETE FROM public.orders WHERE placed_at < now() - interval '1 year';", "delete", "orders", None, ()),
        ("INSERT INTO orders (id, total) VALUES ($1, $2), (3, 4)", "insert", "orders", "", ()),
        ("INSERT INTO orders (id) SELECT id FROM customers", "insert", "orders", "", ()),
        ("UPDATE Orders AS O SET Total = 1 WHERE O.id = 1", "update", "o", None, ()),
        ("INSERT INTO orders(id,total) VALUES ($1,$2)", "insert", "orders", "", ()),
        ("INSERT INTO orders AS repeat (id) VALUES (1)", "insert", "repeat", "", ()),
        ("INSERT INTO public.orders (id) SELECT a FROM customers AS repeat (a)", "insert", "orders", "", ()),
        ("UPDATE orders SET total=$1::numeric WHERE id IN ($2,$3)", "update", "orders", "id IN ($1, $2)", (2, 3)),
    ],
)
def test_a_change_is_taken_apart(
    statement: str, kind: str, name: str, condition: str | None, numbers: tuple[int, ...]
) -> None:
    change = check_change(statement, ("orders",), ("customers",))
    assert (change.kind, change.table, change.name) == (kind, "public.orders", name)
    assert change.condition_parameters == numbers
    assert condition is None or change.condition == condition


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE orders SET total = 0", "no WHERE"),
        ("DELETE FROM orders", "no WHERE"),
        ("DELETE FROM orders WHERE true", "depends on no column"),
        ("DELETE FROM orders WHERE 1 = 1", "depends on no column"),
        ("UPDATE secrets SET password = '' WHERE id = 1", "not among those"),
        ("UPDATE customers SET name = '' WHERE id = 1", "not among those"),
        ("UPDATE orders SET total = (SELECT 1 FROM secrets) WHERE id = 1", "not among those"),
        ("DELETE FROM orders USING customers WHERE orders.id = customers.id", "USING"),
        ("UPDATE orders SET total = 1 FROM customers WHERE orders.id = customers.id", "FROM"),
        ("DELETE FROM orders WHERE id = 1 RETURNING *", "RETURNING"),
        ("INSERT INTO orders (id) VALUES (1) ON CONFLICT DO NOTHING", "ON CONFLICT"),
        ("INSERT INTO orders DEFAULT VALUES", "refused"),
        ("INSERT INTO orders (id) WITH x AS (DELETE FROM orders RETURNING id) SELECT id FROM x", "refused"),
        ("WITH x AS (SELECT 1) DELETE FROM orders WHERE id IN (SELECT 1 FROM x)", "WITH"),
        ("DELETE FROM orders WHERE id = pg_sleep(9)", "'pg_sleep'"),
        ("UPDATE orders AS repeat SET status = repeat('x', 3) WHERE id = 1", "'repeat'"),
        ("UPDATE orders repeat SET status = 'x' WHERE repeat.status = repeat('x', 3)", "'repeat'"),
        ("DELETE FROM orders AS repeat WHERE status = repeat('x', 3)", "'repeat'"),
        ("INSERT INTO orders AS repeat (status) VALUES (repeat('x', 3))", "'repeat'"),
        ("INSERT INTO orders (status) SELECT repeat(a, 3) FROM customers AS repeat (a)", "'repeat'"),
        ("UPDATE orders SET status = (SELECT decrypt('a', 'b', 'c') FROM customers decrypt) WHERE id = 1", "'decrypt'"),
        ("DELETE FROM orders WHERE id = 1; DELETE FROM orders WHERE id = 2", "more than one"),
        ("SELECT * FROM orders", "not an INSERT"),
        ("TRUNCATE orders", "refused"),
        ("MERGE INTO orders USING customers ON true WHEN MATCHED THEN DELETE", "refused"),
        ("UPDATE orders SET total = shop_wipe() WHERE id = 1", "'shop_wipe'"),
        ("DELETE FROM orders WHERE CURRENT OF c", "refused"),
        ("UPDATE orders SET total = 1 WHERE id = 1 -- x", "comment"),
        ("DELETE FROM orders WHERE id = 0x1F", "0x1F"),
        ("DELETE FROM orders AS o WHERE o.id = (SELECT t.lo_creat FROM unnest(ARRAY[-1]) t)", "'lo_creat'"),
        ("UPDATE orders SET status = user WHERE id = 1", "USER"),
        ("INSERT INTO secrets (id) WITH secrets AS (SELECT 1 AS n) SELECT n FROM secrets", "not among those"),
    ],
)
def test_a_change_that_says_more_than_it_may_is_refused(statement: str, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        check_change(statement, ("orders",), ("customers",))


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT count(*) FROM generate_series(1, 10000)",
        "SELECT n FROM generate_series(-5, 20000, 10) AS g(n)",
        "SELECT d FROM generate_series('2000-01-01'::date, '2026-12-31', '1 day') AS d",
        "SELECT d FROM generate_series(date '2026-01-01', timestamp '2026-12-31 10:00', interval '1 month') AS d",
        "SELECT a, b FROM generate_series(1, 100) a, generate_series(100, 1, -1) b",
        "SELECT replace(replace(replace(name, ' ', ''), '-', ''), '/', ' - ') FROM customers",
        "SELECT regexp_replace(regexp_replace(name, '[0-9]+', '#'), ' +', ' '), replace(name, $1, $2) FROM customers",
    ],
)
def test_rows_and_texts_of_a_bounded_size_are_made(statement: str) -> None:
    assert check_query(statement, TABLES).sql == statement


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("SELECT string_agg('x', '') FROM generate_series(1, 9000000)", "more than 10,000 rows"),
        ("SELECT generate_series(1, -20000, -1)", "more than 10,000 rows"),
        ("SELECT array_agg(a) FROM generate_series(1, 5000) a, generate_series(1, 5000) b", "more than 10,000 rows"),
        ("SELECT * FROM orders, LATERAL generate_series(1, orders.id) g", "how many rows"),
        ("SELECT * FROM generate_series(1, $1) g", "how many rows"),
        ("SELECT * FROM generate_series(1, 9 * 1000000) g", "how many rows"),
        ("SELECT * FROM generate_series(1, '9000000') g", "how many rows"),
        ("SELECT * FROM generate_series(1, 10, 0) g", "how many rows"),
        ("SELECT * FROM generate_series(1.5, 9e9) g", "how many rows"),
        ("SELECT * FROM generate_series('1000-01-01'::date, '2026-01-01', '1 second') g", "more than 10,000 rows"),
        ("SELECT * FROM generate_series('2026-01-01'::date, '2026-01-02', '1 microsecond') g", "how many rows"),
        ("SELECT * FROM generate_series('2026-01-01'::date, now(), '1 day') g", "how many rows"),
        ("SELECT replace(replace(name, 'a', 'LONG'), 'b', 'LONG') FROM customers", "1,000 times"),
        ("SELECT replace(replace(name, 'a', $1), 'b', $1) FROM customers", "replace within replace"),
        ("SELECT regexp_replace(replace(name, 'a', 'LONG'), '(.)', 'x' || id) FROM customers", "replace within"),
        ("SELECT upper(regexp_replace(name, '', 'LONGLONGLONGLONGLONGLONG', 'g')) FROM customers", "1,000 times"),
        ("SELECT ctid FROM orders", "server's own"),
        ('SELECT o.xmin, "tableoid" FROM orders o', "server's own"),
        ("SELECT id FROM orders ORDER BY CTID", "server's own"),
    ],
)
def test_what_makes_rows_or_texts_of_any_size_or_reads_the_servers_columns_is_refused(
    statement: str, told: str
) -> None:
    with pytest.raises(InvalidInput, match=told):
        check_query(statement.replace("LONG", "x" * 200), TABLES)


@pytest.mark.parametrize(
    "condition",
    [
        "id IS NOT NULL OR true",
        "id = 1 OR 1 = 1",
        "NOT (id = 1 AND false)",
        "(id = 1) OR NOT false",
        "id = 1 OR 'a' = 'a'",
        "id = id",
        "(id >= id)",
    ],
)
@pytest.mark.parametrize("change", ["DELETE FROM orders WHERE", "UPDATE orders SET total = 0 WHERE"])
def test_a_condition_that_comes_to_all_rows_is_refused(change: str, condition: str) -> None:
    with pytest.raises(InvalidInput, match="depends on no column"):
        check_change(f"{change} {condition}", TABLES, ())
    assert check_change(f"{change} id = 1 AND true", TABLES, ()).condition == "id = 1 AND TRUE"
