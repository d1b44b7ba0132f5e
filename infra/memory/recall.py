"""Recall: chooses a run's context."""

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.components import grants
from infra.components.build import Build, FunctionConstruct
from infra.components.function import FunctionOptions
from infra.components.run_grants import grant_payloads
from infra.components.vectors import (
    build_vector_environment,
    grant_vectors,
    list_vector_folders,
    list_vector_layers,
)
from pentad.domain import keys


class Recall(FunctionConstruct):
    """The function functions.memory.recall."""

    def __init__(self, scope: Construct, name: str, *, build: Build, gateway: lambda_.IFunction) -> None:
        options = FunctionOptions(
            name="recall",
            module="functions.memory.recall",
            environment=build.state_environment
            | {"GATEWAY_FUNCTION": gateway.function_arn}
            | build_vector_environment(build.stage),
            timeout_seconds=60,
            layers=list_vector_layers(scope, build),
            layer_folders=list_vector_folders(build),
            description="Recall: context of a run, by reference",
        )
        super().__init__(scope, name, build=build, options=options)
        # It adds to messages, runs and sessions that others have made.
        held = [keys.session_pattern(), keys.run_pattern()]
        grants.grant_table(self.role, build.stores.state_table, [*grants.READ, "dynamodb:UpdateItem"], keys=held)
        grant_payloads(self.role, build.stores)
        # What the user's earlier conversations hold, and what is remembered of the user.
        grants.grant_table(self.role, build.stores.state_table, grants.READ, keys=[keys.user_pattern()])
        grants.grant_invoke(self.role, [gateway.function_arn])
        grant_vectors(self.role, build)
