"""Erase: what the API asks for goes by the event bus into a queue, and a function removes a user's things."""

from collections.abc import Mapping

from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.components import grants
from infra.components.build import Build, FunctionConstruct
from infra.components.function import FunctionOptions
from infra.components.reasons import acknowledge
from infra.components.vectors import (
    build_vector_environment,
    grant_vectors,
    list_vector_folders,
    list_vector_layers,
)
from infra.components.work_queue import WorkQueue
from infra.contents import format_group_arn, name_finding, name_group
from pentad.domain import keys
from pentad.domain.reading.packed_names import pack_names
from pentad.orchestration.erasure.erase import ERASE_SECONDS, RECEIVES
from pentad.orchestration.erasure.ports import ERASURE_REQUESTED
from pentad.orchestration.runs.ports import SOURCE
from pentad.tools.declare.discovery import AnyTool

_PAGE = "docs/erasure.md"
_VERSIONS = ("s3:DeleteObject", "s3:DeleteObjectVersion")


_MOST_NAMED = 40
"""Kinds of records that the role names; with more it reaches all records, of which it removes a user's own."""


class Erase(FunctionConstruct):
    """The way from a request to an empty place. No other function may remove versions of objects.

    Attributes:
        work: the queue of erasures that are not at their end.
    """

    def __init__(
        self, scope: Construct, name: str, *, build: Build, bus: events.IEventBus, tools: Mapping[str, AnyTool]
    ) -> None:
        kinds = sorted({grant.keys for tool in tools.values() for grant in tool.grants})
        super().__init__(scope, name, build=build, options=_build_options(scope, build, kinds))
        self.work = WorkQueue(self, "erase", build=build, timeout_seconds=ERASE_SECONDS, receives=RECEIVES)
        self.work.add_rule(
            "requested",
            rule="erase",
            description="Users that are to be erased",
            pattern=events.EventPattern(source=[SOURCE], detail_type=[ERASURE_REQUESTED]),
            bus=bus,
        )
        # One message an invocation: an erasure that ends the function takes no other one along.
        self.work.connect_to(self.function, batch_size=1, concurrency=2)
        self.work.grant_send_again(self.function)
        self._create_alarm(build)
        self._grant(build)
        self._grant_kept(build, kinds)
        self._grant_contents(build)

    def _create_alarm(self, build: Build) -> None:
        prefix = build.stage.prefix
        says = f"Users that could not be erased: {prefix}-erase-dlq"
        self.work.create_alarm("not-erased", alarm="not-erased", says=says, page=_PAGE)

    def _grant(self, build: Build) -> None:
        stores = build.stores
        held = [
            keys.session_pattern(),
            keys.run_pattern(),
            keys.user_pattern(),
            keys.graph_pattern(),
            keys.collection_pattern("DOCS"),
            keys.document_pattern(),
        ]
        grants.grant_table(self.role, stores.state_table, [*grants.READ, *grants.DELETE], keys=held)
        # It claims a session, so that no memories are made of it meanwhile.
        grants.grant_table(self.role, stores.state_table, ["dynamodb:UpdateItem"], keys=[keys.session_pattern()])
        grants.grant_table(
            self.role, stores.state_table, ["dynamodb:GetItem", *grants.APPEND], keys=[keys.erasures_pattern()]
        )
        # Amounts stay, and move to the hash of the user's id.
        grants.grant_table(
            self.role,
            stores.state_table,
            ["dynamodb:Query", "dynamodb:UpdateItem", *grants.DELETE],
            keys=[keys.user_spend_pattern()],
        )
        lists = [keys.collection_pattern(kind) for kind in ("RUNS", "SESSIONS", keys.FEEDBACK_LIST)]
        grants.grant_table(self.role, stores.state_table, (), index="gsi1", keys=lists)
        grants.grant_table(
            self.role, stores.transient_table, ["dynamodb:GetItem", *grants.DELETE], keys=[keys.session_pattern()]
        )
        # It lists versions and removes them; it reads none.
        grants.grant_objects(self.role, stores.payload_bucket, _VERSIONS)
        grants.grant_bucket(self.role, stores.payload_bucket, ["s3:ListBucketVersions"])
        grants.grant_objects(self.role, stores.documents_bucket, _VERSIONS)
        grants.grant_bucket(self.role, stores.documents_bucket, ["s3:ListBucketVersions"])

    def _grant_kept(self, build: Build, kinds: list[str]) -> None:
        """Let it reach what is kept elsewhere: replies kept for repeats, tools' records, the vector store."""
        stores = build.stores
        replies = [keys.cached_reply_pattern()]
        grants.grant_table(self.role, stores.transient_table, ["dynamodb:Query", *grants.DELETE], keys=replies)
        grant_vectors(self.role, build)
        if kinds:
            held = [keys.collection_pattern(kind) for kind in kinds]
            held += [keys.done_pattern(kind) for kind in kinds]
            if len(kinds) > _MOST_NAMED:
                held = [keys.collection_pattern("*")]  # One by one they are more than a role's policies have room for.
            grants.grant_table(self.role, stores.records_table, [*grants.READ, *grants.DELETE], keys=held)

    def _grant_contents(self, build: Build) -> None:
        """Let it remove streams of the log of contents, also where the stage has none any more."""
        arn = format_group_arn(self, build.stage.prefix, ":*")
        actions = ["logs:DescribeLogStreams", "logs:DeleteLogStream"]
        self.role.add_to_policy(iam.PolicyStatement(actions=actions, resources=[arn]))
        acknowledge(
            self.role,
            name_finding(build.stage.prefix, ":*"),
            "What a user's runs said is in streams of the log of contents, one a run; it removes the user's.",
        )


def _build_options(scope: Construct, build: Build, kinds: list[str]) -> FunctionOptions:
    return FunctionOptions(
        name="erase",
        module="functions.memory.erase",
        environment=build.state_environment
        | {
            "DOCUMENTS_BUCKET": build.stores.documents_bucket.bucket_name,
            "RECORDS_TABLE": build.stores.records_table.table_name,
            "RECORD_KINDS": pack_names(kinds),
            "CONTENTS_GROUP": name_group(build.stage.prefix),
        }
        | build_vector_environment(build.stage),
        timeout_seconds=ERASE_SECONDS,
        memory_mb=512,
        layers=list_vector_layers(scope, build),
        layer_folders=list_vector_folders(build),
        sends_again=True,
        description="Erase: removes what is kept of a user",
    )
