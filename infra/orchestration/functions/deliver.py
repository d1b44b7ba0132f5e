"""The function that ends runs: functions.orchestration.deliver."""

from constructs import Construct

from infra.components import grants
from infra.components.build import Build, FunctionConstruct
from infra.components.function import FunctionOptions
from infra.components.run_grants import grant_payloads, grant_run_items, grant_switches
from infra.components.stage_bus import StageBus
from pentad.domain import keys


class Deliver(FunctionConstruct):
    """The function functions.orchestration.deliver."""

    def __init__(self, scope: Construct, name: str, *, build: Build, bus: StageBus) -> None:
        options = FunctionOptions(
            name="deliver",
            module="functions.orchestration.deliver",
            environment=build.state_environment
            | {"EVENT_BUS": bus.event_bus_name, "LEDGER_TABLE": build.stores.ledger_table.table_name},
            timeout_seconds=30,
            description="Ends a run: answer, citations, lease, event",
        )
        super().__init__(scope, name, build=build, options=options)
        transient = build.stores.transient_table
        grant_run_items(self.role, build.stores)
        grants.grant_table(self.role, transient, ["dynamodb:UpdateItem", *grants.DELETE], keys=[keys.session_pattern()])
        grant_switches(self.role, transient, counts=True)
        grant_payloads(self.role, build.stores)
        # What a run that failed has cost.
        grants.grant_table(self.role, build.stores.ledger_table, ["dynamodb:Query"], keys=[keys.run_pattern()])
        bus.grant_sending(self.role)
