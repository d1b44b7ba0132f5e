"""Keep metrics' dimensions bounded: each new value of one is a metric that is billed."""

from collections.abc import Callable, Collection, Mapping, Sequence

from pentad.observability.metrics.table import METRICS, MOST_TOLD_APART, OTHER, PROVIDER, Dimension

_MAX_LENGTH = 100
_MOST_REPORTS = 20
Sets = tuple[tuple[tuple[str, str], ...], ...]
"""The sets of dimensions that a value is written under, beside the stage alone."""
Report = Callable[[str, str, str], None]


def choose_told_apart(declared: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return, of each dimension with more declared names than are told apart, those that are: the first ones.

    Every process has to choose the same ones, or together they would tell all apart.

    Args:
        declared: by dimension, the names that a deployment has, each once, in the order in which they are preferred.
    """
    return {
        name: list(values[: MOST_TOLD_APART[name]])
        for name, values in declared.items()
        if len(values) > MOST_TOLD_APART[name]
    }


class Dimensions:
    """Lets a metric's own dimensions pass, with their values of the table; every other value is ``other``.

    Args:
        told_apart: what `choose_told_apart` chose. A dimension that is not there takes as many names as it may have in
            the life of the process, which are all that its deployment declares.
        report: is told of each value that became ``other``: metric, dimension and value; once each, up to 20.
    """

    def __init__(self, told_apart: Mapping[str, Collection[str]] | None = None, report: Report | None = None) -> None:
        self._chosen = {name: frozenset(values) for name, values in (told_apart or {}).items()}
        self._seen: dict[str, set[str]] = {}
        self._report = report
        self._reported: set[tuple[str, str]] = set()

    def limit(self, metric: str, dimensions: Mapping[str, str]) -> Sets:
        """Return the sets to write a value under; those of which it has no dimension are left out.

        Args:
            metric: its name; one that the table does not have is written under the stage alone.
            dimensions: those that were given; what the table does not have, and what is empty, is left out.
        """
        spec = METRICS.get(metric)
        if spec is None:
            return ()
        found = []
        for known in spec.sets:
            given = {one.name: str(dimensions.get(one.name, ""))[:_MAX_LENGTH] for one in known}
            pairs = self._limit_set(metric, known, given)
            if pairs:
                found.append(tuple(sorted(pairs.items())))
        return tuple(found)

    def _limit_set(self, metric: str, known: tuple[Dimension, ...], given: Mapping[str, str]) -> dict[str, str]:
        pairs: dict[str, str] = {}
        for one in known:
            value = given[one.name]
            if value and one is not PROVIDER:
                pairs[one.name] = value if self._passes(one, value) else self._fold(metric, one.name, value)
        if given.get(PROVIDER.name):
            pairs[PROVIDER.name] = OTHER if pairs.get("model") == OTHER else given[PROVIDER.name]
        return pairs

    def _passes(self, dimension: Dimension, value: str) -> bool:
        if dimension.values is not None:
            return value in dimension.values
        if dimension.name in self._chosen:
            return value in self._chosen[dimension.name]
        seen = self._seen.setdefault(dimension.name, set())
        if value not in seen and len(seen) >= MOST_TOLD_APART[dimension.name]:
            return False
        seen.add(value)
        return True

    def _fold(self, metric: str, dimension: str, value: str) -> str:
        new = value != OTHER and (dimension, value) not in self._reported
        if self._report is not None and new and len(self._reported) < _MOST_REPORTS:
            self._reported.add((dimension, value))
            self._report(metric, dimension, value)
        return OTHER
