"""What the names in a statement stand for: tables, subqueries under a name, and the columns that these have."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from pentad.tools.data.sql.ports import NamedField
from pentad.tools.data.sql.words import fold, refuse

_OF_FUNCTIONS = frozenset({"key", "value", "ordinality"})
"""What the listed functions call their columns where no alias does."""


@dataclass(frozen=True)
class _Columns:
    """The columns of something in FROM: some by name, and all of some tables (with their schemas)."""

    names: frozenset[str] = frozenset()
    tables: frozenset[str] = frozenset()

    def __or__(self, other: "_Columns") -> "_Columns":
        return _Columns(self.names | other.names, self.tables | other.tables)


def find_cte(table: exp.Expr) -> exp.CTE | None:
    """Return the WITH query that a table's name stands for where it is used: an earlier one, or one around it."""
    name = read_name(table.this)
    inner: exp.Expr = table
    outer = table.parent
    while outer is not None:
        if isinstance(outer, exp.With):
            visible = outer.expressions[: _find_place(outer, inner)]
        else:
            around = outer.args.get("with_")
            visible = [] if around is None or around is inner else around.expressions
        for one in visible:
            if read_alias(one) == name:
                cte: exp.CTE = one
                return cte
        inner, outer = outer, outer.parent
    return None


def _find_place(around: exp.Expr, inner: exp.Expr) -> int:
    return next(place for place, one in enumerate(around.expressions) if one is inner)


def read_name(identifier: Any) -> str:
    """Return an identifier as PostgreSQL keeps it; empty: it is none."""
    if not isinstance(identifier, exp.Identifier):
        return ""
    return fold(identifier.name, quoted=bool(identifier.args.get("quoted")))


def read_table(table: exp.Expr) -> str:
    """Return a table's name with its schema."""
    return f"{read_name(table.args.get('db')) or 'public'}.{read_name(table.this)}"


def resolve_fields(root: exp.Expr, fields: Iterable[tuple[str, str]]) -> tuple[NamedField, ...]:
    """Return the fields that the words alone do not show to be columns, with the tables that would have to have them.

    ``alias.name`` calls the function ``name`` where the alias has no such column, so the database is asked before the
    statement runs. An alias that stands for several things in the statement must have the column in each.

    Args:
        root: the statement.
        fields: alias and name of each, as PostgreSQL keeps them.

    Raises:
        InvalidInput: queries build on each other more than can be followed.
    """
    sources = _Sources()
    by_alias: dict[str, list[_Columns]] = defaultdict(list)
    written = set()
    try:
        for node in root.find_all(exp.Table, exp.Subquery, exp.Lateral, exp.Unnest, exp.Values):
            by_alias[sources.read_alias(node)].append(sources.list_columns(node))
            if isinstance(node, exp.Table) and node.args.get("db"):
                written.add((read_name(node.args["db"]), read_name(node.this)))
    except RecursionError:
        raise refuse("its queries build on each other too deeply", "write a simpler statement") from None
    open_fields = []
    for alias, name in dict.fromkeys(fields):
        if alias not in by_alias and (alias, name) in written:
            continue  # a schema and its table
        missing = [tuple(sorted(one.tables)) for one in by_alias.get(alias, [_Columns()]) if name not in one.names]
        if missing:
            open_fields.append(NamedField(name=name, sources=tuple(missing)))
    return tuple(open_fields)


class _Sources:
    """Finds the columns of what stands in FROM, each once."""

    def __init__(self) -> None:
        self._known: dict[int, _Columns] = {}

    def read_alias(self, node: exp.Expr) -> str:
        return read_alias(node) or (read_name(node.this) if isinstance(node, exp.Table) else "")

    def list_columns(self, node: exp.Expr) -> _Columns:
        if id(node) not in self._known:
            self._known[id(node)] = self._find_columns(node)
        return self._known[id(node)]

    def _find_columns(self, node: exp.Expr) -> _Columns:
        alias = node.args.get("alias")
        if isinstance(alias, exp.TableAlias) and alias.args.get("columns"):
            return _Columns(frozenset(read_name(one) for one in alias.args["columns"]))
        if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
            cte = None if node.args.get("db") else find_cte(node)
            return _Columns(tables=frozenset({read_table(node)})) if cte is None else self.list_columns(cte)
        if isinstance(node, exp.CTE | exp.Subquery):
            return self._list_of_query(node.this) | self._join(node.args.get("joins") or ())
        if isinstance(node, exp.Lateral) and isinstance(node.this, exp.Subquery):
            return self.list_columns(node.this)
        return _Columns(_OF_FUNCTIONS | {read_alias(node)})

    def _list_of_query(self, query: exp.Expr) -> _Columns:
        if isinstance(query, exp.SetOperation):
            return self._list_of_query(query.this)
        if isinstance(query, exp.Subquery | exp.Table):
            return self.list_columns(query)
        if not isinstance(query, exp.Select):
            return _Columns()
        sources = [one.this for one in (query.args.get("from_"), *(query.args.get("joins") or ())) if one is not None]
        sources += query.args.get("laterals") or ()
        found = _Columns()
        for one in query.expressions:
            if isinstance(one, exp.Star):
                found |= self._join(sources)
            elif isinstance(one, exp.Column) and isinstance(one.this, exp.Star):
                table = read_name(one.args.get("table"))
                found |= self._join(source for source in sources if self.read_alias(source) == table)
            elif isinstance(one, exp.Alias | exp.Column):
                found |= _Columns(frozenset({read_name(one.args["alias" if isinstance(one, exp.Alias) else "this"])}))
        return found

    def _join(self, nodes: Iterable[Any]) -> _Columns:
        found = _Columns()
        for node in nodes:
            found |= self.list_columns(node.this if isinstance(node, exp.Join) else node)
        return found


def read_alias(node: exp.Expr) -> str:
    """Return the name that something in FROM has by ``AS``, as PostgreSQL keeps it; empty: it has none."""
    alias = node.args.get("alias")
    return read_name(alias.this if isinstance(alias, exp.TableAlias) else alias)
