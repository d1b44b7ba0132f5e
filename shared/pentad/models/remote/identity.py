"""For whom a graph asks models: what the tool runner signs and the gateway checks.

A graph's function runs code that is not the stack's, so it is not asked for whom it asks. It sends back what the runner
gave it with the call: claims and a code over them, made with a key that the function can't use. The code binds tenant,
user, session, run, step and agent, and is of use until the call's time is over.
"""

import base64
import binascii

from pydantic import ValidationError

from pentad.domain.errors import PolicyDenied
from pentad.domain.models import CallContext
from pentad.domain.values import FrozenValue
from pentad.models.remote.ports import MacKey

_MAX_CHARACTERS = 6_000
"""KMS makes codes over at most 4,096 bytes."""


class Identity(FrozenValue):
    """What is signed.

    ``expires`` is the ``time.time()`` after which it is of no use.
    """

    context: CallContext
    tool: str
    expires: float


def sign_identity(identity: Identity, key: MacKey) -> str:
    """Return an identity as its caller sends it back.

    Raises:
        StoreUnavailable: the key service did not answer.
    """
    claims = identity.model_dump_json(by_alias=True).encode()
    return f"{_encode(claims)}.{_encode(key.make_code(claims))}"


def verify_identity(token: str, key: MacKey, *, now: float) -> Identity:
    """Return the identity that was signed.

    Args:
        token: what the caller sent.
        key: checks the code.
        now: ``time.time()``.

    Raises:
        PolicyDenied: it was not signed by the runner, was changed, or is over.
        StoreUnavailable: the key service did not answer.
    """
    claims, dot, code = token.partition(".")
    if not dot or len(token) > _MAX_CHARACTERS:
        raise PolicyDenied("the call has no proof of identity", field="identity")
    signed = _decode(claims)
    if not key.has_code(signed, _decode(code)):
        raise PolicyDenied("the call's proof of identity was not made by the tool runner", field="identity")
    try:
        identity = Identity.model_validate_json(signed)
    except ValidationError as error:
        raise PolicyDenied("the call's proof of identity has another version", field="identity") from error
    if identity.expires < now:
        raise PolicyDenied("the call's proof of identity has expired: the tool's call has ended", field="identity")
    return identity


def check_context(given: CallContext, identity: Identity) -> CallContext:
    """Return for whom the call is.

    Args:
        given: for whom the caller says that it is.
        identity: for whom it is.

    Raises:
        PolicyDenied: they differ.
    """
    if given != identity.context:
        raise PolicyDenied("the call names another tenant, user, session, run or agent than its own", field="context")
    return identity.context


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode("ascii")


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, altchars=b"-_", validate=True)
    except (ValueError, binascii.Error) as error:
        raise PolicyDenied("the call's proof of identity can't be read", field="identity") from error
