"""What a tool's function receives besides its arguments, and what it may return besides its result."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from pentad.domain.errors import ConfigurationError
from pentad.tools.records.ports import RecordStore

T = TypeVar("T")


@dataclass(frozen=True)
class ToolContext:
    """On whose behalf a tool runs. A parameter annotated with it is injected and is in no schema.

    Args:
        tenant: the tenant; records are already narrowed to it.
        run: the run's id.
        session: the session's id.
        user: the user, where the run has one.
        step: the step of the run.
        index: the call's place in the step.
        effect_key: the same on every retry of this call. Ids of new things derived from it make running again harmless.
        now: the clock, UTC.
        remaining_seconds: seconds left of the function's time.
        tables: record stores by resource, one for each resource the tool has a grant on.
        traceparent: the call's span as W3C's Trace Context has it: send it as the header of that name.
    """

    tenant: str
    run: str
    session: str
    user: str | None
    step: int
    index: int
    effect_key: str
    now: Callable[[], datetime]
    remaining_seconds: Callable[[], float]
    tables: Mapping[str, RecordStore]
    traceparent: str | None = None

    def table(self, name: str) -> RecordStore:
        """Return the record store of a resource, narrowed to the tool's grants and to the tenant.

        Raises:
            ConfigurationError: the tool declares no grant on it.
        """
        if name not in self.tables:
            raise ConfigurationError(
                f"the tool uses the table {name!r} but declares no grant on it",
                field="permissions",
                fix=f'add Grant("{name}", "readwrite", keys="...") to permissions',
            )
        return self.tables[name]


@dataclass(frozen=True)
class Undoable(Generic[T]):
    """A result with what is needed to undo the effect that made it.

    Args:
        result: what the model is told.
        undo: JSON, given to the tool's undo function as it is; at most 32 KB.
    """

    result: T
    undo: dict[str, Any]
