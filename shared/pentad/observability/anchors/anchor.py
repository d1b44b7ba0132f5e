"""What an anchor says, and what is wrong with a row of them.

An anchor is of one tenant and an interval: the number and hash of the last entry of each of its chains that grew. It
holds the hash of the tenant's anchor before, and is signed by the audit's key. So a tenant's anchors are one chain over
all of its chains, which nobody who writes an entry has to wait for.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from pentad.aws.sealed import SealKey
from pentad.domain.canonical import canonical_json
from pentad.domain.values import FrozenValue

PREFIX = "anchors/"
"""Of their keys in the bucket."""
NOBODY = "SYS"
"""Stands for the tenant of chains that are the deployment's. Its anchors are written also where nothing has grown."""
MAX_HEADS = 5_000
"""Of one anchor: about 1 MB."""
_NONE = ""


class ChainHead(FrozenValue):
    """The end of a chain at a moment: all before it is committed to by its hash."""

    pk: str
    number: int = Field(ge=1)
    digest: str = Field(description="of the entry of this number, SHA-256 in hex")


class AuditAnchor(FrozenValue):
    """One anchor."""

    tenant_id: str
    number: int = Field(ge=1, description="from 1, without a gap")
    at: datetime
    heads: tuple[ChainHead, ...] = Field(max_length=MAX_HEADS)
    before: str = Field(default=_NONE, description="hash of the anchor before; none of the first")
    code: str = Field(default="", description="of the hash, by the audit's key, in hex")

    @property
    def digest(self) -> str:
        """SHA-256, in hex, of all that it says but the code."""
        said = self.model_dump(mode="json", by_alias=True, exclude={"code"})
        return hashlib.sha256(canonical_json(said).encode()).hexdigest()

    def sign(self, key: SealKey) -> "AuditAnchor":
        """Return it with its code.

        Raises:
            StoreUnavailable: the key service did not answer.
        """
        return self.model_copy(update={"code": key.make_code(bytes.fromhex(self.digest)).hex()})


def find_faults(anchors: Sequence[AuditAnchor], key: SealKey, *, longest: timedelta | None = None) -> list[str]:
    """Return what is wrong with a tenant's anchors, a sentence each.

    Args:
        anchors: of one tenant, by number; the first of them need not be the tenant's first. All versions of each.
        key: checks the codes.
        longest: the longest interval that may lie between two; None where a tenant may have been silent.

    Raises:
        StoreUnavailable: the key service did not answer.
    """
    faults: list[str] = []
    last: AuditAnchor | None = None
    for one in anchors:
        place = f"anchor {one.number} of '{one.tenant_id}' ({one.at:%Y-%m-%d %H:%M} UTC)"
        if not key.has_code(bytes.fromhex(one.digest), _to_bytes(one.code)):
            faults.append(f"{place} is not signed by the audit's key")
        if last is not None:
            faults += [f"{place} {fault}" for fault in _compare(last, one, longest)]
        elif one.number == 1 and one.before != _NONE:
            faults.append(f"{place} is said to be the first, and follows another")
        last = one
    return faults


def _compare(last: AuditAnchor, one: AuditAnchor, longest: timedelta | None) -> list[str]:
    if one.number == last.number:
        return ["stands twice: somebody wrote a fork"]
    faults: list[str] = []
    if one.number != last.number + 1:
        gone = f"{last.number + 1}" if one.number == last.number + 2 else f"{last.number + 1} to {one.number - 1}"
        faults.append(f"is the next after {last.number}: {gone} missing")
    elif one.before != last.digest:
        faults.append("does not follow the one before it")
    if one.at < last.at:
        faults.append("is older than the one before it")
    if longest is not None and one.at - last.at > longest:
        faults.append(f"comes {one.at - last.at} after the one before it: nothing was anchored meanwhile")
    return faults


def find_misfits(pk: str, entries: Sequence[tuple[int, str]], anchors: Sequence[AuditAnchor]) -> list[str]:
    """Return where a chain is not what was anchored: the first entry only, since all after it hang on it.

    Args:
        pk: the chain's partition.
        entries: number and hash of its entries as they stand.
        anchors: of its tenant, by number.
    """
    stand, fits = dict(entries), 0
    for one in anchors:
        for head in one.heads:
            if head.pk != pk:
                continue
            found = stand.get(head.number)
            if found == head.digest:
                fits = max(fits, head.number)
                continue
            when = f"as it was anchored at {one.at:%Y-%m-%d %H:%M} UTC by anchor {one.number}"
            if found is None:
                return [f"{pk}: entry {head.number} is gone, {when}"]
            first = fits + 1
            span = f"entry {first}" if first >= head.number else f"an entry from {first} to {head.number}"
            return [f"{pk}: {span} is not {when}"]
    return []


def read_anchor(text: str | bytes) -> AuditAnchor:
    """Return an anchor from its JSON.

    Raises:
        ValueError: it is none.
    """
    return AuditAnchor.model_validate_json(text)


def write_anchor(anchor: AuditAnchor) -> bytes:
    """Return an anchor as JSON."""
    values: dict[str, Any] = anchor.model_dump(mode="json", by_alias=True)
    return canonical_json(values).encode()


def _to_bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""
