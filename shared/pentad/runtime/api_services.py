"""The HTTP API's wiring: a part of the bootstrap, apart for its length."""

from functools import cached_property
from typing import TYPE_CHECKING

from pentad.runtime import bootstrap
from pentad.runtime import settings as environment

if TYPE_CHECKING:
    from pentad.api.documents import Documents
    from pentad.api.door.service import Door
    from pentad.api.views.waiting import Waiting
    from pentad.domain.declarations.agents import Catalog
    from pentad.memory.documents.ports import DocumentRegistry
    from pentad.memory.sessions.ports import SessionStore
    from pentad.models.ledger.ports import Ledger, SpendReader
    from pentad.observability.adapters.powertools import PowertoolsTelemetry
    from pentad.orchestration.approvals.decide import Decide
    from pentad.orchestration.approvals.ports import ApprovalStore
    from pentad.orchestration.lifecycle.cancel import CancelRun
    from pentad.orchestration.lifecycle.start import StartRun
    from pentad.orchestration.lifecycle.undo import Undo
    from pentad.orchestration.reviews.ports import ReviewStore
    from pentad.orchestration.runs.ports import RunStore, WorkflowEngine
    from pentad.orchestration.timetravel.fork import ForkRun
    from pentad.tools.graphs.ports import GraphNodeStore

_UNDO_SECONDS = 25.0
"""How long to wait for a tool's undo; API Gateway ends the request after 30 s."""

_MODEL_SECONDS = 28.0
"""How long to wait for the gateway; its deadline is before API Gateway's 30 s, so its own word comes first."""


class ApiServices:
    """The API's collaborators (`pentad.api.services.Services`), each made when first used."""

    now = staticmethod(bootstrap.now)

    @cached_property
    def _settings(self) -> environment.ApiSettings:
        values: environment.ApiSettings = bootstrap.settings(environment.ApiSettings)
        return values

    @property
    def telemetry(self) -> "PowertoolsTelemetry":
        """Logs and metrics."""
        return bootstrap.telemetry("api")

    @property
    def catalog(self) -> "Catalog":
        """Agents and tools."""
        return bootstrap.catalog()

    @property
    def runs(self) -> "RunStore":
        """Runs."""
        return bootstrap.runs()

    @property
    def sessions(self) -> "SessionStore":
        """Sessions."""
        return bootstrap.sessions()

    @property
    def approvals(self) -> "ApprovalStore":
        """Approvals."""
        return bootstrap.approvals(self._settings.approval_key)

    @property
    def reviews(self) -> "ReviewStore":
        """The review list."""
        from pentad.runtime import review_services

        return review_services.reviews("api")

    @property
    def ledger(self) -> "Ledger":
        """Model attempts."""
        return bootstrap.ledger(self._settings.ledger_table)

    @property
    def spend(self) -> "SpendReader":
        """What model calls cost."""
        from pentad.runtime import accounts

        return accounts.spend(self._settings.state_table)

    @property
    def graph_nodes(self) -> "GraphNodeStore":
        """What ran inside graphs."""
        from pentad.tools.graphs.adapters.nodes_dynamodb import DynamoGraphNodes

        return DynamoGraphNodes(bootstrap.table(self._settings.state_table))

    @property
    def engine(self) -> "WorkflowEngine":
        """Executions."""
        return bootstrap.engine(self._settings.state_machine_arn_prefix)

    @property
    def registry(self) -> "DocumentRegistry":
        """What is indexed."""
        return bootstrap.registry(self._settings.state_table)

    @cached_property
    def documents(self) -> "Documents":
        """Uploads and removals."""
        from pentad.api.adapters.documents_s3 import S3Documents, signing_client
        from pentad.api.documents import Documents

        return Documents(S3Documents(signing_client(), self._settings.documents_bucket), now=bootstrap.now)

    @cached_property
    def start_run(self) -> "StartRun":
        """Starts runs."""
        from pentad.runtime import lifecycle_services

        return lifecycle_services.start_run("api", self._settings)

    @cached_property
    def cancel(self) -> "CancelRun":
        """Cancels runs."""
        from pentad.runtime import lifecycle_services

        return lifecycle_services.cancel_run("api", self._settings)

    @cached_property
    def fork(self) -> "ForkRun":
        """Forks runs."""
        from pentad.orchestration.timetravel.fork import ForkRun
        from pentad.runtime import lifecycle_services

        return ForkRun(
            self.catalog,
            bootstrap.models,
            self.runs,
            self.sessions,
            self.engine,
            self.telemetry,
            now=bootstrap.now,
            switchboard=lifecycle_services.switches("api"),
        )

    @cached_property
    def decide(self) -> "Decide":
        """Takes human decisions."""
        from pentad.runtime import human_services

        return human_services.decide(self.approvals, self.engine, self.telemetry, self._settings.event_bus)

    @cached_property
    def undo(self) -> "Undo":
        """Undoes tool calls."""
        from pentad.aws.clients import client
        from pentad.orchestration.lifecycle.undo import Undo
        from pentad.orchestration.runs.adapters.tool_lambda import LambdaTools

        lambda_client = client("lambda", read_timeout=_UNDO_SECONDS, attempts=1)
        return Undo(self.runs, LambdaTools(lambda_client, self._settings.tool_function_prefix))

    @cached_property
    def door(self) -> "Door":
        """OpenAI's requests."""
        from pentad.api.door.service import Door
        from pentad.aws.clients import client
        from pentad.models.remote.adapters.gateway_lambda import LambdaChatModel, LambdaEmbedder

        # One attempt: a second one would ask, and bill, twice.
        lambda_client = client("lambda", read_timeout=_MODEL_SECONDS, attempts=1)
        function = self._settings.gateway_function
        models, vectors = LambdaChatModel(lambda_client, function), LambdaEmbedder(lambda_client, function)
        return Door(models, vectors, bootstrap.models(), now=bootstrap.now)

    @cached_property
    def waiting(self) -> "Waiting":
        """Waits for runs."""
        from pentad.api.views.waiting import Waiting

        return Waiting(self.runs)
