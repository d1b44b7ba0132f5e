"""What the API calls: one attribute a collaborator, made when it is first asked for."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from pentad.api.documents import Documents
from pentad.api.views.waiting import Waiting
from pentad.domain.declarations.agents import Catalog
from pentad.memory.documents.ports import DocumentRegistry
from pentad.memory.sessions.ports import SessionStore
from pentad.models.ledger.ports import Ledger, SpendReader
from pentad.observability.ports import Telemetry
from pentad.orchestration.approvals.decide import Decide
from pentad.orchestration.approvals.ports import ApprovalStore
from pentad.orchestration.lifecycle.cancel import CancelRun
from pentad.orchestration.lifecycle.start import StartRun
from pentad.orchestration.lifecycle.undo import Undo
from pentad.orchestration.reviews.ports import ReviewStore
from pentad.orchestration.runs.ports import RunStore, WorkflowEngine
from pentad.orchestration.timetravel.fork import ForkRun
from pentad.tools.graphs.ports import GraphNodeStore

if TYPE_CHECKING:
    # Named, not loaded: the door reads the models' catalog, and most requests need none of it.
    from pentad.api.door.service import Door


class Services(Protocol):
    """The API's collaborators; the bootstrap makes them, and a test passes its own."""

    @property
    def catalog(self) -> Catalog:
        """Agents and tools."""
        ...

    @property
    def runs(self) -> RunStore:
        """Runs."""
        ...

    @property
    def sessions(self) -> SessionStore:
        """Sessions."""
        ...

    @property
    def approvals(self) -> ApprovalStore:
        """Approvals."""
        ...

    @property
    def reviews(self) -> ReviewStore:
        """The review list."""
        ...

    @property
    def ledger(self) -> Ledger:
        """Model attempts."""
        ...

    @property
    def spend(self) -> SpendReader:
        """What model calls cost."""
        ...

    @property
    def graph_nodes(self) -> GraphNodeStore:
        """What ran inside graphs."""
        ...

    @property
    def engine(self) -> WorkflowEngine:
        """Executions."""
        ...

    @property
    def registry(self) -> DocumentRegistry:
        """What is indexed."""
        ...

    @property
    def documents(self) -> Documents:
        """Uploads and removals."""
        ...

    @property
    def start_run(self) -> StartRun:
        """Starts runs."""
        ...

    @property
    def cancel(self) -> CancelRun:
        """Cancels runs."""
        ...

    @property
    def fork(self) -> ForkRun:
        """Forks runs."""
        ...

    @property
    def decide(self) -> Decide:
        """Takes human decisions."""
        ...

    @property
    def undo(self) -> Undo:
        """Undoes tool calls."""
        ...

    @property
    def waiting(self) -> Waiting:
        """Waits for runs."""
        ...

    @property
    def door(self) -> "Door":
        """OpenAI's requests."""
        ...

    @property
    def telemetry(self) -> Telemetry:
        """Logs and metrics."""
        ...

    @property
    def now(self) -> Callable[[], datetime]:
        """The clock."""
        ...
