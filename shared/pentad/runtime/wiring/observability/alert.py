"""The wiring of functions.observability.alert."""

import time
from collections.abc import Mapping, Sequence
from functools import cache

from pentad.aws.clients import get_client
from pentad.aws.table import Table
from pentad.models.providers.adapters.secrets import SecretsManagerSecrets
from pentad.observability.alarms.specs import Severity
from pentad.observability.alerts.adapters.alert_log import DynamoAlerts
from pentad.observability.alerts.send import SendAlert
from pentad.observability.alerts.targets import AlertTarget
from pentad.runtime.clock import now
from pentad.runtime.settings import AlertSettings, read_settings
from pentad.runtime.wiring.ground.egress import make_http_client
from pentad.runtime.wiring.ground.telemetry import telemetry_of
from pentad.tools.outside.ports import HttpClient

_SECONDS = 20.0


@cache
def make_sending() -> SendAlert:
    """Return what tells alerts."""
    values = read_settings(AlertSettings)

    def make_client(hosts: Sequence[str]) -> HttpClient:
        return make_http_client(hosts, time.time() + _SECONDS, None)

    targets: Mapping[Severity, list[AlertTarget]] = {
        severity: [AlertTarget.model_validate(one) for one in found] for severity, found in values.alert_targets.items()
    }
    return SendAlert(
        targets,
        make_client,
        SecretsManagerSecrets(get_client("secretsmanager")),
        values.alerts_secret,
        DynamoAlerts(Table(get_client("dynamodb"), values.transient_table), now=now),
        telemetry_of("alert"),
        link=values.alert_link,
    )
