"""The function that ends runs: functions.orchestration.deliver."""

from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.components import grants
from infra.components.build import Build
from infra.components.switches import grant_switches
from pentad.domain import keys


class Deliver(Construct):
    """The function functions.orchestration.deliver."""

    def __init__(self, scope: Construct, name: str, *, build: Build, bus: events.EventBus) -> None:
        super().__init__(scope, name)
        stores = build.stores
        made = build.create_function(
            self,
            "deliver",
            module="functions.orchestration.deliver",
            environment=build.state_environment | {"EVENT_BUS": bus.event_bus_name},
            timeout_seconds=30,
            description="Ends a run: answer, citations, lease, event",
        )
        self.function = made.function
        grants.grant_table(
            made.role,
            stores.state_table,
            [*grants.READ, *grants.WRITE],
            keys=[keys.session_pattern(), keys.run_pattern()],
        )
        grants.grant_table(
            made.role, stores.transient_table, ["dynamodb:UpdateItem", *grants.DELETE], keys=[keys.session_pattern()]
        )
        grant_switches(made.role, stores.transient_table, counts=True)
        grants.grant_objects(made.role, stores.payload_bucket, ["s3:GetObject", "s3:PutObject"])
        made.role.add_to_policy(iam.PolicyStatement(actions=["events:PutEvents"], resources=[bus.event_bus_arn]))
