"""Check a statement before it is sent, for a message that helps. The wall behind it is what the role is granted.

What could be read in two ways by two parsers is refused as text first: comments, dollar quotes, strings with escapes.
Then the tree is held against a list of what is allowed; what is not on it is refused, whatever it is.
"""

import logging
import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.simplify import simplify

from pentad.tools.data.sql.copies import check_copies
from pentad.tools.data.sql.functions import ALLOWED
from pentad.tools.data.sql.growth import check_growth
from pentad.tools.data.sql.ports import CheckedQuery, NamedField, TableChange
from pentad.tools.data.sql.scopes import find_cte, read_name, read_table, resolve_fields
from pentad.tools.data.sql.words import SYSTEM, Word, list_called, list_fields, part_parameters, read_words, refuse

MAX_STATEMENT = 10_000
_MOST_NODES = 5_000
_PLAIN_NODES = (
    *(exp.Select, exp.SetOperation, exp.With, exp.CTE, exp.Subquery, exp.From, exp.Join, exp.Lateral, exp.Table),
    *(exp.TableAlias, exp.Where, exp.Group, exp.Having, exp.Order, exp.Ordered, exp.Limit, exp.Offset, exp.Fetch),
    *(exp.Distinct, exp.Window, exp.WindowSpec, exp.Filter, exp.WithinGroup, exp.Column, exp.Identifier, exp.Literal),
    *(exp.Boolean, exp.Null, exp.Star, exp.Alias, exp.Aliases, exp.Parameter, exp.Tuple, exp.Values, exp.Binary),
    *(
        exp.Unary,
        exp.Connector,
        exp.Predicate,
        exp.Case,
        exp.If,
        exp.DataType,
        exp.DataTypeParam,
        exp.Interval,
        exp.Var,
    ),
    *(exp.In, exp.Between, exp.Bracket, exp.Slice, exp.Cube, exp.Rollup, exp.GroupingSets, exp.AtTimeZone, exp.Func),
    *(exp.JSONPath, exp.JSONPathPart, exp.IgnoreNulls, exp.RespectNulls, exp.IntervalSpan),
    # The parser takes f(data -> 'key') for a lambda.
    *(exp.Lambda, exp.LimitOptions),
    *(exp.HexString, exp.BitString),
)
_REFUSED_NODES = (
    *(exp.ObjectIdentifier, exp.PseudoType, exp.Dot, exp.Operator, exp.Command, exp.DDL, exp.DML, exp.CurrentUser),
    *(exp.SessionUser, exp.CurrentRole, exp.CurrentSchema, exp.CurrentCatalog, exp.CurrentVersion),
)
_SYSTEM_COLUMNS = frozenset({"cmax", "cmin", "ctid", "tableoid", "xmax", "xmin"})
_REASONS: tuple[tuple[type[exp.Expr], str], ...] = (
    (exp.Lock, "it locks rows (FOR UPDATE, FOR SHARE)"),
    (exp.Into, "SELECT INTO makes a table"),
    (exp.Insert, "it inserts rows"),
    (exp.Update, "it updates rows"),
    (exp.Delete, "it deletes rows"),
    (exp.DDL, "it changes the database itself"),
    (exp.Command, "it is a command of the server"),
    (exp.ObjectIdentifier, "it names an object of the server (regclass and the like)"),
    (exp.Returning, "RETURNING is added by the tool"),
    (exp.OnConflict, "ON CONFLICT is not allowed"),
    (exp.Operator, "OPERATOR(...) is not allowed"),
    (exp.Dot, "functions with a schema, and fields of rows, are not allowed"),
)


def check_query(sql: str, tables: Collection[str]) -> CheckedQuery:
    """Return a statement that reads, as it is sent: without the semicolon at its end.

    Args:
        sql: the statement; values stand as $1, $2, ...
        tables: what it may read, in lower case, ``orders`` or ``sales.orders``.

    Raises:
        InvalidInput: it is not one statement that only reads these tables; it says what is wrong.
    """
    text, words, root = _parse(sql)
    if not isinstance(root, exp.Select | exp.SetOperation | exp.Values | exp.Subquery):
        raise refuse(_explain(root) or "it is not a SELECT", "write one SELECT, or WITH ... SELECT")
    _check_nodes(root, ())
    _check_calls(text, root)
    check_growth(root)
    check_copies(root)
    _check_tables(tables, root.find_all(exp.Table))
    return CheckedQuery(text, _list_open_fields(words, root))


def check_change(sql: str, tables: Collection[str], reads: Collection[str]) -> TableChange:
    """Return a statement that changes rows of one table.

    Args:
        sql: an INSERT, an UPDATE or a DELETE; values stand as $1, $2, ...
        tables: what it may change.
        reads: what its conditions and values may read beside these.

    Raises:
        InvalidInput: it is none, or changes more than it says.
    """
    text, words, root = _parse(sql)
    if not isinstance(root, exp.Insert | exp.Update | exp.Delete):
        raise refuse(_explain(root) or "it is not an INSERT, UPDATE or DELETE", "write one of these")
    _check_nodes(root, (root,))
    _check_calls(text, root)
    check_growth(root)
    check_copies(root)
    _check_change_parts(root)
    target = root.this.this if isinstance(root.this, exp.Schema) else root.this
    if not isinstance(target, exp.Table):
        raise refuse("it does not name one table", "name one table that is changed")
    _check_tables(tables, [target])
    rest = (table for table in root.find_all(exp.Table) if table is not target)
    _check_tables({*tables, *reads}, rest)
    condition, numbers = _extract_condition(root)
    return TableChange(
        kind=root.key,
        table=read_table(target),
        name=_read_known_name(target),
        sql=text,
        condition=condition,
        condition_parameters=numbers,
        columns=_list_columns(root),
        fields=_list_open_fields(words, root),
    )


def _read_known_name(target: exp.Table) -> str:
    alias = target.args.get("alias")
    return read_name(alias.this) if isinstance(alias, exp.TableAlias) else read_name(target.this)


def _list_open_fields(words: Sequence[Word], root: exp.Expr) -> tuple[NamedField, ...]:
    return resolve_fields(root, list_fields(words))


def _extract_condition(root: exp.Expr) -> tuple[str, tuple[int, ...]]:
    """Return the WHERE as a statement of its own has it: its values are $1, $2, ...; with their places in the whole."""
    where = root.args.get("where")
    if where is None:
        return "", ()
    if where.find(exp.HexString, exp.BitString):
        raise refuse("numbers such as 0x1F are not allowed in the WHERE of a change", "write them as decimals")
    condition = where.this.copy()
    numbers: list[int] = []
    for node in condition.find_all(exp.Parameter):
        number = int(str(node.this))
        if number not in numbers:
            numbers.append(number)
        node.set("this", exp.Literal.number(numbers.index(number) + 1))
    return condition.sql(dialect="postgres"), tuple(numbers)


def _list_columns(root: exp.Expr) -> frozenset[str] | None:
    """Return the columns that a statement sets; None: not known, or all."""
    if isinstance(root, exp.Update):
        plain = all(isinstance(one, exp.EQ) and isinstance(one.this, exp.Column) for one in root.expressions)
        return frozenset(read_name(one.this.this) for one in root.expressions) if plain else None
    if isinstance(root, exp.Insert) and isinstance(root.this, exp.Schema):
        return frozenset(read_name(one) for one in root.this.expressions)
    return None


def _check_change_parts(root: exp.Expr) -> None:
    for part, words in (("with_", "WITH"), ("with", "WITH"), ("from_", "FROM"), ("from", "FROM"), ("using", "USING")):
        if root.args.get(part) and not (isinstance(root, exp.Delete) and part.startswith("from")):
            raise refuse(f"{words} is not allowed in a change", "put a SELECT into the condition")
    if isinstance(root, exp.Insert):
        if root.args.get("default") or not isinstance(root.expression, exp.Values | exp.Select):
            raise refuse("it does not say which values it inserts", "write INSERT INTO t (a, b) VALUES ($1, $2)")
        return
    where = root.args.get("where")
    if where is None:
        raise refuse(f"the {root.key.upper()} has no WHERE", "say which rows: a condition on a column")
    if not _depends_on_column(where.this):
        raise refuse("the WHERE depends on no column, so it is all rows or none", "say which rows by a column")


def _depends_on_column(condition: exp.Expr) -> bool:
    """Tell whether a condition may choose rows: of ``id IS NOT NULL OR true`` and of ``id = id`` only true is left."""
    if condition.find(exp.Column) is None:
        return False
    plain: exp.Expr = condition.copy().transform(
        lambda node: (
            exp.true() if isinstance(node, exp.EQ | exp.GTE | exp.LTE) and node.this == node.expression else node
        )
    )
    left: exp.Expr = simplify(plain, dialect="postgres")
    return left.find(exp.Column) is not None


def _parse(sql: str) -> tuple[str, list[Word], exp.Expr]:
    if len(sql) > MAX_STATEMENT:
        raise refuse(f"it has {len(sql):,} characters", f"use at most {MAX_STATEMENT:,}")
    words = read_words(sql)
    text = sql.rstrip().rstrip("; \t\r\n\f\v")
    logger = logging.getLogger("sqlglot")
    was, logger.disabled = logger.disabled, True  # it warns of statements that it does not know, with their text
    try:
        statements = sqlglot.parse(part_parameters(text), dialect="postgres")
    except RecursionError as error:
        raise refuse("it can't be read: it is nested too deeply", "write a simpler statement") from error
    except SqlglotError as error:
        first = (getattr(error, "errors", None) or [{}])[0]
        said = f": {first['description']} (line {first.get('line', 1)})" if first.get("description") else ""
        raise refuse(f"it can't be read{said}", "write plain PostgreSQL; values as $1, $2") from error
    finally:
        logger.disabled = was
    if len(statements) != 1 or statements[0] is None:
        raise refuse(f"it is {len(statements)} statements", "send one statement per call")
    root: Any = statements[0]
    return text, words, root


def _check_nodes(root: exp.Expr, allowed: tuple[exp.Expr, ...]) -> None:
    extra = (exp.Schema,) if isinstance(root, exp.Insert) else ()
    for count, node in enumerate(root.walk()):
        if count > _MOST_NODES:
            raise refuse("it is too long", "write a shorter statement")
        if any(node is one for one in allowed):
            continue
        if isinstance(node, _REFUSED_NODES) or not isinstance(node, (*_PLAIN_NODES, *extra)):
            raise refuse(_explain(node) or f"{node.key.upper()} is not allowed", "leave it out")
        _check_node(node)


def _check_node(node: exp.Expr) -> None:
    if isinstance(node, exp.With) and node.args.get("recursive"):
        raise refuse("WITH RECURSIVE may never end", "leave RECURSIVE out")
    if isinstance(node, exp.Column) and (node.catalog or SYSTEM.match(node.db or "")):
        raise refuse(f"'{node.sql()[:60]}' names a database or a catalog", "name columns as table.column")
    if isinstance(node, exp.Column) and read_name(node.this) in _SYSTEM_COLUMNS:
        raise refuse(f"'{node.name}' is a column of the server's own", "name columns of the table")
    if isinstance(node, exp.DataType) and SYSTEM.match(str(node.args.get("kind") or "")):
        raise refuse("it casts to a system type", "cast to a type such as text or numeric")
    if isinstance(node, exp.Format):
        _check_format(node)
    if isinstance(node, exp.Parameter) and not str(node.this).isdecimal():
        raise refuse("parameters must be $1, $2, ...", "write $1 for the first value")


def _check_format(node: exp.Format) -> None:
    """Refuse widths that repeat a blank without bound: '%300000000s', '%*s', a format that only the server knows."""
    if not (isinstance(node.this, exp.Literal) and node.this.is_string):
        raise refuse("the format of FORMAT must be a text in quotes", "write it as 'text', or join texts with ||")
    if re.search(r"%[^%a-zA-Z]*(?:\*|[0-9]{4})", node.this.name.replace("%%", "")):
        raise refuse("FORMAT has a width of more than 999, or one that is a value", "leave the width out")


def _check_calls(text: str, root: exp.Expr) -> None:
    """Refuse functions by their names as they stand in the text; the tree has names of its own for many."""
    for name in sorted(list_called(part_parameters(text), _find_heads(root)) - ALLOWED):
        raise refuse(f"the function '{name[:60]}' is not allowed", "compute it from what is, or leave it out")
    for node in root.find_all(exp.Anonymous):
        if node.name.lower() not in ALLOWED:
            raise refuse(f"the function '{node.name[:60]}' is not allowed", "leave it out")


def _find_heads(root: exp.Expr) -> set[int]:
    """Return where names stand that a parenthesis with columns follows: ``AS x (a)``, ``WITH x (a)``, ``INTO x (a)``.

    Only these places call nothing. The same name elsewhere in the statement is a function's.
    """
    heads = [one.this for one in root.find_all(exp.TableAlias) if one.args.get("columns")]
    if isinstance(root, exp.Insert) and isinstance(root.this, exp.Schema):
        table = root.this.this
        alias = table.args.get("alias")
        heads.append(alias.this if isinstance(alias, exp.TableAlias) else table.this)
    return {
        one.meta["start"]
        for one in heads
        if isinstance(one, exp.Identifier) and "start" in one.meta and not SYSTEM.match(one.name)
    }


def _check_tables(tables: Collection[str], found: Iterable[Any]) -> None:
    listed = {one.removeprefix("public.") for one in tables}
    for table in found:
        if not isinstance(table.this, exp.Identifier):  # a function in FROM, which is checked as one
            continue
        if table.catalog:
            raise refuse(f"'{table.sql()[:60]}' names another database", "name tables as schema.table")
        name = read_table(table).removeprefix("public.")
        if not table.args.get("db") and not SYSTEM.match(name) and find_cte(table) is not None:
            continue
        if name not in listed:
            raise refuse(
                f"the table '{name[:60]}' is not among those that may be used",
                f"use {', '.join(sorted(tables)[:20])}",
            )


def _explain(node: exp.Expr) -> str | None:
    return next((words for kind, words in _REASONS if isinstance(node, kind)), None)
