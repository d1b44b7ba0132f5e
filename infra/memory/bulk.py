"""Bulk ingestion: a distributed Map over a listing of the documents bucket, one document a child execution.

docs/decisions/0016-bulk.md says why there are neither batches nor a result writer.
"""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.components import grants
from infra.components.build import Build
from infra.memory.bulk_states import build_definition
from infra.orchestration.grants import acknowledge_executions
from infra.orchestration.machines.machine import Called, Machine
from infra.orchestration.names import execution_arns, machine_arn
from pentad.domain.knowledge import BULK_MACHINE


class BulkMachine(Machine):
    """The state machine that the API starts for many documents."""

    def __init__(self, scope: Construct, name: str, *, build: Build, ingest: lambda_.Function) -> None:
        called = Called(functions={"ingest": ingest}, tools={})
        super().__init__(scope, name, stage=build.stage, title=BULK_MACHINE, called=called)
        bucket = build.stores.documents_bucket
        # The listing alone: documents are read by the function, with its own role.
        grants.grant_bucket(self.role, bucket, ["s3:ListBucket"])
        self._grant_children(build)
        arn = called.function_versions["ingest"]
        definition = build_definition(arn, bucket.bucket_name, build.stage.ingest_concurrency)
        self.publish(sfn.DefinitionBody.from_string(Stack.of(self).to_json_string(definition)))

    def _grant_children(self, build: Build) -> None:
        """Let a Map Run start child executions of this machine, look at them and stop them, as AWS needs it."""
        own, executions = machine_arn(self, build.stage, BULK_MACHINE), execution_arns(self, build.stage, BULK_MACHINE)
        self.role.add_to_policy(iam.PolicyStatement(actions=["states:StartExecution"], resources=[own]))
        follow = ["states:DescribeExecution", "states:StopExecution"]
        self.role.add_to_policy(iam.PolicyStatement(actions=follow, resources=[executions]))
        acknowledge_executions(self.role, build.stage, BULK_MACHINE)
