"""What the stack's constructs share: stage, stores, Lambda layers, and the one way to make a function."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.components.function import FunctionOptions, PythonFunction
from infra.components.stores import Stores
from infra.config import Stage
from layers import build


@dataclass(frozen=True, kw_only=True)
class Build:
    """The surroundings of every function.

    Attributes:
        stage: the stage.
        stores: tables, buckets, keys and secrets.
        root: the project's folder.
        layers: the Lambda layers of every function.
    """

    stage: Stage
    stores: Stores
    root: Path
    layers: Sequence[lambda_.ILayerVersion]

    def create_function(self, scope: Construct, options: FunctionOptions) -> PythonFunction:
        """Return a function whose asset is one module, unless the options name another asset."""
        return PythonFunction(
            scope,
            options,
            stage=self.stage,
            asset=options.asset or build.build_function_asset(self.root, options.module),
            layers=[*self.layers, *options.layers],
        )

    @property
    def state_environment(self) -> dict[str, str]:
        """The variables of `pentad.runtime.settings.StateTable`."""
        return {
            "STATE_TABLE": self.stores.state_table.table_name,
            "TRANSIENT_TABLE": self.stores.transient_table.table_name,
            "PAYLOAD_BUCKET": self.stores.payload_bucket.bucket_name,
        }


class FunctionConstruct(Construct):
    """A part of the stack around one function: a subclass states its options, then its grants.

    Attributes:
        function: the function.
        role: the function's role.
    """

    def __init__(self, scope: Construct, name: str, *, build: Build, options: FunctionOptions) -> None:
        """Make the function.

        Args:
            scope: the parent.
            name: the construct's id.
            build: the surroundings.
            options: what the function differs in from the others.
        """
        super().__init__(scope, name)
        made = build.create_function(self, options)
        self.function: lambda_.Function = made.function
        self.role = made.role
