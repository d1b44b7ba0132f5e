"""The wiring of functions.observability.contents."""

from functools import cache

from pentad.aws.clients import get_client
from pentad.domain.secrets import mask_secrets
from pentad.observability.logs.personal import mask_personal
from pentad.orchestration.contents.adapters.contents_cloudwatch import CloudWatchContents
from pentad.orchestration.contents.adapters.names_comprehend import ComprehendNames
from pentad.orchestration.contents.write import WriteContents
from pentad.runtime.clock import now
from pentad.runtime.settings import ContentsSettings, read_settings
from pentad.runtime.wiring.ground.stores import make_runs, make_sessions
from pentad.runtime.wiring.ground.telemetry import telemetry_of


@cache
def make_contents() -> WriteContents:
    """Return what writes the contents of runs."""
    values = read_settings(ContentsSettings)
    finds = values.contents_names == "comprehend"
    return WriteContents(
        make_runs(values),
        make_sessions(values),
        CloudWatchContents(get_client("logs"), values.contents_group, clock=now),
        telemetry_of("contents"),
        agents=values.contents_agents,
        mask=lambda text: mask_personal(mask_secrets(text)),
        names=ComprehendNames(get_client("comprehend")) if finds else None,
    )
