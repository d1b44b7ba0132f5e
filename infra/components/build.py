"""What the stack's constructs share: stage, stores, Lambda layers, and the one way to make a function."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.components.function import FunctionOptions, PythonFunction
from infra.components.stores import Stores
from infra.config import Stage
from layers import build
from layers.imports import FunctionCode
from layers.sizes import check_size


@dataclass(frozen=True, kw_only=True)
class Build:
    """The surroundings of every function.

    Attributes:
        stage: the stage.
        stores: tables, buckets, keys and secrets.
        root: the project's folder.
        layers: the Lambda layers of every function.
        layer_folders: what the layers are made of that hold code.
        data_folders: what those are made of that hold data.
        code: of each function that was made, to be imported as Lambda will.
    """

    stage: Stage
    stores: Stores
    root: Path
    layers: Sequence[lambda_.ILayerVersion]
    layer_folders: Sequence[Path] = ()
    data_folders: Sequence[Path] = ()
    code: list[FunctionCode] = field(default_factory=list)

    def create_function(self, scope: Construct, options: FunctionOptions) -> PythonFunction:
        """Return a function whose asset is one module, unless the options name another asset."""
        asset = options.asset or build.build_function_asset(self.root, options.module)
        handler = options.handler or f"{options.module}.handler"
        modules = tuple(dict.fromkeys((handler.rpartition(".")[0], options.module)))
        folders = (*self.layer_folders, *options.layer_folders)
        check_size(options.name, asset, [*folders, *self.data_folders])
        self.code.append(FunctionCode(options.name, asset, folders, modules))
        return PythonFunction(
            scope,
            options,
            stage=self.stage,
            asset=asset,
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
