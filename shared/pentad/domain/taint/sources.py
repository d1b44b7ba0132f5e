"""Sources of untrusted text: how they are named, and how many of them are kept."""

from typing import Annotated, Final

from pydantic import Field, StringConstraints

from pentad.domain.values import FrozenValue

DOCUMENTS: Final = "documents"
MEMORY: Final = "memory"
TRIGGER: Final = "trigger"
MANY: Final = "many"
PLAIN_SOURCES: Final = {
    DOCUMENTS: "passages of documents that were recalled",
    MEMORY: "what is remembered of turns that had text from outside",
    TRIGGER: "what a queue's message or an event brought",
    MANY: "more sources than are kept",
}
"""Sources besides tools. A tool's results have the source ``tool:NAME``."""
MOST_SOURCES: Final = 20
"""So many sources are kept by name; beyond it `MANY` stands for the rest."""
Source = Annotated[str, StringConstraints(pattern=r"^[a-z]+(:[A-Za-z0-9_.-]{1,100})?$", max_length=110)]


def name_tool_source(tool: str) -> str:
    """Return the source of a tool's results."""
    return f"tool:{tool}"


def merge_sources(*groups: tuple[str, ...]) -> tuple[str, ...]:
    """Return all sources once, in order, at most `MOST_SOURCES`; none is lost without `MANY` in its place."""
    found = sorted({source for group in groups for source in group})
    return tuple(found) if len(found) <= MOST_SOURCES else (*found[: MOST_SOURCES - 1], MANY)


class FromOutside(FrozenValue):
    """A part of a call's arguments that stands in untrusted text of the context as well."""

    path: str = Field(max_length=200, description="where in the arguments, such as order.note")
    text: str = Field(max_length=300, description="the words that are the same, as they stand in the arguments")
    source: str = Field(max_length=110)
