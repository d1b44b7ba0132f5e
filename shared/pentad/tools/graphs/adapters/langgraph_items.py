"""Where the parts of a LangGraph thread stand in the state table, and how their bytes are kept."""

import hashlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from langchain_core.runnables import RunnableConfig

from pentad.aws.table import Item, Table
from pentad.domain import keys
from pentad.domain.errors import InvalidInput, NotFound
from pentad.memory.objects.ports import ObjectStore

SPILL_BYTES = 300_000
"""An item may have 400 KB, its names included."""
INLINE_BYTES = 1_024
"""A channel's value of at most so many bytes stands in the checkpoint itself: one read less."""
_MAX_THREAD = 600
_READERS = 8
_SAFE = ":|@+,="  # what LangGraph puts between the parts of a namespace; never "#", which separates ours

Packed = tuple[str, bytes]
"""A value as LangGraph's serializers make it: the format's name and the bytes."""


@dataclass(frozen=True)
class ThreadKeys:
    """One namespace of one thread of one tenant: the keys of its items.

    Args:
        thread_id: the thread's id, as the caller gave it.
        ns: the namespace, empty for the graph itself.
        pk: the thread's partition.
    """

    thread_id: str
    ns: str
    pk: str

    @classmethod
    def from_thread(cls, tenant_id: str, thread_id: str, ns: str = "") -> "ThreadKeys":
        """Return the place of a thread.

        Raises:
            InvalidInput: the thread's id is empty or too long for a key.
        """
        written = quote(str(thread_id), safe=_SAFE)
        if not 1 <= len(written) <= _MAX_THREAD:
            raise InvalidInput("the thread's id is empty or too long", field="thread_id", fix=f"1 to {_MAX_THREAD}")
        return cls(str(thread_id), ns, keys.graph_pk(tenant_id, written))

    @property
    def every_checkpoint(self) -> str:
        """What the sort keys of the thread's checkpoints begin with, whatever their namespace."""
        return keys.CHECKPOINT

    @property
    def checkpoints(self) -> str:
        """What the sort keys of the namespace's checkpoints begin with; they sort by time."""
        return f"{keys.CHECKPOINT}{self._ns}#"

    def checkpoint_key(self, checkpoint: str) -> str:
        """Return the sort key of a checkpoint."""
        return f"{self.checkpoints}{quote(checkpoint, safe=_SAFE)}"

    def value_key(self, channel: str, version: object) -> str:
        """Return the sort key of one version of a channel's value."""
        return f"{keys.CHECKPOINT_VALUE}{self._ns}#{quote(channel, safe=_SAFE)}#{version}"

    def writes_prefix(self, checkpoint: str) -> str:
        """Return what the sort keys of the writes after a checkpoint begin with."""
        return f"{keys.CHECKPOINT_WRITE}{self._ns}#{quote(checkpoint, safe=_SAFE)}#"

    def write_key(self, checkpoint: str, task: str, index: int) -> str:
        """Return the sort key of one write of a task."""
        return f"{self.writes_prefix(checkpoint)}{quote(task, safe=_SAFE)}#{index:+05d}"

    def to_config(self, checkpoint: str) -> RunnableConfig:
        """Return the config that names a checkpoint."""
        return {
            "configurable": {"thread_id": self.thread_id, "checkpoint_ns": self.ns, "checkpoint_id": checkpoint},
        }

    @property
    def _ns(self) -> str:
        return quote(self.ns, safe=_SAFE)


class Values:
    """Bytes in items, or in the bucket where they are many.

    Args:
        table: the state table.
        objects: the payload bucket.
    """

    def __init__(self, table: Table, objects: ObjectStore) -> None:
        self._table = table
        self._objects = objects

    def pack(self, pk: str, sk: str, value: Packed, expiry: int) -> Item:
        """Return the item of a value.

        Args:
            pk: its partition.
            sk: its sort key; the same key always gets the same object.
            value: format and bytes.
            expiry: seconds since the epoch.
        """
        item: Item = {"pk": pk, "sk": sk, "type": "graph", "kind": "value", "format": value[0], "ttl": expiry}
        if len(value[1]) <= SPILL_BYTES:
            return item | {"body": value[1]}
        _, tenant, _, thread = pk.split("#", 3)
        # By tenant and run, as the role of tools' data may reach them; a call's thread begins with its run.
        run = thread.partition(".")[0]
        key = f"graphs/{tenant}/{run}/{hashlib.sha256(f'{pk}#{sk}'.encode()).hexdigest()}"
        self._objects.put(key, value[1])
        return item | {"body_spill": key}

    def unpack(self, item: Item) -> Packed:
        """Return the value of an item.

        Raises:
            NotFound: its object is gone.
        """
        if "body_spill" in item:
            return str(item["format"]), self._objects.get(str(item["body_spill"]))
        body: Any = item["body"]
        return str(item["format"]), bytes(getattr(body, "value", body))

    def fetch(self, pk: str, wanted: Mapping[str, str]) -> dict[str, Packed]:
        """Return values by name, read side by side.

        Args:
            pk: their partition.
            wanted: name to sort key.

        Raises:
            NotFound: one is gone.
        """
        if not wanted:
            return {}
        with ThreadPoolExecutor(max_workers=min(_READERS, len(wanted))) as readers:
            items = readers.map(lambda sk: self._table.get(pk, sk), wanted.values())
        return {name: self._unpack_found(name, item) for name, item in zip(wanted, items, strict=True)}

    def _unpack_found(self, name: str, item: Item | None) -> Packed:
        if item is None:
            raise NotFound(f"the value of the graph's channel '{name}' is gone: it expired before its checkpoint")
        return self.unpack(item)


def iter_thread_items(table: Table, tenant_id: str, thread_id: str) -> Iterator[Item]:
    """Yield all items of a thread."""
    yield from table.iter_items(ThreadKeys.from_thread(tenant_id, thread_id).pk)
