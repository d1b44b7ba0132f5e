"""Identifiers: their form, how they are made, and the checks that keep them safe as keys.

Every identifier that a caller may choose is matched against a pattern before it becomes part of a
DynamoDB key, an S3 key or an execution name, so ``../`` and ``#`` can never reach one.
"""

import hashlib
import re
import secrets
from datetime import datetime
from typing import Annotated

from pydantic import StringConstraints

from pentad.domain.errors import InvalidInput

TENANT_PATTERN = r"^[a-z0-9][a-z0-9-]{0,39}$"
AGENT_PATTERN = r"^[a-z][a-z0-9-]{0,39}$"
TOOL_CHARACTERS = 64
"""Of a tool's name at most: providers take no longer ones (``^[a-zA-Z0-9_-]{1,64}$`` at OpenAI and Anthropic)."""
TOOL_PATTERN = rf"^[a-z][a-z0-9_]{{0,{TOOL_CHARACTERS - 1}}}$"
SESSION_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"
USER_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.@+-]{0,127}$"
RUN_PATTERN = r"^run_[0-9a-z]{26}$"
ERASURE_PATTERN = r"^era_[0-9a-z]{26}$"
UNDO_PATTERN = r"^undo_([0-9a-z]{26})_([0-9]{5})_([0-9]{2})$"
IDEMPOTENCY_KEY_PATTERN = r"^[\x21-\x7e]{1,255}$"

TenantId = Annotated[str, StringConstraints(pattern=TENANT_PATTERN)]
AgentName = Annotated[str, StringConstraints(pattern=AGENT_PATTERN)]
ToolName = Annotated[str, StringConstraints(pattern=TOOL_PATTERN)]
SessionId = Annotated[str, StringConstraints(pattern=SESSION_PATTERN)]
UserId = Annotated[str, StringConstraints(pattern=USER_PATTERN)]
RunId = Annotated[str, StringConstraints(pattern=RUN_PATTERN)]
ErasureId = Annotated[str, StringConstraints(pattern=ERASURE_PATTERN)]

RESERVED_TENANTS = frozenset(("files", "graphs", "runs", "spill"))
"""Names of places in the payload bucket, which keys of objects hold where others have the tenant."""
_OWN_SESSIONS = "ses_"
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford base32, lower case
_PAIRS = tuple(first + second for first in _ALPHABET for second in _ALPHABET)  # ten bits at a time
_PATTERNS = {
    "tenant": TENANT_PATTERN,
    "agent": AGENT_PATTERN,
    "tool": TOOL_PATTERN,
    "session": SESSION_PATTERN,
    "user": USER_PATTERN,
    "run": RUN_PATTERN,
    "erasure": ERASURE_PATTERN,
    "idempotency_key": IDEMPOTENCY_KEY_PATTERN,
}


def is_reserved_session(session_id: str) -> bool:
    """Tell whether a session's id is of those that only we make: a request may go on with such a session."""
    return session_id.startswith(_OWN_SESSIONS)


def check_id(kind: str, value: str) -> str:
    """Return ``value`` if it is a well-formed identifier of ``kind``.

    Raises:
        InvalidInput: it is not; the field is ``kind`` and the fix states the pattern.
    """
    pattern = _PATTERNS[kind]
    # fullmatch, since "$" alone would let a trailing newline through.
    if not re.fullmatch(pattern, value):
        raise InvalidInput(f"the {kind} is not well formed", field=kind, fix=f"match {pattern}")
    if kind == "tenant" and value in RESERVED_TENANTS:
        raise InvalidInput(f"the tenant '{value}' is a reserved name", field=kind, fix="take another name")
    return value


def _encode_base32(number: int, length: int) -> str:
    """Return the last digits of a number; their count is even."""
    return "".join([_PAIRS[number >> shift & 1023] for shift in range(5 * length - 10, -1, -10)])


def make_id(prefix: str, now: datetime) -> str:
    """Return ``prefix_`` and 26 characters that sort by time (48 bits of milliseconds, 80 random bits)."""
    milliseconds = int(now.timestamp() * 1000)
    return f"{prefix}_{_encode_base32((milliseconds << 80) | secrets.randbits(80), 26)}"


def derive_id(prefix: str, *parts: str) -> str:
    """Return the identifier that these parts always give: the same request has the same run.

    Parts are joined by a character no identifier may contain, so ("a", "bc") and ("ab", "c") differ.
    """
    digest = hashlib.sha256("\x00".join(parts).encode()).digest()
    return f"{prefix}_{_encode_base32(int.from_bytes(digest[:16], 'big'), 26)}"


def hash_user(user_id: str) -> str:
    """Return what stands for a user in what outlives the user's erasure: the audit, and receipts of erasures."""
    return hashlib.sha256(user_id.encode()).hexdigest()[:32]


def approval_id(run_id: str, step: int) -> str:
    """Return the approval of one step of one run: the run can be read back from it."""
    return f"apr_{run_id.removeprefix('run_')}_{step:05d}"


def parse_approval_id(value: str) -> tuple[str, int]:
    """Return (run, step) of an approval id.

    Raises:
        InvalidInput: it is not an approval id.
    """
    match = re.fullmatch(r"apr_([0-9a-z]{26})_([0-9]{5})", value)
    if match is None:
        raise InvalidInput("the approval id is not well formed", field="approval", fix="use an id from the list")
    return f"run_{match[1]}", int(match[2])


def undo_token(run_id: str, step: int, index: int) -> str:
    """Return the token that undoes the effect of one tool call."""
    return f"undo_{run_id.removeprefix('run_')}_{step:05d}_{index:02d}"


def parse_undo_token(value: str) -> tuple[str, int, int]:
    """Return (run, step, index) of an undo token.

    Raises:
        InvalidInput: it is not an undo token.
    """
    match = re.fullmatch(UNDO_PATTERN, value)
    if match is None:
        raise InvalidInput("the undo token is not well formed", field="undo_token", fix="use a token from the run")
    return f"run_{match[1]}", int(match[2]), int(match[3])


def review_id(run_id: str, step: int, cause: str) -> str:
    """Return the review of what one step of one run gave cause for: a repeat is the same review."""
    return f"rev_{run_id.removeprefix('run_')}_{step:05d}_{cause}"


def parse_review_id(value: str) -> tuple[str, int, str]:
    """Return (run, step, cause) of a review id.

    Raises:
        InvalidInput: it is not a review id.
    """
    match = re.fullmatch(r"rev_([0-9a-z]{26})_([0-9]{5})_([a-z]{1,20})", value)
    if match is None:
        raise InvalidInput("the review id is not well formed", field="review", fix="use an id from the list")
    return f"run_{match[1]}", int(match[2]), match[3]
