"""Whom the alarms of a stage tell, and their thresholds: what a project's cdk.json says of ``alerts``."""

import re
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from pentad.domain.errors import ConfigurationError
from pentad.observability.alarms.limits import AlarmLimits
from pentad.observability.alarms.specs import Severity
from pentad.observability.alerts.targets import AlertTarget
from pentad.tools.egress.allowlist import Allowlist

_RECEIVER = re.compile(r"https://[^\s/]+\.[^\s]+|[^\s@:/]+@[^\s@:/]+\.[^\s@:/]+")
_MOST_TARGETS = 5
"""Of a severity: the function asks them one after the other, within its time."""


@dataclass(frozen=True, kw_only=True)
class Alerts:
    """Whom alarms tell, and from when on.

    Attributes:
        page: who is told at once: addresses of e-mail or HTTPS, and targets whose address is in a secret.
        ticket: who is told of what can wait for a working day.
        link: what a runbook's place is put behind, such as the address of the project's files; None for the place.
        limits: the thresholds.
    """

    page: tuple[str | AlertTarget, ...]
    ticket: tuple[str | AlertTarget, ...]
    link: str | None
    limits: AlarmLimits

    def find_receivers(self, severity: Severity) -> tuple[str, ...]:
        """Return the addresses of a severity that its topic tells by itself."""
        return tuple(one for one in self._get(severity) if isinstance(one, str))

    def find_targets(self, severity: Severity) -> tuple[AlertTarget, ...]:
        """Return Slack, Teams and webhooks of a severity: a function tells them."""
        return tuple(one for one in self._get(severity) if isinstance(one, AlertTarget))

    @property
    def has_targets(self) -> bool:
        """Whether there is anything for the function to tell."""
        return any(isinstance(one, AlertTarget) for one in (*self.page, *self.ticket))

    def _get(self, severity: Severity) -> tuple[str | AlertTarget, ...]:
        return self.page if severity == "page" else self.ticket


def read_alerts(values: Any, stage: Alerts) -> Alerts:
    """Return what a project's cdk.json says of a stage's alarms: ``{page?, ticket?, link?, limits?}``.

    Args:
        values: what stands there.
        stage: the stage's own, for what is not said.

    Raises:
        ConfigurationError: it has a name that is not known, an address that is none, or a limit out of bounds.
    """
    fix = 'write {"page": ["on-call@example.com", {"kind": "slack", "name": "on-call"}], "limits": {"daily_usd": 200}}'
    if not isinstance(values, dict):
        raise ConfigurationError("cdk.json: alerts of a stage must be an object", fix=fix)
    unknown = sorted(set(values) - {"page", "ticket", "link", "limits"})
    if unknown:
        raise ConfigurationError(f"cdk.json: alerts: no field {', '.join(map(repr, unknown))}", fix=fix)
    told = {
        severity: own if severity not in values else _read_receivers(values[severity], severity, fix)
        for severity, own in (("page", stage.page), ("ticket", stage.ticket))
    }
    link = values.get("link", stage.link)
    if link is not None and not (isinstance(link, str) and _RECEIVER.fullmatch(link) and link.startswith("https://")):
        raise ConfigurationError(
            "cdk.json: alerts: link must be an HTTPS address", fix='write "https://github.com/..."'
        )
    try:
        limits = AlarmLimits.model_validate(stage.limits.model_dump() | values.get("limits", {}))
    except (TypeError, ValidationError) as error:
        first = error.errors(include_url=False, include_input=False)[0] if isinstance(error, ValidationError) else None
        why = f"{'.'.join(map(str, first['loc']))}: {first['msg']}" if first else "it is not an object"
        raise ConfigurationError(f"cdk.json: alerts: limits: {why}", fix=fix) from error
    return Alerts(page=told["page"], ticket=told["ticket"], link=link, limits=limits)


def _read_receivers(values: Any, severity: str, fix: str) -> tuple[str | AlertTarget, ...]:
    """Return who a severity tells: addresses, and targets by name.

    Raises:
        ConfigurationError: one is neither, two targets have one name, or a webhook's host can't be reached.
    """
    if not isinstance(values, list):
        raise ConfigurationError(f"cdk.json: alerts: {severity} must be a list of addresses and targets", fix=fix)
    found: list[str | AlertTarget] = []
    for one in values:
        if isinstance(one, dict):
            try:
                target = AlertTarget.model_validate(one)
                Allowlist(target.hosts)
            except ValidationError as error:
                first = error.errors(include_url=False, include_input=False)[0]
                why = f"{'.'.join(map(str, first['loc'])) or 'a target'}: {first['msg']}"
                raise ConfigurationError(f"cdk.json: alerts: {severity}: {why}", fix=fix) from error
            found.append(target)
        elif isinstance(one, str) and _RECEIVER.fullmatch(one):
            found.append(one)
        else:
            raise ConfigurationError(f"cdk.json: alerts: {severity} must be a list of addresses and targets", fix=fix)
    names = [one.name for one in found if isinstance(one, AlertTarget)]
    if len(names) > _MOST_TARGETS:
        raise ConfigurationError(f"cdk.json: alerts: {severity} has more than {_MOST_TARGETS} targets", fix=fix)
    if len(set(names)) < len(names):
        raise ConfigurationError(f"cdk.json: alerts: {severity}: two targets have the same name", fix="rename one")
    return tuple(found)
