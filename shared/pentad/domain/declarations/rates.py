"""How many calls of a tool may run in a time: ``"20/minute per user, 1000/day per tenant"``."""

import re
from typing import Literal

from pydantic import Field

from pentad.domain.values import FrozenValue

RateScope = Literal["tool", "tenant", "user", "session"]
SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
MOST_CALLS = 1_000_000
_NARROWEST_FIRST = ("session", "user", "tenant", "tool")
_RATE = re.compile(r"(?P<calls>[1-9][0-9_]{0,9})\s*/\s*(?P<time>second|minute|hour|day)(?:\s+per\s+(?P<scope>[a-z]+))?")
EXAMPLE = '"20/minute per user, 1000/day per tenant"'


class Rate(FrozenValue):
    """At most so many calls of a tool at once and in a time, as a bucket of tokens that fills up steadily.

    ``tool`` counts the calls of all tenants together, ``tenant``, ``user`` and ``session`` those of one. A run without
    a user counts as its tenant's calls without a user.
    """

    calls: int = Field(ge=1, le=MOST_CALLS)
    seconds: int = Field(ge=1, le=86_400)
    scope: RateScope = "tenant"

    @property
    def interval_us(self) -> int:
        """Microseconds in which one token comes back, rounded up: never more calls than were declared."""
        return -(-self.seconds * 1_000_000 // self.calls)

    @property
    def words(self) -> str:
        """The rate as it is declared."""
        return f"{self.calls}/{next(name for name, length in SECONDS.items() if length == self.seconds)}"


def parse_rates(text: str) -> tuple[Rate, ...]:
    """Return the rates of a declaration, the narrowest first: a user that has none left takes none of its tenant's.

    Raises:
        ValueError: it is none; the message says which part, and how one is written.
    """
    found: dict[tuple[str, int], Rate] = {}
    for part in text.split(","):
        match = _RATE.fullmatch(part.strip())
        scope = match["scope"] or "tenant" if match else ""
        if match is None or scope not in _NARROWEST_FIRST:
            what = (
                f"'{part.strip()}' is not a rate" if match is None else f"'{scope}' is not a scope ({_list_scopes()})"
            )
            raise ValueError(f"{what}; write {EXAMPLE}")
        calls, seconds = int(match["calls"]), SECONDS[match["time"]]
        if calls > MOST_CALLS:
            raise ValueError(f"{calls} calls are more than {MOST_CALLS:,}; write fewer, or no rate")
        if (scope, seconds) in found:
            raise ValueError(f"there are two rates per {scope} and {match['time']}; keep the lower one")
        found[scope, seconds] = Rate.model_validate({"calls": calls, "seconds": seconds, "scope": scope})
    return tuple(sorted(found.values(), key=lambda one: (_NARROWEST_FIRST.index(one.scope), one.seconds)))


def _list_scopes() -> str:
    return ", ".join(_NARROWEST_FIRST)
