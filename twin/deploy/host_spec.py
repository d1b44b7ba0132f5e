"""A deployed function in the function host's terms."""

from collections.abc import Sequence

from twin.deploy.deployment import FunctionDefinition, InvokeConfig
from twin.host.model import FunctionSpec

_RETRIES, _AGE_SECONDS = 2, 21_600  # Lambda's own


def build_function_spec(definition: FunctionDefinition, configs: Sequence[InvokeConfig] = ()) -> FunctionSpec:
    """Return a deployed function as the host takes it; third-party layers are the project's own environment.

    Args:
        definition: the function.
        configs: how asynchronous invocations are retried; the first one of the function counts.
    """
    config = next((one for one in configs if one.function == definition.name), None)
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
        asynchronous_retries=_RETRIES if config is None else config.maximum_retries,
        asynchronous_seconds=float(_AGE_SECONDS if config is None else config.maximum_age),
    )
