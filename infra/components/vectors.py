"""What a function needs to reach the vector store that the stage chose, and nothing of the others."""

from collections.abc import Sequence
from pathlib import Path

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import IConstruct

from infra.components import grants
from infra.components.build import Build
from infra.components.reasons import acknowledge
from infra.components.stores import name_secret, name_vector_bucket
from infra.config import Stage
from layers import build as builds

_S3_VECTORS = (
    "s3vectors:CreateIndex",
    "s3vectors:DeleteIndex",
    "s3vectors:GetIndex",
    "s3vectors:PutVectors",
    "s3vectors:GetVectors",
    "s3vectors:ListVectors",
    "s3vectors:QueryVectors",
    "s3vectors:DeleteVectors",
)


def build_vector_environment(stage: Stage) -> dict[str, str]:
    """Return the variables of `pentad.runtime.settings.VectorSettings`."""
    variables: dict[str, str] = {"VECTOR_STORE": stage.vector_store}
    if stage.vector_store == "s3vectors":
        return variables | {"VECTOR_BUCKET": name_vector_bucket(stage)}
    return variables | {"VECTOR_SECRET": name_secret(stage, stage.vector_store)}


def grant_vectors(role: iam.Role, build: Build) -> None:
    """Let a role use the vector store: read its secret by name, or work in the vector bucket's indexes.

    By name, so that the secret can go when a stage chooses another store: an imported export could not.
    """
    stage = build.stage
    if stage.vector_store != "s3vectors":
        grants.grant_named_secret(role, name_secret(stage, stage.vector_store), build.stores.data_key)
        return
    bucket = Stack.of(role).format_arn(service="s3vectors", resource="bucket", resource_name=name_vector_bucket(stage))
    indexes = f"{bucket}/index/*"
    role.add_to_policy(iam.PolicyStatement(actions=list(_S3_VECTORS), resources=[indexes]))
    own = "arn:<AWS::Partition>:s3vectors:<AWS::Region>:<AWS::AccountId>:bucket"
    acknowledge(
        role,
        f"AwsSolutions-IAM5[Resource::{own}/{name_vector_bucket(stage)}/index/*]",
        "The bucket holds an index for each tenant and nothing else; indexes are made at run time.",
    )
    # The encryption context is that of docs.aws.amazon.com/AmazonS3/latest/userguide/s3-vectors-data-encryption.html.
    context = {"aws:s3vectors:arn": [bucket, indexes]}
    grants.grant_key_through(role, build.stores.data_key, "s3vectors", patterns=context)


def list_vector_layers(scope: IConstruct, build: Build) -> Sequence[lambda_.ILayerVersion]:
    """Return the Lambda layers that the store's driver needs, made once a stack."""
    return (create_postgres_layer(scope, build),) if list_vector_folders(build) else ()


def create_postgres_layer(scope: IConstruct, build: Build) -> lambda_.ILayerVersion:
    """Return the layer of PostgreSQL's driver, made once a stack."""
    stack, name = Stack.of(scope), "layer-postgres"
    known = stack.node.try_find_child(name)
    if isinstance(known, lambda_.LayerVersion):
        return known
    return lambda_.LayerVersion(
        stack,
        name,
        code=lambda_.Code.from_asset(str(builds.build_postgres_layer(build.root))),
        compatible_runtimes=[lambda_.Runtime.PYTHON_3_13],
        compatible_architectures=[lambda_.Architecture.ARM_64],
        description="Pentad: the driver of PostgreSQL",
    )


def list_vector_folders(build: Build) -> Sequence[Path]:
    """Return what those layers are made of."""
    return (builds.build_postgres_layer(build.root),) if build.stage.vector_store == "postgres" else ()
