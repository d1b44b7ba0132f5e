"""What a replay is given: the evaluator of a definition's expressions, and stores that it may fill."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from pentad.memory.retrieval.ports import VectorStore
from pentad.memory.sessions.ports import SessionStore
from pentad.models.ledger.ports import Ledger
from pentad.observability.ports import Telemetry
from pentad.orchestration.approvals.ports import ApprovalStore
from pentad.orchestration.runs.ports import RunStore


class ExpressionFailed(Exception):
    """An expression has no value: it does not parse, fails, returns nothing, or returns what JSON can't hold."""


class Evaluator(Protocol):
    """Evaluates the JSONata of a state machine's definition."""

    def __call__(self, expression: str, bindings: Mapping[str, Any]) -> Any:
        """Return the value of an expression as plain JSON data.

        Args:
            expression: the source, without ``{%`` and ``%}``.
            bindings: JSON values by the name of their variable, without the dollar sign.

        Raises:
            ExpressionFailed: it has no value.
        """
        ...


@dataclass(frozen=True)
class ReplayStores:
    """The empty stores of one replay; nothing else sees what is written to them.

    Attributes:
        sessions: holds the recorded conversation.
        runs: holds the run.
        approvals: holds what humans are asked.
        ledger: takes the attempts of the model's calls.
        vectors: finds nothing.
        telemetry: takes what is told.
    """

    sessions: SessionStore
    runs: RunStore
    approvals: ApprovalStore
    ledger: Ledger
    vectors: VectorStore
    telemetry: Telemetry


MakeStores = Callable[[Callable[[], datetime]], ReplayStores]
"""Makes the stores of one replay, given the replay's clock."""
