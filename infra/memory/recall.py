"""Recall: chooses a run's context."""

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.components import grants
from infra.components.build import Build
from pentad.domain import keys


class Recall(Construct):
    """The function functions.memory.recall."""

    def __init__(self, scope: Construct, name: str, *, build: Build, gateway: lambda_.IFunction) -> None:
        super().__init__(scope, name)
        stores = build.stores
        made = build.create_function(
            self,
            "recall",
            module="functions.memory.recall",
            environment=build.state_environment
            | {
                "GATEWAY_FUNCTION": gateway.function_arn,
                "PINECONE_SECRET": stores.secrets["pinecone"].secret_arn,
            },
            timeout_seconds=60,
            description="Recall: context of a run, by reference",
        )
        self.function = made.function
        grants.grant_table(
            made.role,
            stores.state_table,
            [*grants.READ, *grants.WRITE],
            keys=[keys.session_pattern(), keys.run_pattern()],
        )
        grants.grant_objects(made.role, stores.payload_bucket, ["s3:GetObject", "s3:PutObject"])
        grants.grant_invoke(made.role, [gateway.function_arn])
        grants.grant_secret(made.role, stores.secrets["pinecone"])
