"""Signed requests: how a message of the queue or the bus says whose it is.

A producer of messages has an API key like any caller, and never sends its secret. It sends what it asks for as a text,
with the key's id, the time, and a signature of the three:

    {"signed": "<JSON of the request>", "key": "ptd.<tenant>.<key id>", "at": "<ISO 8601>", "signature": "<hex>"}

The signature is HMAC-SHA256 over ``key``, ``at`` and ``signed``, with a newline between them. Its secret is the SHA-256
of the key's secret, in hex: that is what the table holds of a key, so that the signature can be checked.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import Field, ValidationError

from pentad.api.identity.keys import KeyAuthenticator, hash_secret, parse_key_name, split_token, to_caller
from pentad.domain.errors import InvalidInput, NotAuthenticated
from pentad.domain.values import FrozenValue
from pentad.orchestration.lifecycle.queue_messages import SIGNED, Signed

SCOPE = "runs:write"
MESSAGE_CHARACTERS = 250_000
"""A message of SQS has at most 256 KiB."""
OLDEST = timedelta(days=18)
"""A message waits in its queue for four days, then in the dead-letter queue for fourteen."""
AHEAD = timedelta(minutes=5)
"""So far may the producer's clock be ahead of ours."""


class SignedMessage(FrozenValue):
    """A signed request as it is sent."""

    signed: str = Field(min_length=2, max_length=MESSAGE_CHARACTERS, description="JSON of what is asked for")
    key: str = Field(max_length=100, description="the key's first three parts: ptd.<tenant>.<key id>")
    at: str = Field(max_length=40, description="when it was signed, ISO 8601 with a time zone")
    signature: str = Field(pattern=r"^[0-9a-f]{64}$")


def sign_request(token: str, request: Mapping[str, Any], *, now: datetime) -> dict[str, str]:
    """Return a message for the runs queue, or the detail of an event ``pentad.run.requested``; both are sent as JSON.

    Args:
        token: the API key, with the scope ``runs:write``. Its tenant and its user are those of the request.
        request: as the body of ``POST /v1/runs``; with an ``idempotency_key``, by which repeats are one run.
        now: the time. What is signed at two times is two requests, unless an idempotency key says otherwise.

    Raises:
        NotAuthenticated: the token is no API key.
    """
    key, secret = split_token(token)
    text, at = json.dumps(request), now.astimezone(UTC).isoformat()
    return {"signed": text, "key": key, "at": at, "signature": _sign(hash_secret(secret), key, at, text)}


class SignedRequests:
    """Checks signed requests.

    Args:
        keys: finds the keys.
        now: the clock.
    """

    def __init__(self, keys: KeyAuthenticator, *, now: Callable[[], datetime]) -> None:
        self._keys = keys
        self._now = now

    def __call__(self, content: Mapping[str, Any]) -> Signed:
        """Return what a message asks for, and who asks.

        Raises:
            InvalidInput: it is no signed request, or was signed too long ago.
            NotAuthenticated: the key is not valid, or has not made the signature.
            PolicyDenied: the key may not start runs.
            StoreUnavailable: the store of keys did not answer.
        """
        try:
            message = SignedMessage.model_validate(content)
        except ValidationError as error:
            raise InvalidInput(
                "the request is not signed",
                field="signature",
                fix=f"send {', '.join(SIGNED)}, as docs/security.md says",
            ) from error
        tenant_id, key_id = parse_key_name(message.key)
        key = self._keys.find_valid(tenant_id, key_id)
        expected = _sign("" if key is None else key.secret_hash, message.key, message.at, message.signed)
        if not hmac.compare_digest(expected, message.signature) or key is None:
            raise NotAuthenticated("the signature is not that of a valid key", fix="sign with a key that is valid")
        at = self._check_time(message.at)
        caller = to_caller(key)
        caller.check_scope(SCOPE)
        return Signed(tenant_id, caller.to_actor(at), caller.reach, message.signed, message.signature)

    def _check_time(self, text: str) -> datetime:
        try:
            at = datetime.fromisoformat(text)
        except ValueError as error:
            raise InvalidInput("'at' must be a time", field="at", fix="write it in ISO 8601") from error
        if at.tzinfo is None:
            raise InvalidInput("'at' has no time zone", field="at", fix="write the time in UTC, with 'Z'")
        if not -AHEAD <= self._now() - at <= OLDEST:
            raise InvalidInput(
                "the request was signed too long ago, or in the future", field="at", fix="sign it again, and send it"
            )
        return at


def _sign(secret: str, *parts: str) -> str:
    return hmac.new(secret.encode(), "\n".join(parts).encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
