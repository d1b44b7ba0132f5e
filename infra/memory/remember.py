"""Remember: a run's end goes by the event bus into a queue, and a function makes memories of its conversation."""

from aws_cdk import aws_events as events
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.components import grants
from infra.components.build import Build, FunctionConstruct
from infra.components.function import FunctionOptions
from infra.components.run_grants import SESSIONS
from infra.components.work_queue import WorkQueue
from infra.retention import build_fact_environment
from pentad.domain import keys
from pentad.memory.remember.remember import RECEIVES, REMEMBER_SECONDS
from pentad.observability.feedback.ports import CORRECTED
from pentad.orchestration.lifecycle.announce_end import FINISHED
from pentad.orchestration.runs.ports import SOURCE

_PAGE = "docs/conversations.md"


class Remember(FunctionConstruct):
    """The way from a run's end to what is kept of its conversation.

    Attributes:
        work: the queue of runs that have ended.
    """

    def __init__(
        self, scope: Construct, name: str, *, build: Build, bus: events.IEventBus, gateway: lambda_.IFunction
    ) -> None:
        super().__init__(scope, name, build=build, options=_build_options(build, gateway))
        self.work = WorkQueue(self, "remember", build=build, timeout_seconds=REMEMBER_SECONDS, receives=RECEIVES)
        self.work.add_rule(
            "ended",
            rule="remember",
            description="Runs that have ended, and corrections of answers, for the memories of their conversations",
            pattern=events.EventPattern(source=[SOURCE], detail_type=[FINISHED, CORRECTED]),
            bus=bus,
        )
        # One message an invocation: a session that ends the function takes no other one along.
        self.work.connect_to(self.function, batch_size=1, concurrency=build.stage.remember_concurrency)
        self._create_alarm(build)
        self._grant(build, gateway)

    def _create_alarm(self, build: Build) -> None:
        prefix = build.stage.prefix
        says = f"Conversations that no memory was made of: {prefix}-remember-dlq"
        self.work.create_alarm("not-remembered", alarm="not-remembered", says=says, page=_PAGE)

    def _grant(self, build: Build, gateway: lambda_.IFunction) -> None:
        stores = build.stores
        grants.grant_table(
            self.role,
            stores.state_table,
            # A correction that is learned late changes which facts there are, and the oldest summaries of a session go.
            [*grants.READ, *grants.WRITE, *grants.DELETE],
            keys=[keys.session_pattern(), keys.user_pattern()],
        )
        # Messages too large for an item.
        grants.grant_objects(self.role, stores.payload_bucket, ["s3:GetObject"], prefix=SESSIONS)
        grants.grant_invoke(self.role, [gateway.function_arn])


def _build_options(build: Build, gateway: lambda_.IFunction) -> FunctionOptions:
    return FunctionOptions(
        name="remember",
        module="functions.memory.remember",
        environment=build.state_environment
        | build_fact_environment(build.stage.retention)
        | {"GATEWAY_FUNCTION": gateway.function_arn, "SAID_DAYS": str(build.stage.retention.said_days)},
        timeout_seconds=REMEMBER_SECONDS,
        memory_mb=1024,
        description="Remember: makes memories of a conversation after a run",
    )
