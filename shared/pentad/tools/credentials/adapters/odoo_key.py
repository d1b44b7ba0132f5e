"""An API key of Odoo 19: its user makes the next one with the one before, and both count until the older is revoked.

Source: "External JSON-2 API" of Odoo's developer documentation, section "Programmatic Key Management"
(`res.users.apikeys`: `generate`, `revoke`). An administrator allows it to other users by the system parameter
``base.enable_programmatic_api_keys``; such users' keys end after at most 90 days.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from pentad.domain.errors import ConfigurationError, PentadError, ToolUnavailable
from pentad.tools.credentials.generated import replace_field
from pentad.tools.outside.ports import Credential, HttpAnswer, HttpClient

LIFE_DAYS: Final = 90
"""What Odoo allows to users of the group that every internal user has."""
_NAME: Final = "pentad"
_FIELD: Final = "token"


class OdooKey:
    """`Rotator` of the secret ``{url, token, database?}``.

    Args:
        open_http: returns what speaks HTTP to a server, and to no other.
        now: the clock, UTC.
    """

    def __init__(self, open_http: Callable[[str], HttpClient], now: Callable[[], datetime]) -> None:
        self._open_http = open_http
        self._now = now

    def make(self, current: str, field: str) -> str:
        """See `Rotator`; a key that was made and not stored, since the step was cut off, ends after 90 days by itself.

        Raises:
            ConfigurationError: Odoo makes none, with its reason.
            ToolUnavailable: it did not answer.
        """
        key = Credential(current).fields.get(_FIELD, "")
        ends = self._now() + timedelta(days=LIFE_DAYS)
        given = {"key": key, "scope": "rpc", "name": _NAME, "expiration_date": f"{ends:%Y-%m-%d %H:%M:%S}"}
        answer = self._ask(current, "res.users.apikeys/generate", given)
        made = answer.json() if answer.status == 200 else None
        if not isinstance(made, str) or not made.isalnum():
            raise _refuse(answer, "makes no new key")
        return replace_field(current, _FIELD, made)

    def set(self, pending: str, current: str, previous: str | None) -> None:
        """Revoke the key before the current one, which no process reads any more; the pending one counts already."""
        fields = [Credential(text).fields for text in (pending, current, previous) if text is not None]
        older = fields[-1].get(_FIELD) if previous is not None else None
        if older is None or older in [one.get(_FIELD) for one in fields[:-1]]:
            return
        # One that Odoo does not know any more is revoked.
        self._ask(current, "res.users.apikeys/revoke", {"key": older})

    def test(self, value: str) -> None:
        """See `Rotator`."""
        answer = self._ask(value, "res.users/context_get", {})
        if answer.status != 200:
            raise _refuse(answer, "does not accept the key")

    def _ask(self, secret: str, method: str, given: dict[str, Any]) -> HttpAnswer:
        fields = Credential(secret).fields
        missing = [name for name in ("url", _FIELD) if not fields.get(name)]
        if missing:
            raise ConfigurationError(
                f"the secret of Odoo has no {' and no '.join(missing)}",
                field=missing[0],
                fix='store {"url": "https://erp.example.com", "token": "..."}',
            )
        headers = {"Authorization": f"bearer {fields[_FIELD]}"}
        if fields.get("database"):
            headers["X-Odoo-Database"] = fields["database"]
        url = fields["url"].rstrip("/")
        answer = self._open_http(url).request("POST", f"{url}/json/2/{method}", json=given, headers=headers)
        if answer.status in (408, 425, 429) or answer.status >= 500:
            raise ToolUnavailable(f"Odoo answered {answer.status}", retry_after=answer.retry_after)
        return answer


def _refuse(answer: HttpAnswer, what: str) -> ConfigurationError:
    try:
        body = answer.json()
    except PentadError:
        body = None
    words = str(body.get("message", ""))[:200] if isinstance(body, dict) else ""
    return ConfigurationError(
        f"Odoo {what} ({answer.status}{f': {words}' if words else ''})",
        fix="check the user's rights and keys, and base.enable_programmatic_api_keys (docs/tools/credentials.md)",
    )
