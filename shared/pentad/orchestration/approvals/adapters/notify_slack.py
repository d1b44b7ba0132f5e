"""Notices to Slack, by an incoming webhook. Its address is a credential: from a secret, and in no log or error.

The server is asked a bounded number of times, a Retry-After of a few seconds is honoured at once and a longer one by
the queue. A redirect is not followed: it would take the notice, and who waits for what, to another place.
"""

import http.client
import json
import ssl
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from pentad.domain.display.pages import escape_slack
from pentad.domain.errors import ConfigurationError, PentadError, ToolThrottled, ToolUnavailable
from pentad.models.providers.ports import Secrets
from pentad.orchestration.approvals.ports import Notice

DEFAULT = "default"
_SECONDS = 5.0
_ATTEMPTS = 3
_LONGEST_WAIT = 3.0
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_HTTP_OK, _HTTP_SERVER_ERROR, _HTTP_THROTTLED, _HTTP_TIMEOUT = 200, 500, 429, 408


class SlackNotifier:
    """A `Notifier` by incoming webhooks.

    Args:
        secrets: where the addresses are kept.
        secret_id: the secret ``{default?: address, GROUP?: address}``.
        loopback: allow plain HTTP to this machine, for a twin.
        sleep: waits between attempts, in seconds.
    """

    def __init__(
        self, secrets: Secrets, secret_id: str, *, loopback: bool, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._secrets = secrets
        self._secret_id = secret_id
        self._loopback = loopback
        self._sleep = sleep

    def send(self, notice: Notice) -> bool:
        """See `Notifier`; not sent where the secret holds no address yet."""
        addresses: Mapping[str, Any] = self._secrets.get_json(self._secret_id)
        address = addresses.get(notice.group) or addresses.get(DEFAULT)
        if address is None:
            self._secrets.forget(self._secret_id)  # so that one that is stored now is used at once
            return False
        plain = {"mrkdwn": False, "link_names": False, "unfurl_links": False, "unfurl_media": False}
        body = json.dumps({"text": escape_slack(notice.text)} | plain).encode()
        try:
            self._deliver(str(address), body)
        except ConfigurationError:
            self._secrets.forget(self._secret_id)
            raise
        return True

    def _deliver(self, address: str, body: bytes) -> None:
        connect, path = self._parse_address(address)
        for attempt in range(1, _ATTEMPTS + 1):
            failure = _send_once(connect, path, body)
            if failure is None:
                return
            wait = failure.retry_after if isinstance(failure, ToolThrottled) else float(attempt)
            last = attempt == _ATTEMPTS or wait is None or wait > _LONGEST_WAIT
            if last or isinstance(failure, ConfigurationError):
                raise failure
            self._sleep(wait or 0.0)

    def _parse_address(self, address: str) -> tuple[Callable[[], http.client.HTTPConnection], str]:
        parts = urlsplit(address)
        host, path = parts.hostname or "", parts.path or "/"
        if parts.scheme == "https" and host:
            context = ssl.create_default_context()
            return lambda: http.client.HTTPSConnection(host, parts.port, timeout=_SECONDS, context=context), path
        if parts.scheme == "http" and host in _LOOPBACK and self._loopback:
            return lambda: http.client.HTTPConnection(host, parts.port, timeout=_SECONDS), path
        raise ConfigurationError("the Slack webhook must be an https address", fix="store the address that Slack shows")


def _send_once(connect: Callable[[], http.client.HTTPConnection], path: str, body: bytes) -> PentadError | None:
    """Post once and return what went wrong, or None. Nothing of the address is in it."""
    connection = connect()
    try:
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        status, asked = answer.status, answer.getheader("Retry-After")
    except (OSError, http.client.HTTPException) as error:
        return ToolUnavailable(f"Slack could not be reached: {type(error).__name__}")
    finally:
        connection.close()
    if status == _HTTP_OK:
        return None
    if status == _HTTP_THROTTLED:
        return ToolThrottled("Slack asks to wait", retry_after=_parse_retry_after(asked))
    if status >= _HTTP_SERVER_ERROR or status == _HTTP_TIMEOUT:
        return ToolUnavailable(f"Slack answered {status}")
    return ConfigurationError(
        f"Slack refused the notice: {status}", fix="create a new webhook in Slack and store it in the secret"
    )


def _parse_retry_after(header: str | None) -> float:
    try:
        return max(0.0, float(header or 1))
    except ValueError:
        return 1.0  # a date, which Slack does not send
