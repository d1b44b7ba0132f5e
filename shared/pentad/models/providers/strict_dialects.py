"""What the strict forms of JSON Schema can say: each provider's, and what both take."""

from dataclasses import dataclass
from typing import Literal

FORMATS = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"})
"""That both providers enforce."""


@dataclass(frozen=True)
class StrictDialect:
    """What a strict form can say.

    Args:
        formats: of strings.
        bounds: keywords of numbers and lists that are enforced.
        optional: what becomes of a property that is not required: it is asked for; it may be null; it may be left out.
        recursive: a schema may refer to itself.
        depth: the most levels of objects and lists.
        choices: the most values of all enums.
        characters: the most of all names and of enums' values.
    """

    formats: frozenset[str]
    bounds: frozenset[str]
    optional: Literal["required", "nullable", "optional"]
    recursive: bool = True
    depth: int = 10
    choices: int = 1_000
    characters: int = 120_000


_NUMBERS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})
BOTH = StrictDialect(FORMATS, frozenset(), "required", depth=1_000, choices=100_000, characters=10_000_000)
"""Structured output's: one form, so that the prompt's prefix stays the same when the provider changes."""
OPENAI = StrictDialect(FORMATS, _NUMBERS | {"minItems", "maxItems"}, "nullable")
CLAUDE = StrictDialect(FORMATS | {"uri"}, frozenset(), "optional", recursive=False, depth=6, choices=300)
