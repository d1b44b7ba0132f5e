"""Count how many copies of one value a statement's texts hold: PostgreSQL does not bound how long it makes a text.

A text that is joined to itself doubles. In each of thirty queries that build on each other (WITH, subqueries) that is
a gigabyte out of eight letters, long before the statement's time ends. Here each value that stands in the statement or
in a table counts as one, and what is made of several as their sum. A name that several queries may give stands for the
one with the most.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from sqlglot import exp

from pentad.tools.data.sql.growth import find_replace_growth
from pentad.tools.data.sql.scopes import find_cte, read_alias, read_name
from pentad.tools.data.sql.words import refuse

MOST_COPIES: Final = 1_000
"""That one value is made of."""
_UNKNOWN: Final = 100
"""Times as long, where it does not stand in the statement."""
_LIMIT: Final = 10**12
_ONE_OF: Final = (exp.Case, exp.If, exp.Coalesce, exp.Greatest, exp.Least, exp.Nullif)
_DOUBLING: Final = frozenset({"quote_literal", "to_json", "to_jsonb", "row_to_json"})
"""Each quote or backslash of their text becomes two."""
_QUERIES: Final = (exp.Select, exp.SetOperation, exp.Values, exp.Subquery)


def check_copies(root: exp.Expr) -> None:
    """Check that no text of a statement is made of too many copies.

    Raises:
        InvalidInput: one is, or its queries build on each other too deeply to tell.
    """
    copies = _Copies()
    try:
        for cte in root.find_all(exp.CTE):
            copies.count(cte)  # in their order, in which each builds on known ones
        for node in root.find_all(exp.DPipe, exp.Func, exp.Array):
            if copies.count(node) > MOST_COPIES:
                raise refuse(
                    f"a text is put together of more than {MOST_COPIES:,} copies, in queries that build on each other",
                    "join each text fewer times, or read what it is made of and join it where you use it",
                )
    except RecursionError:
        raise refuse("its queries build on each other too deeply", "write a simpler statement") from None


class _Copies:
    """Counts the copies of each node once."""

    def __init__(self) -> None:
        self._known: dict[int, int] = {}

    def count(self, node: exp.Expr) -> int:
        """Return how many copies a value is made of, at most."""
        if id(node) not in self._known:
            self._known[id(node)] = min(_LIMIT, self._find(node))
        return self._known[id(node)]

    def _find(self, node: exp.Expr) -> int:
        if isinstance(node, exp.Column):
            return self._count_column(node)
        if isinstance(node, (*_QUERIES, exp.CTE, exp.Table, exp.Lateral)):
            return self._count_query(node)
        if isinstance(node, exp.Predicate | exp.Connector | exp.Not):
            return 1
        if isinstance(node, exp.Binary):
            parts = [self.count(one) for one in _iter_operands(node)]
            return sum(parts) if isinstance(node, exp.DPipe) else max(parts)
        inside = [self.count(one) for one in node.iter_expressions()]
        if isinstance(node, _ONE_OF):
            return max(inside, default=1)
        return max(1, sum(inside)) * _find_factor(node)

    def _count_column(self, node: exp.Column) -> int:
        name, table = read_name(node.this), read_name(node.args.get("table"))
        found = 1
        for source in _iter_visible(node):
            alias = read_alias(source) or (read_name(source.this) if isinstance(source, exp.Table) else "")
            if table and alias != table:
                continue
            columns = _count_columns(source) if not table and alias == name else 1
            found = max(found, self.count(source) * columns)
        return found

    def _count_query(self, node: exp.Expr) -> int:
        """Return the copies of the column with the most."""
        if isinstance(node, exp.Table):
            cte = find_cte(node) if isinstance(node.this, exp.Identifier) and not node.args.get("db") else None
            inner = cte if cte is not None else node.this
            own = 1 if isinstance(inner, exp.Identifier) else self.count(inner)
            return max([own, *(self.count(one.this) for one in node.args.get("joins") or ())])
        if isinstance(node, exp.SetOperation):
            return max(self.count(one) for one in _iter_operands(node))
        if isinstance(node, exp.Select):
            stars = any(one.find(exp.Star) is not None for one in node.expressions)
            sources = [self.count(one) for one in _list_sources(node)] if stars else []
            return max([1, *sources, *(self.count(one) for one in node.expressions if not isinstance(one, exp.Star))])
        if isinstance(node, exp.Values):
            return max((self.count(one) for row in node.expressions for one in row.iter_expressions()), default=1)
        return max([self.count(node.this), *(self.count(one.this) for one in node.args.get("joins") or ())])


def _iter_operands(node: exp.Expr) -> Iterator[exp.Expr]:
    """Yield what stands between the same signs: a chain of them is as deep as it is long."""
    kind = type(node)
    while isinstance(node, kind):
        yield node.args["expression"]
        node = node.this
    yield node


def _iter_visible(node: exp.Expr) -> Iterator[exp.Expr]:
    """Yield what stands in FROM of the queries around a name: of those that it stands in itself, what comes before."""
    inner: exp.Expr = node
    outer = node.parent
    within = {id(node)}
    while outer is not None:
        within.add(id(outer))
        # A query of WITH does not see what stands in FROM of the one that it is for.
        if isinstance(outer, exp.Select | exp.Update | exp.Delete) and outer.args.get("with_") is not inner:
            for source in _list_sources(outer):
                if id(source) in within:
                    break
                yield source
        inner, outer = outer, outer.parent


def _list_sources(query: exp.Expr) -> list[exp.Expr]:
    """Return what stands in FROM, in order, that of joins in parentheses too."""
    found: list[Any] = [query.args.get("from_"), *(query.args.get("joins") or ()), *(query.args.get("laterals") or ())]
    using = query.args.get("using") or ()
    found += using if isinstance(using, list) else [using]
    sources = [one.this if isinstance(one, exp.From | exp.Join) else one for one in found if one is not None]
    return list(_iter_joined(sources))


def _iter_joined(sources: Iterable[Any]) -> Iterator[exp.Expr]:
    for source in sources:
        if isinstance(source, exp.Expr):
            yield source
            yield from _iter_joined(one.this for one in source.args.get("joins") or ())


def _count_columns(source: exp.Expr) -> int:
    """Return how many columns a source's whole row has, where a query of the statement says it."""
    query: Any = find_cte(source) if isinstance(source, exp.Table) else source
    while isinstance(query, exp.CTE | exp.Subquery | exp.Lateral | exp.SetOperation):
        query = query.this
    return max(1, len(query.expressions)) if isinstance(query, exp.Select) else 1


def _find_factor(node: exp.Expr) -> int:
    """Return how many times as long a call may make what it is given."""
    if isinstance(node, exp.Replace | exp.RegexpReplace):
        growth = find_replace_growth(node)
        return _UNKNOWN if growth is None else max(1, round(growth))
    name = node.name.lower() if isinstance(node, exp.Anonymous) else node.key
    if name == "format":
        arguments = list(node.iter_expressions())
        written = arguments[0] if arguments else None
        return max(1, written.name.count("%")) if isinstance(written, exp.Literal) else _UNKNOWN
    return 2 if name in _DOUBLING else 1
