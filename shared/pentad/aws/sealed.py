"""Entries that are chained: each holds a hash of itself and of the one before, and a key of KMS signs the last of them.

So nobody without the right to sign can change, add, move or take out an entry unseen. What a chain can't show by
itself: that its end is missing (an older end was signed too), and what whoever may sign writes anew from some entry on.
For that, each hash is also told outside of the table (``tell``): in a log that only takes more lines; and at intervals
the ends of all chains are anchored where nobody can change them (`pentad.observability.anchors`).

A chain is a partition: its entries, and ``HEAD`` with the number and hash of the last one. Both are written in one
transaction, so of writers at the same time one is first, and the others go on from there. In the table's index a head
stands under the day and time of its last entry, in one of some places, so that no place gets all writes.
"""

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

from pentad.aws.jitter import draw
from pentad.aws.table import ConditionFailed, Item, Table
from pentad.domain import keys
from pentad.domain.errors import ConfigurationError, StoreUnavailable

HEAD = "HEAD"
TRIES = 12
"""Writers of one chain get into each other's way; so often they try, within about 3 s."""
BATCH = 40
"""Entries of one transaction, of which DynamoDB takes 100."""
SHARDS = 8
"""Places of a day in the index, each of which takes about 1,000 writes a second."""
_FIRST = "attribute_not_exists(pk)"
_MADE = frozenset({"hash", "code"})
_SIGNED = {"signed": "yes"}
"""Of the last entry of each write; those of before there was such a field do not have it."""


class SealKey(Protocol):
    """Signs, and checks what was signed; nobody ever sees the key."""

    def make_code(self, message: bytes) -> bytes:
        """Return the code of a message.

        Raises:
            StoreUnavailable: the key service did not answer.
        """
        ...

    def has_code(self, message: bytes, code: bytes) -> bool:
        """Tell whether a code is the message's.

        Raises:
            StoreUnavailable: the key service did not answer.
        """
        ...


class Linked(NamedTuple):
    """An entry as it was told outside of the table: which chain it is of, its number and its hash."""

    pk: str
    number: int
    digest: str


class SealCheck(NamedTuple):
    """What a look at a chain found.

    Attributes:
        entries: all of them, by their numbers; those without one last.
        faults: what is wrong, a sentence each; none where all of it is as it was written.
    """

    entries: list[Item]
    faults: list[str]


class SealedLog:
    """Writes and checks chains in one table.

    Args:
        table: the table.
        key: signs and checks; None for who only reads.
        tell: is told of each entry that was written.
        sleep: waits some seconds.
        random: from 0 up to 1, for jitter.
        now: the clock, UTC.
    """

    def __init__(
        self,
        table: Table,
        key: SealKey | None,
        *,
        tell: Callable[[Linked], None] = lambda _: None,
        sleep: Callable[[float], None] = time.sleep,
        random: Callable[[], float] = draw,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._table = table
        self._key = key
        self._tell = tell
        self._sleep = sleep
        self._random = random
        self._now = now

    def append(self, pk: str, items: Sequence[Item]) -> None:
        """Put entries at the end of a chain; those whose sort keys stand there already change nothing.

        Args:
            pk: the chain's partition.
            items: the entries: ``sk``, and texts.

        Raises:
            StoreUnavailable: a store did not answer, or others were always first.
            ConfigurationError: there is no key to sign with.
        """
        waiting = list({str(item["sk"]): item for item in items}.values())
        for first in range(0, len(waiting), BATCH):
            self._append_batch(pk, waiting[first : first + BATCH])

    def _append_batch(self, pk: str, items: list[Item]) -> None:
        for number in range(TRIES):
            entries, head = self._link(pk, items)
            try:
                self._table.transact([*(self._table.build_put(one, condition=_FIRST) for one in entries), head])
            except ConditionFailed as failed:
                # Those that stand there already are left out; where only the head moved, all are tried again.
                pairs = zip(items, failed.reasons, strict=False)
                items = [item for item, reason in pairs if reason != "ConditionalCheckFailed"]
                if not items:
                    return
                self._sleep(self._random() * min(0.5, 0.02 * 2**number))
                continue
            for one in entries:
                self._tell(Linked(pk, int(one["number"]), str(one["hash"])))
            return
        raise StoreUnavailable("others are writing into this chain at the same time")

    def _link(self, pk: str, items: Sequence[Item]) -> tuple[list[Item], Item]:
        """Return the entries as they follow what stands there, and the write of the new head."""
        if self._key is None:
            raise ConfigurationError("the audit has no key to sign with", field="audit_key")
        found, _ = self._table.query(pk, begins=HEAD, limit=1)
        last, before = (int(found[0]["number"]), str(found[0]["hash"])) if found else (0, "")
        entries: list[Item] = []
        end = last + len(items)
        for number, item in enumerate(items, last + 1):
            # The hash holds that an entry is signed, so that a signature can't be taken away unseen.
            entry = {"pk": pk, **item, "number": number, "before": before} | (_SIGNED if number == end else {})
            before = compute_hash(entry)
            entries.append(entry | {"hash": before})
        entries[-1]["code"] = self._key.make_code(bytes.fromhex(before)).hex()
        head = {"pk": pk, "sk": HEAD, "type": "seal_head", "number": entries[-1]["number"], "hash": before}
        head |= _build_place(pk, self._now())
        if not found:
            return entries, self._table.build_put(head, condition=_FIRST)
        stands = {"names": {"#n": "number", "#h": "hash"}, "values": {":n": last, ":h": found[0]["hash"]}}
        return entries, self._table.build_put(head, condition="#n = :n AND #h = :h", **stands)

    def check(self, pk: str) -> SealCheck:
        """Return a chain's entries and what is wrong with it.

        Raises:
            StoreUnavailable: a store did not answer.
            ConfigurationError: there is no key to check with.
        """
        if self._key is None:
            raise ConfigurationError("the audit has no key to check with", field="audit_key")
        items = list(self._table.iter_items(pk))
        head = next((item for item in items if item["sk"] == HEAD), None)
        loose = [item for item in items if item["sk"] != HEAD and "number" not in item]
        linked = sorted((item for item in items if item["sk"] != HEAD and "number" in item), key=_get_number)
        faults = [f"'{item['sk']}' is not part of the chain" for item in loose]
        faults += self._check_links(linked, self._key)
        ends = [(_get_number(item), item.get("hash")) for item in linked[-1:]]
        said = [] if head is None else [(_get_number(head), head.get("hash"))]
        if ends != said:
            faults.append("the chain does not end where its head says")
        return SealCheck([*linked, *loose], faults)

    def _check_links(self, linked: Sequence[Item], key: SealKey) -> list[str]:
        faults: list[str] = []
        before, expected = "", 1
        for item in linked:
            number, place = _get_number(item), f"entry {item['number']} ('{item['sk']}')"
            if number != expected:
                gone = f"entries {expected} to {number - 1} are gone"
                faults.append(gone if number > expected else f"{place} stands twice")
            elif item.get("before") != before:
                faults.append(f"{place} does not follow the one before it")
            if item.get("hash") != compute_hash(item):
                faults.append(f"{place} was changed")
            code = item.get("code")
            if code is None and _SIGNED.items() <= item.items():
                faults.append(f"the signature of {place} is gone")
            if code is not None and not key.has_code(_to_bytes(item.get("hash")), _to_bytes(code)):
                faults.append(f"{place} is not signed by the audit's key")
            before, expected = str(item.get("hash")), number + 1
        if linked and "code" not in linked[-1]:
            faults.append("the last entry is not signed")
        return faults


def _build_place(pk: str, now: datetime) -> Item:
    """Return a head's place in the index, and the time of its last entry."""
    shard, at = int(hashlib.sha256(pk.encode()).hexdigest()[:8], 16) % SHARDS, keys.iso(now.astimezone(UTC))
    return {"gsi1pk": keys.heads_pk(at[:10], shard), "gsi1sk": f"{at}#{pk}", "at": at}


def compute_hash(entry: Item) -> str:
    """Return the SHA-256, in hex, of all that an entry says: its keys, number and the hash before it among them."""
    said = {name: str(value) for name, value in entry.items() if name not in _MADE}
    return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _get_number(item: Item) -> int:
    return int(item["number"])


def _to_bytes(text: object) -> bytes:
    try:
        return bytes.fromhex(str(text))
    except ValueError:
        return b""
