"""Check a statement before it is sent, for a message that helps. The wall behind it is what the role is granted.

What could be read in two ways by two parsers is refused as text first: comments, dollar quotes, strings with escapes.
Then the tree is held against a list of what is allowed; what is not on it is refused, whatever it is.
"""

import itertools
import logging
import re
from collections.abc import Collection, Iterable
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from pentad.domain.errors import InvalidInput
from pentad.tools.data.sql.functions import ALLOWED, BEFORE_PARENTHESES
from pentad.tools.data.sql.ports import TableChange

MAX_STATEMENT = 10_000
_MOST_NODES = 5_000
_MOST_LEVELS = 50
_WORDS = re.compile(
    r"""(?P<string>'(?:[^']|'')*+')|(?P<quoted>"(?:[^"]|"")*+")|(?P<word>[^\W\d][\w$]*)|(?P<parameter>\$\d{1,3}(?![\w$]))"""
    r"""|(?P<number>\d[\w.]*)|(?P<space>\s+)|(?P<comment>--|/\*|\*/)|(?P<sign>[^\w\s'"$])|(?P<other>.)""",
    re.DOTALL,
)
_PREFIXED_STRINGS = frozenset({"e", "b", "x", "n", "u&", "u"})
_SYSTEM = re.compile(r"(?:pg_|lo_|dblink|information_schema)", re.IGNORECASE)
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
)
_REFUSED_NODES = (
    *(exp.ObjectIdentifier, exp.PseudoType, exp.Dot, exp.Operator, exp.Command, exp.DDL, exp.DML, exp.CurrentUser),
    *(exp.SessionUser, exp.CurrentRole, exp.CurrentSchema, exp.CurrentCatalog, exp.CurrentVersion),
)
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


def check_query(sql: str, tables: Collection[str]) -> str:
    """Return a statement that reads, as it is sent: without the semicolon at its end.

    Args:
        sql: the statement; values stand as $1, $2, ...
        tables: what it may read, in lower case, ``orders`` or ``sales.orders``.

    Raises:
        InvalidInput: it is not one statement that only reads these tables; it says what is wrong.
    """
    text, root = _parse(sql)
    if not isinstance(root, exp.Select | exp.SetOperation | exp.Values | exp.Subquery):
        raise _refuse(_explain(root) or "it is not a SELECT", "write one SELECT, or WITH ... SELECT")
    _check_nodes(root, ())
    _check_calls(text, root)
    _check_tables(root, tables, root.find_all(exp.Table))
    return text


def check_change(sql: str, tables: Collection[str], reads: Collection[str]) -> TableChange:
    """Return a statement that changes rows of one table.

    Args:
        sql: an INSERT, an UPDATE or a DELETE; values stand as $1, $2, ...
        tables: what it may change.
        reads: what its conditions and values may read beside these.

    Raises:
        InvalidInput: it is none, or changes more than it says.
    """
    text, root = _parse(sql)
    if not isinstance(root, exp.Insert | exp.Update | exp.Delete):
        raise _refuse(_explain(root) or "it is not an INSERT, UPDATE or DELETE", "write one of these")
    _check_nodes(root, (root,))
    _check_calls(text, root)
    _check_change_parts(root)
    target = root.this.this if isinstance(root.this, exp.Schema) else root.this
    if not isinstance(target, exp.Table):
        raise _refuse("it does not name one table", "name one table that is changed")
    _check_tables(root, tables, [target])
    rest = (table for table in root.find_all(exp.Table) if table is not target)
    _check_tables(root, {*tables, *reads}, rest)
    schema = target.db or "public"
    condition, numbers = _extract_condition(root)
    return TableChange(
        kind=root.key,
        table=f"{schema}.{target.name}",
        name=target.alias or target.name,
        sql=text,
        condition=condition,
        condition_parameters=numbers,
        columns=_list_columns(root),
    )


def _extract_condition(root: exp.Expr) -> tuple[str, tuple[int, ...]]:
    """Return the WHERE as a statement of its own has it: its values are $1, $2, ...; with their places in the whole."""
    where = root.args.get("where")
    if where is None:
        return "", ()
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
        return frozenset(one.this.name for one in root.expressions) if plain else None
    if isinstance(root, exp.Insert) and isinstance(root.this, exp.Schema):
        return frozenset(one.name for one in root.this.expressions)
    return None


def _check_change_parts(root: exp.Expr) -> None:
    for part, words in (("with_", "WITH"), ("with", "WITH"), ("from_", "FROM"), ("from", "FROM"), ("using", "USING")):
        if root.args.get(part) and not (isinstance(root, exp.Delete) and part.startswith("from")):
            raise _refuse(f"{words} is not allowed in a change", "put a SELECT into the condition")
    if isinstance(root, exp.Insert):
        if root.args.get("default") or not isinstance(root.expression, exp.Values | exp.Select):
            raise _refuse("it does not say which values it inserts", "write INSERT INTO t (a, b) VALUES ($1, $2)")
        return
    where = root.args.get("where")
    if where is None:
        raise _refuse(f"the {root.key.upper()} has no WHERE", "say which rows: a condition on a column")
    if where.find(exp.Column) is None:
        raise _refuse("the WHERE names no column, so it is all rows or none", "say which rows by a column")


def _parse(sql: str) -> tuple[str, exp.Expr]:
    if len(sql) > MAX_STATEMENT:
        raise _refuse(f"it has {len(sql):,} characters", f"use at most {MAX_STATEMENT:,}")
    text = _check_words(sql)
    logger = logging.getLogger("sqlglot")
    was, logger.disabled = logger.disabled, True  # it warns of statements that it does not know, with their text
    try:
        statements = sqlglot.parse(text, dialect="postgres")
    except (SqlglotError, RecursionError) as error:
        first = getattr(error, "errors", None) or [{}]
        said, line = first[0].get("description", "it is nested too deeply"), first[0].get("line", 1)
        raise _refuse(f"it can't be read: {said} (line {line})", "write plain PostgreSQL; values as $1, $2") from error
    finally:
        logger.disabled = was
    if len(statements) != 1 or statements[0] is None:
        raise _refuse(f"it is {len(statements)} statements", "send one statement a call")
    root: Any = statements[0]
    return text, root


def _check_words(sql: str) -> str:
    """Refuse what two parsers may read differently, and functions that are not allowed by the names as they stand."""
    tokens = [(str(match.lastgroup), match[0]) for match in _WORDS.finditer(sql) if match.lastgroup != "space"]
    while tokens and tokens[-1][1] == ";":
        tokens.pop()
    text = sql.rstrip().rstrip("; \t\r\n\f\v")
    _check_depth(word for kind, word in tokens if kind == "sign")
    for place, (kind, word) in enumerate(tokens):
        before = tokens[place - 1] if place else ("", "")
        if kind == "comment":
            raise _refuse("it holds a comment", "leave comments out")
        if kind == "other" or word in ("\\", "`", "\x00"):
            raise _refuse(f"{word!r} is not allowed outside of a text in quotes", "write texts as 'text', or as $1")
        if word == ";":
            raise _refuse("it is more than one statement", "send one statement a call")
        if kind in ("string", "quoted") and (before[1].lower() in _PREFIXED_STRINGS or before[1] == "&"):
            raise _refuse("strings with a prefix (E'...', U&'...') are not allowed", "write 'text', or pass it as $1")
        if kind == "quoted" and place + 1 < len(tokens) and tokens[place + 1][1] == "(":
            raise _refuse(f"{word[:60]} is a name in quotes before '('", "write functions' names without quotes")
    return text


def _check_depth(signs: Iterable[str]) -> None:
    depth = 0
    for sign in signs:
        depth += (sign in "([") - (sign in ")]")
        if depth > _MOST_LEVELS:
            raise _refuse(f"it is nested more than {_MOST_LEVELS} levels deep", "write a simpler statement")


def _check_nodes(root: exp.Expr, allowed: tuple[exp.Expr, ...]) -> None:
    extra = (exp.Schema,) if isinstance(root, exp.Insert) else ()
    for count, node in enumerate(root.walk()):
        if count > _MOST_NODES:
            raise _refuse("it is too long", "write a shorter statement")
        if any(node is one for one in allowed):
            continue
        if isinstance(node, _REFUSED_NODES) or not isinstance(node, (*_PLAIN_NODES, *extra)):
            raise _refuse(_explain(node) or f"{node.key.upper()} is not allowed", "leave it out")
        _check_node(node)


def _check_node(node: exp.Expr) -> None:
    if isinstance(node, exp.With) and node.args.get("recursive"):
        raise _refuse("WITH RECURSIVE may never end", "leave RECURSIVE out")
    if isinstance(node, exp.Column) and (node.catalog or _SYSTEM.match(node.db or "")):
        raise _refuse(f"'{node.sql()[:60]}' names a database or a catalog", "name columns as table.column")
    if isinstance(node, exp.DataType) and _SYSTEM.match(str(node.args.get("kind") or "")):
        raise _refuse("it casts to a type of the server's own", "cast to a type such as text or numeric")
    if isinstance(node, exp.Parameter) and not str(node.this).isdigit():
        raise _refuse("a parameter is no $1, $2, ...", "write $1 for the first value")


def _check_calls(text: str, root: exp.Expr) -> None:
    """Refuse functions by their names as they stand in the text; the tree has names of its own for many."""
    tokens = [match for match in _WORDS.finditer(text) if match.lastgroup != "space"]
    called = {
        word[0].lower()
        for word, after in itertools.pairwise(tokens)
        if word.lastgroup == "word" and after[0] == "(" and word[0].lower() not in BEFORE_PARENTHESES
    }
    # "AS x (a, b)" gives columns names, and INSERT INTO x (a, b) lists them: neither calls anything.
    named = {one.name.lower() for one in root.find_all(exp.TableAlias)}
    if isinstance(root, exp.Insert) and isinstance(root.this, exp.Schema):
        named.add(root.this.this.name.lower())
    for name in sorted(called - ALLOWED):
        if name not in named or _SYSTEM.match(name):
            raise _refuse(f"the function '{name[:60]}' is not allowed", "compute it from what is, or leave it out")
    for node in root.find_all(exp.Anonymous):
        if node.name.lower() not in ALLOWED:
            raise _refuse(f"the function '{node.name[:60]}' is not allowed", "leave it out")


def _check_tables(root: exp.Expr, tables: Collection[str], found: Iterable[Any]) -> None:
    own = {cte.alias.lower() for cte in root.find_all(exp.CTE)}
    for table in found:
        if isinstance(table.this, exp.Func):  # a function in FROM, which is checked as one
            continue
        schema, name = table.db, table.name
        if table.catalog:
            raise _refuse(f"'{table.sql()[:60]}' names another database", "name tables as schema.table")
        if not schema and name.lower() in own and not _SYSTEM.match(name):
            continue
        shown = f"{schema}.{name}" if schema and schema != "public" else name
        if shown not in {one.removeprefix("public.") for one in tables}:
            raise _refuse(
                f"the table '{shown[:60]}' is not among those that may be used",
                f"use {', '.join(sorted(tables)[:20])}",
            )


def _explain(node: exp.Expr) -> str | None:
    return next((words for kind, words in _REASONS if isinstance(node, kind)), None)


def _refuse(message: str, fix: str) -> InvalidInput:
    return InvalidInput(f"the statement is refused: {message}", field="statement", fix=fix)
