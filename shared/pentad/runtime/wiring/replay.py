"""The stores of a replay: all of them in memory."""

from collections.abc import Callable
from datetime import datetime

from pentad.memory.retrieval.adapters.vectors_memory import MemoryVectors
from pentad.memory.sessions.adapters.sessions_memory import MemorySessions
from pentad.models.ledger.adapters.ledger_memory import MemoryLedger
from pentad.observability.adapters.null import NullTelemetry
from pentad.orchestration.approvals.adapters.approvals_memory import MemoryApprovals
from pentad.orchestration.approvals.adapters.ciphers import MemoryCipher
from pentad.orchestration.runs.adapters.runs_memory import MemoryRuns
from pentad.orchestration.timetravel.replay.ports import ReplayStores


def make_replay_stores(clock: Callable[[], datetime]) -> ReplayStores:
    """Return empty stores for one replay.

    Args:
        clock: tells the replay's time, in UTC.
    """
    sessions = MemorySessions(clock=clock)
    return ReplayStores(
        sessions=sessions,
        runs=MemoryRuns(sessions, clock),
        approvals=MemoryApprovals(MemoryCipher()),
        ledger=MemoryLedger(),
        vectors=MemoryVectors(),
        telemetry=NullTelemetry(),
    )
