"""The telemetry of a deployed function: Powertools' logger, metrics and traces under the function's name."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from pentad.observability.adapters.powertools import PowertoolsTelemetry
from pentad.runtime.settings import Settings, read_settings, trace_header

_PACKAGE, _FILE = "pentad_catalog", "metrics.json"


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
        service=service,
        stage=values.pentad_stage,
        level=values.log_level,
        trace_header=trace_header,
        told_apart=load_told_apart(),
    )


@cache
def load_told_apart(package: str = _PACKAGE) -> Mapping[str, Sequence[str]]:
    """Return the names that metrics tell apart, by dimension: what the synth chose of those with too many.

    The catalog itself would say them too, but reading it takes longer than many a function's work.
    """
    found = find_spec(package)
    places = [] if found is None else found.submodule_search_locations or []
    for place in places:
        path = Path(place) / _FILE
        if path.is_file():
            chosen: Mapping[str, Sequence[str]] = json.loads(path.read_text(encoding="utf-8"))
            return chosen
    return {}
