"""A deployed function in the function host's terms."""

from collections.abc import Sequence

from twin.deploy.deployment import FunctionDefinition, InvokeConfig
from twin.host.model import FunctionSpec

_RETRIES = 2  # Lambda's own


def build_function_spec(definition: FunctionDefinition, configs: Sequence[InvokeConfig] = ()) -> FunctionSpec:
    """Return a deployed function as the host takes it; third-party layers are the project's own environment.

    Args:
        definition: the function.
        configs: how asynchronous invocations are retried; the first one of the function counts.
    """
    retries = next((one.maximum_retries for one in configs if one.function == definition.name), _RETRIES)
    environment = dict(definition.environment)
    if definition.log_format == "JSON":
        environment["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
        environment["AWS_LAMBDA_LOG_LEVEL"] = definition.log_level or "INFO"
    return FunctionSpec(
        name=definition.name,
        arn=definition.arn,
        handler=definition.handler,
        code_dir=definition.code,
        role_arn=definition.role_arn,
        log_group=definition.log_group,
        layer_dirs=tuple(layer.directory for layer in definition.layers if not layer.third_party),
        environment=environment,
        memory_mb=definition.memory,
        timeout_seconds=float(definition.timeout),
        reserved_concurrency=definition.reserved_concurrency,
        tracing=definition.tracing,
        runtime=definition.runtime,
        architecture=definition.architecture,
        asynchronous_retries=retries,
    )
