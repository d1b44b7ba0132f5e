"""Send an alert to its targets: each once, as far as that can be told, and none because of another.

It asks a server once: who tries again is the queue, with growing waits, and what is delivered too often is in its
dead-letter queue.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pentad.domain.errors import (
    ConfigurationError,
    PolicyDenied,
    StoreUnavailable,
    ToolFailed,
    ToolThrottled,
    ToolUnavailable,
    TransientError,
)
from pentad.observability.alarms.specs import Severity
from pentad.observability.alerts.alert import Alert, read_alert
from pentad.observability.alerts.ports import AlertAnswer, AlertLog, AlertSecrets, MakeClient
from pentad.observability.alerts.targets import AlertTarget, build_body
from pentad.observability.metrics import names
from pentad.observability.ports import Telemetry

_SECONDS = 8.0
_MOST_BYTES = 65_536
_SUCCESS, _THROTTLED, _SERVER_ERROR = range(200, 300), 429, 500
_TIMEOUTS = frozenset({408, 425})


class SendAlert:
    """Tells alerts.

    Args:
        targets: by severity.
        client: makes a client for a target's hosts.
        secrets: where the addresses are.
        secret_id: the secret ``{TARGET: address or {url, headers?}}``.
        log: what was sent.
        telemetry: metrics and logs.
        link: what a runbook's place is put behind; empty for the place alone.
    """

    def __init__(
        self,
        targets: Mapping[Severity, Sequence[AlertTarget]],
        client: MakeClient,
        secrets: AlertSecrets,
        secret_id: str,
        log: AlertLog,
        telemetry: Telemetry,
        *,
        link: str = "",
    ) -> None:
        self._targets = targets
        self._client = client
        self._secrets = secrets
        self._secret_id = secret_id
        self._log = log
        self._telemetry = telemetry
        self._link = link.rstrip("/")

    def __call__(self, body: str) -> None:
        """Tell the alert of a message; a target that fails is tried again with the message, the others are not.

        Raises:
            InvalidInput: the message is none of a topic of alarms.
            Exception: of the first target that failed, once all were tried; a transient one where there is one.
        """
        alert = read_alert(body)
        failures: list[Exception] = []
        for target in self._targets.get(alert.severity, ()):
            try:
                self._tell(target, alert)
            except Exception as error:  # whatever is wrong with one target, the others are told
                failures.append(error)
                self._count(target, "failed")
                self._telemetry.log_event(
                    "alert.failed", level="WARNING", target=target.name, kind=target.kind, error=type(error).__name__
                )
        if failures:
            raise next((one for one in failures if isinstance(one, TransientError)), failures[0])

    def _tell(self, target: AlertTarget, alert: Alert) -> None:
        if not self._log.acquire(alert.alert_id, target.name):
            self._count(target, "repeated")
            return
        try:
            self._post(target, alert)
        except BaseException:  # whatever it was, the next delivery must be free to try again
            self._log.release(alert.alert_id, target.name)
            raise
        try:
            self._log.mark_sent(alert.alert_id, target.name)
        except StoreUnavailable:
            # It is sent. The claim holds redeliveries off for a while; to fail here would send it again at once.
            self._telemetry.log_event("alert.not_kept", level="WARNING", target=target.name)
        self._count(target, "sent")
        self._telemetry.log_event("alert.sent", target=target.name, kind=target.kind, alarm=alert.name)

    def _post(self, target: AlertTarget, alert: Alert) -> None:
        try:
            url, headers = self._find_address(target)
            runbook = f"{self._link}/{alert.runbook}" if self._link and alert.runbook else alert.runbook
            answer = self._client(target.hosts).request(
                "POST",
                url,
                headers={**headers, "idempotency-key": alert.alert_id},
                json=build_body(target.kind, alert, runbook),
                timeout=_SECONDS,
                max_bytes=_MOST_BYTES,
                redirects=0,
            )
            _check_answer(target, answer)
        except ConfigurationError:
            self._secrets.forget(self._secret_id)  # it may have been changed
            raise
        except (PolicyDenied, ToolFailed) as error:
            self._secrets.forget(self._secret_id)
            raise ConfigurationError(
                f"the address of '{target.name}' can't be used: {error.message}",
                fix=f"store one at {', '.join(target.hosts)} in the secret of alerts",
            ) from error

    def _find_address(self, target: AlertTarget) -> tuple[str, dict[str, str]]:
        kept: Any = self._secrets.get_json(self._secret_id).get(target.name)
        found = kept if isinstance(kept, Mapping) else {"url": kept}
        url, headers = found.get("url"), found.get("headers", {})
        if not isinstance(url, str) or not isinstance(headers, Mapping):
            raise ConfigurationError(
                f"the secret of alerts has no address for '{target.name}'",
                fix=f'store {{"{target.name}": "https://..."}} or {{"{target.name}": {{"url": ..., "headers": ...}}}}',
            )
        return url, {str(name): str(value) for name, value in headers.items()}

    def _count(self, target: AlertTarget, outcome: str) -> None:
        self._telemetry.count(names.ALERTS, kind=target.kind, outcome=outcome)


def _check_answer(target: AlertTarget, answer: AlertAnswer) -> None:
    """Raise what is wrong with an answer; nothing of it or of the address is told: both may have credentials."""
    # Teams' connectors answer 200 with the failure behind them as text.
    behind = target.kind == "teams" and b"failed with error" in answer.body
    status = _find_status_behind(answer.body) if behind else answer.status
    if status in _SUCCESS:
        return
    if status == _THROTTLED:
        asked = answer.headers.get("retry-after", "")
        seconds = float(asked) if asked.isascii() and asked.isdigit() else None
        raise ToolThrottled(f"'{target.name}' takes no more now (429)", retry_after=seconds)
    if status >= _SERVER_ERROR or status in _TIMEOUTS:
        raise ToolUnavailable(f"'{target.name}' failed ({status})")
    raise ConfigurationError(
        f"'{target.name}' refused the alert ({status})", fix="make a new webhook there and store it in the secret"
    )


def _find_status_behind(content: bytes) -> int:
    """Return the status that a text such as "... Microsoft Teams endpoint returned HTTP error 429 ..." names."""
    digits = content.rpartition(b"HTTP error ")[2][:3]
    return int(digits) if len(digits) == 3 and digits.isdigit() else _SERVER_ERROR
