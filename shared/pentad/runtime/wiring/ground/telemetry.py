"""The telemetry of a deployed function: Powertools' logger, metrics and traces under the function's name."""

from functools import cache

from pentad.observability.adapters.powertools import PowertoolsTelemetry
from pentad.runtime.settings import Settings, read_settings, trace_header


@cache
def telemetry_of(service: str) -> PowertoolsTelemetry:
    """Return the telemetry of a function.

    Args:
        service: the function's name without the deployment's prefix.

    Raises:
        ConfigurationError: a variable that every function has is missing or not valid.
    """
    values = read_settings(Settings)
    return PowertoolsTelemetry(
        service=service, stage=values.pentad_stage, level=values.log_level, trace_header=trace_header
    )
