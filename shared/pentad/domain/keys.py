"""Keys of every item in DynamoDB, in one place: each starts with the tenant (docs/data-model.md)."""

import hashlib


def tenant(value: str) -> str:
    """Return the prefix of all keys of a tenant."""
    return f"T#{value}"


def session_pk(tenant_id: str, session: str) -> str:
    """Return the partition of a session, its messages and its lease."""
    return f"T#{tenant_id}#S#{session}"


def message_sk(seq: int) -> str:
    """Return the sort key of a message."""
    return f"M#{seq:08d}"


def session_run_sk(created_at: str, run: str) -> str:
    """Return the sort key that lists a session's runs by time."""
    return f"RUN#{created_at}#{run}"


def run_pk(tenant_id: str, run: str) -> str:
    """Return the partition of a run, in the state table and in the ledger."""
    return f"T#{tenant_id}#R#{run}"


def step_sk(step: int) -> str:
    """Return the sort key of a step."""
    return f"STEP#{step:05d}"


def call_sk(step: int, index: int) -> str:
    """Return the sort key of a tool call."""
    return f"CALL#{step:05d}#{index:02d}"


def effect_sk(effect_key: str) -> str:
    """Return the sort key of an effect."""
    return f"EFFECT#{effect_key}"


def approval_sk(step: int) -> str:
    """Return the sort key of an approval in its run."""
    return f"APPROVAL#{step:05d}"


def collection(tenant_id: str, kind: str) -> str:
    """Return the partition of a list of a tenant, such as SESSIONS, RUNS, APPROVALS, KEYS or DOCS."""
    return f"T#{tenant_id}#{kind}"


def document_pk(tenant_id: str, name: str) -> str:
    """Return the partition of a document's chunks; the name is hashed, since it may hold any character."""
    return f"T#{tenant_id}#DOC#{hashlib.sha256(name.encode()).hexdigest()[:32]}"


def chunks_sk(part: int) -> str:
    """Return the sort key of one part of a document's chunk list."""
    return f"CHUNKS#{part:04d}"


def ledger_day_pk(tenant_id: str, day: str) -> str:
    """Return the ledger's partition for attempts that belong to no run; ``day`` is YYYY-MM-DD (UTC)."""
    return f"T#{tenant_id}#D#{day}"


META = "META"
LEASE = "LEASE"
