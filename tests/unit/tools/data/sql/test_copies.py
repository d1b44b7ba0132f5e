"""Texts that double from query to query: refused before they are made, and what people write is not."""

import pytest

from pentad.domain.errors import InvalidInput
from pentad.tools.data.sql.statements import check_change, check_query

TABLES = ("orders", "customers")


def join(text: str, times: int) -> str:
    return "||".join([text] * times)


def double(first: str, step: str, times: int) -> str:
    """Return queries of which each is made of the one before."""
    one = "aNEXT AS (SELECT STEP AS s FROM aNUMBER)".replace("STEP", step)
    steps = [one.replace("NEXT", str(number + 1)).replace("NUMBER", str(number)) for number in range(times)]
    whole = "WITH a0 AS (SELECT FIRST AS s), STEPS SELECT s FROM aTIMES".replace("FIRST", first)
    return whole.replace("STEPS", ", ".join(steps)).replace("TIMES", str(times))


def write(statement: str) -> str:
    """Return a statement with a text of 600 copies where it says MANY, and a query of one where it says WIDE."""
    return statement.replace("WIDE", "(SELECT MANY AS s FROM orders)").replace("MANY", join("status", 600))


@pytest.mark.parametrize(
    "statement",
    [
        double("'xxxxxxxx'", "s||s", 24),
        double("status", "concat(s, s)", 10).replace("AS s)", "AS s FROM orders)", 1),
        double("'x'", "concat_ws(s, s, s, s)", 6),
        double("'x'", "coalesce(s||s, '')", 11),
        double("'x'", "CASE WHEN s = '' THEN s ELSE s||s END", 11),
        double("'x'", "CAST(s||s AS varchar)", 11),
        double("json_build_array(1, 1)", "json_build_array(s, s)", 10),
        double("array[1, 1]", "s||s", 10),
        double("'\"'", "to_json(s::text)::text", 11),
        double("''''", "quote_literal(s)", 11),
        double("'x'", f"replace(s, 'x', '{'x' * 40}')", 2),
        double("'x'", "replace(s, 'x', s)", 2),
        double("'x'", "regexp_replace(s, '', 'xxxxxxxxx', 'g')", 3),
        double("'x'", f"format('{'%1$s' * 20}', s)", 3),
        double("'x'", "(SELECT s||s)||s", 7),
        "SELECT a.s||a.s FROM WIDE a",
        "SELECT p||p FROM WIDE AS b(p)",
        "WITH a(q) AS WIDE SELECT b.p||b.p FROM a AS b(p)",
        "WITH a AS WIDE SELECT count(*) FROM orders JOIN a ON length(a.s||a.s) > 1",
        "WITH a AS (SELECT * FROM WIDE x) SELECT s||s FROM a",
        "WITH a AS (SELECT x.* FROM WIDE x) SELECT row_to_json(a)::text||row_to_json(a)::text FROM a",
        "WITH a AS (SELECT 'x' AS s UNION ALL WIDE) SELECT s||s FROM a",
        "WITH a AS (VALUES (WIDE)) SELECT column1||column1 FROM a",
        "SELECT l.z||l.z FROM orders, LATERAL (SELECT MANY AS z) l",
        "SELECT WIDE||WIDE",
        "SELECT id FROM orders WHERE length(WIDE||WIDE) > 1",
        "SELECT s||s FROM (orders JOIN WIDE a ON true)",
        "SELECT (SELECT s||s) FROM WIDE a",
        "SELECT u.v||u.v FROM WIDE a, unnest(array[a.s]) u(v)",
        "SELECT MANY||MANY FROM orders",
    ],
)
def test_a_text_that_grows_from_query_to_query_is_refused(statement: str) -> None:
    with pytest.raises(InvalidInput, match="more than 1,000 copies"):
        check_query(write(statement), TABLES)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT MANY||'x' FROM orders",
        double("status", "upper(s)||'!'", 40).replace("AS s)", "AS s FROM orders)", 1),
        double("id", "s + s", 40).replace("AS s)", "AS s FROM orders)", 1),
        "WITH a AS (SELECT c.name||' ('||o.status||')' AS t, o.* FROM orders o JOIN customers c ON c.id = o.customer),"
        " b AS (SELECT t||': '||total AS line FROM a) SELECT string_agg(line, '; ' ORDER BY line) FROM b",
        "SELECT CASE WHEN status = 'a' THEN upper(status) ELSE concat(status, '!') END FROM orders",
        "SELECT json_agg(json_build_object('id', id, 'status', status, 'total', total)) FROM orders",
        "WITH a AS (SELECT to_jsonb(orders) AS r FROM orders) SELECT jsonb_build_object('rows', jsonb_agg(r)) FROM a",
        "SELECT replace(replace(name, ' ', ''), '-', ' - ')||name FROM customers",
    ],
)
def test_what_reports_are_made_of_is_not(statement: str) -> None:
    assert check_query(write(statement), TABLES).sql


def test_what_is_written_is_looked_at_too() -> None:
    with pytest.raises(InvalidInput, match="more than 1,000 copies"):
        check_change(write("UPDATE orders SET status = a.s||a.s FROM WIDE a WHERE orders.id = 1"), ["orders"], [])
    with pytest.raises(InvalidInput, match="more than 1,000 copies"):
        check_change(write("INSERT INTO orders (status) SELECT s||s FROM WIDE a"), ["orders"], [])


def test_what_is_nested_too_deeply_to_tell_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def fall(self: object, node: object) -> int:
        raise RecursionError

    monkeypatch.setattr("pentad.tools.data.sql.copies._Copies.count", fall)
    with pytest.raises(InvalidInput, match="too deeply"):
        check_query("SELECT status||'!' FROM orders", TABLES)
