"""Keep metrics' dimensions bounded: each new value of one is a metric that is billed."""

from collections.abc import Mapping

from pentad.observability.metrics.names import DIMENSIONS, MAX_DIMENSIONS, MAX_VALUES, OTHER

_MAX_LENGTH = 100


class Dimensions:
    """Lets known dimensions pass, with at most 100 values each in the life of the process; later ones are ``other``."""

    def __init__(self) -> None:
        self._seen: dict[str, set[str]] = {}

    def limit(self, dimensions: Mapping[str, str]) -> dict[str, str]:
        """Return the dimensions that are known and not empty, sorted, at most five."""
        known = sorted((name, str(value)) for name, value in dimensions.items() if name in DIMENSIONS and str(value))
        return {name: self._limit_value(name, value[:_MAX_LENGTH]) for name, value in known[:MAX_DIMENSIONS]}

    def _limit_value(self, name: str, value: str) -> str:
        seen = self._seen.setdefault(name, set())
        if value not in seen and len(seen) >= MAX_VALUES:
            return OTHER
        seen.add(value)
        return value
