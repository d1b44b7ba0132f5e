"""The wiring of functions.observability.export."""

from functools import cache

from pentad.aws.clients import get_client, get_credentials
from pentad.domain.secrets import mask_secrets
from pentad.models.providers.adapters.secrets import SecretsManagerSecrets
from pentad.observability.export.adapters.queue_sqs import SqsShares
from pentad.observability.export.adapters.sender_http import HttpSender
from pentad.observability.export.export import SendSpans, ShareSpans
from pentad.observability.export.targets import Target
from pentad.observability.logs.personal import mask_personal
from pentad.orchestration.contents.adapters.names_comprehend import ComprehendNames
from pentad.orchestration.contents.span_contents import SpanContents
from pentad.runtime.settings import ExportSettings, SpanContentsSettings, read_settings
from pentad.runtime.wiring.ground.stores import make_runs, make_sessions


def _read_targets(values: ExportSettings) -> list[Target]:
    return [Target.model_validate(one) for one in values.trace_targets]


@cache
def make_sharing() -> ShareSpans:
    """Return what cuts batches of log lines into shares."""
    values = read_settings(ExportSettings)
    return ShareSpans(_read_targets(values), SqsShares(get_client("sqs"), values.export_queue))


@cache
def make_sending() -> SendSpans:
    """Return what sends shares."""
    values = read_settings(ExportSettings)
    # A twin's receiver is a server on this machine; in an account only https reaches anything.
    loopback = values.aws_endpoint_url is not None
    return SendSpans(
        _read_targets(values),
        HttpSender(loopback=loopback, credentials=get_credentials, region=values.aws_region),
        SecretsManagerSecrets(get_client("secretsmanager")),
        values.traces_secret,
        stage=values.pentad_stage,
        region=values.aws_region,
        add_contents=_make_contents() if any(one.contents for one in _read_targets(values)) else None,
    )


def _make_contents() -> SpanContents:
    values = read_settings(SpanContentsSettings)
    return SpanContents(
        make_runs(values),
        make_sessions(values),
        agents=values.contents_agents,
        mask=lambda text: mask_personal(mask_secrets(text)),
        names=ComprehendNames(get_client("comprehend")) if values.contents_names == "comprehend" else None,
    )
