"""What the stack's constructs share: stage, stores, Lambda layers, and the one way to make a function."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.components.function import PythonFunction
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

    def create_function(
        self,
        scope: Construct,
        name: str,
        *,
        module: str,
        handler: str | None = None,
        environment: Mapping[str, str],
        timeout_seconds: int,
        memory_mb: int = 512,
        concurrency: int | None = None,
        snap_start: bool = False,
        asset: Path | None = None,
        layers: Sequence[lambda_.ILayerVersion] = (),
        description: str,
    ) -> PythonFunction:
        """Return a function whose asset is one module.

        Args:
            scope: the parent.
            name: of the function, behind the stage's prefix.
            module: dotted name of the module that its asset holds.
            handler: dotted name of the handler; ``{module}.handler`` where None.
            environment: what the function's settings model names, less what every function has.
            timeout_seconds: Lambda's time limit.
            memory_mb: Lambda's memory.
            concurrency: reserved concurrency; None for none.
            snap_start: restore published versions from a snapshot taken after initialisation.
            asset: what it holds instead, where that is more than the module.
            layers: beyond those of every function.
            description: for the console.
        """
        return PythonFunction(
            scope,
            name,
            stage=self.stage,
            asset=asset or build.build_function_asset(self.root, module),
            handler=handler or f"{module}.handler",
            layers=[*self.layers, *layers],
            environment=environment,
            timeout_seconds=timeout_seconds,
            memory_mb=memory_mb,
            concurrency=concurrency,
            snap_start=snap_start,
            description=description,
        )

    @property
    def state_environment(self) -> dict[str, str]:
        """The variables of `pentad.runtime.settings.StateTable`."""
        return {
            "STATE_TABLE": self.stores.state_table.table_name,
            "TRANSIENT_TABLE": self.stores.transient_table.table_name,
            "PAYLOAD_BUCKET": self.stores.payload_bucket.bucket_name,
        }
