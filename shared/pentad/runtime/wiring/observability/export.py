"""The wiring of functions.observability.export."""

from functools import cache

from pentad.aws.clients import get_client, get_credentials
from pentad.domain.secrets import mask_secrets
from pentad.models.providers.adapters.secrets import SecretsManagerSecrets
from pentad.observability.export.adapters.queue_sqs import SqsShares
from pentad.observability.export.adapters.sender_http import HttpSender
from pentad.observability.export.annotate import FindFeedback, SendAnnotations
from pentad.observability.export.export import SendSpans, ShareSpans
from pentad.observability.export.targets import Target
from pentad.observability.feedback.adapters.feedback_dynamodb import DynamoFeedback
from pentad.observability.logs.personal import mask_personal
from pentad.orchestration.contents.adapters.names_comprehend import ComprehendNames
from pentad.orchestration.contents.span_contents import SpanContents
from pentad.runtime.clock import now
from pentad.runtime.settings import ExportSettings, SpanContentsSettings, StateTable, read_settings
from pentad.runtime.wiring.ground.stores import make_runs, make_sessions, make_table
from pentad.runtime.wiring.ground.telemetry import telemetry_of

_NAME = "export"


def _read_targets(values: ExportSettings) -> list[Target]:
    return [Target.model_validate(one) for one in values.trace_targets]


@cache
def make_sharing() -> ShareSpans:
    """Return what cuts batches of log lines into shares."""
    values = read_settings(ExportSettings)
    queue = SqsShares(get_client("sqs"), values.export_queue)
    return ShareSpans(_read_targets(values), queue, telemetry_of(_NAME))


@cache
def make_sending() -> SendSpans:
    """Return what sends shares."""
    values = read_settings(ExportSettings)
    # A twin's receiver is a server on this machine; in an account only https reaches anything.
    loopback = values.aws_endpoint_url is not None
    sender = HttpSender(loopback=loopback, credentials=get_credentials, region=values.aws_region)
    return SendSpans(
        _read_targets(values),
        sender,
        SecretsManagerSecrets(get_client("secretsmanager")),
        values.traces_secret,
        telemetry_of(_NAME),
        SendAnnotations(sender, telemetry_of(_NAME), find=_make_finding(_read_targets(values))),
        stage=values.pentad_stage,
        region=values.aws_region,
        add_contents=_make_contents() if any(one.contents for one in _read_targets(values)) else None,
    )


def _make_finding(targets: list[Target]) -> FindFeedback | None:
    if not any(one.feedback for one in targets):
        return None
    return DynamoFeedback(make_table(read_settings(StateTable).state_table), now=now).find


def _make_contents() -> SpanContents:
    values = read_settings(SpanContentsSettings)
    return SpanContents(
        make_runs(values),
        make_sessions(values),
        agents=values.contents_agents,
        mask=lambda text: mask_personal(mask_secrets(text)),
        names=ComprehendNames(get_client("comprehend")) if values.contents_names == "comprehend" else None,
    )
