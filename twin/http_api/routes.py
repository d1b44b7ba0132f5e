"""Choose the route of a request as API Gateway does: static before parameters before greedy before $default."""

from collections.abc import Iterable
from dataclasses import dataclass

from twin.deploy.deployment import HttpRoute

DEFAULT = "$default"


@dataclass(frozen=True)
class RouteMatch:
    """The chosen route and the values of its path parameters."""

    route: HttpRoute
    parameters: dict[str, str]


class RouteTable:
    """The routes of one API, most specific first."""

    def __init__(self, routes: Iterable[HttpRoute]) -> None:
        self._default: HttpRoute | None = None
        self._routes: list[tuple[str, list[str], HttpRoute]] = []
        for route in routes:
            if route.key == DEFAULT:
                self._default = route
                continue
            method, path = route.key.split(" ", 1)
            self._routes.append((method, _split_path(path), route))
        self._routes.sort(key=lambda entry: _specificity(entry[0], entry[1]))

    def match(self, method: str, path: str) -> RouteMatch | None:
        """Return the route for `method` and the decoded `path` (without the stage), or None."""
        segments = _split_path(path)
        for wanted, pattern, route in self._routes:
            if wanted in (method, "ANY"):
                parameters = _match(pattern, segments)
                if parameters is not None:
                    return RouteMatch(route, parameters)
        return RouteMatch(self._default, {}) if self._default else None


def _split_path(path: str) -> list[str]:
    return path.removeprefix("/").split("/")


def _specificity(method: str, pattern: list[str]) -> tuple[list[int], int, bool]:
    """Sort key: a greedy parameter comes after any exact length, ANY after a named method."""
    kinds = [2 if part.endswith("+}") else 1 if part.startswith("{") else 0 for part in pattern]
    greedy = 2 in kinds
    return ([int(greedy), *kinds], -len(pattern), method == "ANY")


def _match(pattern: list[str], segments: list[str]) -> dict[str, str] | None:
    parameters: dict[str, str] = {}
    for index, part in enumerate(pattern):
        if part.endswith("+}"):
            rest = "/".join(segments[index:])
            return {**parameters, part[1:-2]: rest} if rest else None
        if index >= len(segments):
            return None
        if part.startswith("{") and part.endswith("}"):
            if not segments[index]:
                return None
            parameters[part[1:-1]] = segments[index]
        elif part != segments[index]:
            return None
    return parameters if len(segments) == len(pattern) else None
