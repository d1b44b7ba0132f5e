"""A LangGraph checkpointer over the state table: a graph that was cut off goes on at its last checkpoint.

A thread is a partition. Items: one a checkpoint with its small channel values; one for each large value of a channel's
version, so that an unchanged one is stored once; one a pending write. All of them expire. Async methods run the others
in a thread, since the client is synchronous.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    PendingWrite,
    get_checkpoint_id,
    get_serializable_checkpoint_metadata,
    writes_sort_key,
)
from langgraph.checkpoint.serde.base import SerializerProtocol

from pentad.aws.table import ConditionFailed, Item, Table
from pentad.domain.errors import InvalidInput
from pentad.memory.objects.ports import ObjectStore
from pentad.tools.graphs.adapters.langgraph_items import INLINE_BYTES, ThreadKeys, Values, iter_thread_items

KEPT_SECONDS = 30 * 86_400
"""How long a checkpoint is kept."""
_PAGE = 25


class DynamoDBSaver(BaseCheckpointSaver[int]):
    """Checkpoints of one tenant's graphs.

    Args:
        table: the state table.
        objects: the payload bucket, for what is too large for an item.
        tenant_id: whose threads; it begins every key.
        clock: seconds since the epoch, for expiry.
        kept_seconds: how long items are kept.
        serde: LangGraph's serializer; with ``LANGGRAPH_STRICT_MSGPACK=true``, as functions are deployed, the usual one
            makes only safe types and those of the graph's own state.
    """

    def __init__(
        self,
        table: Table,
        objects: ObjectStore,
        tenant_id: str,
        *,
        clock: Callable[[], float] = time.time,
        kept_seconds: int = KEPT_SECONDS,
        serde: SerializerProtocol | None = None,
    ) -> None:
        super().__init__(serde=serde)
        self._table = table
        self._values = Values(table, objects)
        self._tenant = tenant_id
        self._clock = clock
        self._kept_seconds = kept_seconds

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Return the checkpoint that the config names, or the thread's newest, or None.

        Raises:
            StoreUnavailable: the table or the bucket did not answer.
        """
        place = self._make_keys(config)
        named = get_checkpoint_id(config)
        if named:
            item = self._table.get(place.pk, place.checkpoint_key(named))
        else:
            items, _ = self._table.query(place.pk, begins=place.checkpoints, limit=1, descending=True)
            item = items[0] if items else None
        return None if item is None else self._build_tuple(place, item, self._load_body(item))

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """Yield a thread's checkpoints, the newest first; of one namespace where the config names one.

        Args:
            config: the thread, maybe its namespace and a checkpoint.
            filter: metadata that has to be equal.
            before: only those older than this one.
            limit: at most so many.

        Raises:
            InvalidInput: no thread is named: all threads of a tenant are in no order that DynamoDB could list.
            StoreUnavailable: the table or the bucket did not answer.
        """
        if config is None:
            raise InvalidInput("checkpoints are listed by thread", field="config", fix="name a thread_id")
        named, older = get_checkpoint_id(config), get_checkpoint_id(before) if before else None
        found = 0
        for item in self._iter_newest(config):
            if limit is not None and found >= limit:
                return
            own = str(item["checkpoint"])
            if (named and own != named) or (older and own >= older):
                continue
            body = self._load_body(item)
            if filter and any(body["metadata"].get(name) != value for name, value in filter.items()):
                continue
            found += 1
            yield self._build_tuple(self._make_keys(config, str(item["ns"])), item, body)

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Store a checkpoint and return the config that names it; a repeat replaces it by itself.

        Raises:
            StoreUnavailable: the table or the bucket did not answer.
        """
        place = self._make_keys(config)
        kept: dict[str, Any] = dict(checkpoint)
        packed = {name: self.serde.dumps_typed(value) for name, value in kept.pop("channel_values", {}).items()}
        small = {name: value for name, value in packed.items() if len(value[1]) <= INLINE_BYTES}
        for name, value in packed.items():
            # Large values first: a checkpoint never points to one that is not there.
            if name not in small and name in new_versions:
                key = place.value_key(name, new_versions[name])
                self._table.put(self._values.pack(place.pk, key, value, self._compute_expiry()))
        body = {
            "checkpoint": kept,
            "metadata": get_serializable_checkpoint_metadata(config, metadata),
            "small": {name: list(value) for name, value in small.items()},
            "large": {name: checkpoint["channel_versions"][name] for name in packed if name not in small},
        }
        item = self._values.pack(
            place.pk, place.checkpoint_key(checkpoint["id"]), self.serde.dumps_typed(body), self._compute_expiry()
        )
        parent_run_id = get_checkpoint_id(config)
        named = {"kind": "checkpoint", "checkpoint": checkpoint["id"], "ns": place.ns, "parent": parent_run_id}
        self._table.put(item | named)
        return place.to_config(checkpoint["id"])

    def put_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Store what a task wrote after a checkpoint; the first word stands, but for errors, interrupts and the like.

        Raises:
            StoreUnavailable: the table or the bucket did not answer.
        """
        place = self._make_keys(config)
        checkpoint = str(get_checkpoint_id(config))
        for position, (channel, value) in enumerate(writes):
            index = WRITES_IDX_MAP.get(channel, position)
            key = place.write_key(checkpoint, task_id, index)
            item = self._values.pack(place.pk, key, self.serde.dumps_typed(value), self._compute_expiry())
            item |= {"kind": "write", "task": task_id, "path": task_path, "index": index, "channel": channel}
            try:
                self._table.put(item, condition="attribute_not_exists(pk)" if index >= 0 else None)
            except ConditionFailed:
                continue  # a retry of the task: what it wrote first is what the graph went on with

    def delete_thread(self, thread_id: str) -> None:
        """Delete all that is kept of a thread; objects in the bucket expire by its lifecycle rule.

        Raises:
            StoreUnavailable: the table did not answer.
        """
        for item in iter_thread_items(self._table, self._tenant, thread_id):
            self._table.delete(str(item["pk"]), str(item["sk"]))

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy all that is kept of a thread to another; large values in the bucket are shared.

        Raises:
            StoreUnavailable: the table did not answer.
        """
        target = ThreadKeys.from_thread(self._tenant, target_thread_id)
        for item in iter_thread_items(self._table, self._tenant, source_thread_id):
            self._table.put(item | {"pk": target.pk, "ttl": self._compute_expiry()})

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Async form of `get_tuple`."""
        return await asyncio.to_thread(self.get_tuple, config)

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """Async form of `list`."""
        listed = self.list(config, filter=filter, before=before, limit=limit)
        while (found := await asyncio.to_thread(next, listed, None)) is not None:
            yield found

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Async form of `put`."""
        return await asyncio.to_thread(self.put, config, checkpoint, metadata, new_versions)

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Async form of `put_writes`."""
        await asyncio.to_thread(self.put_writes, config, writes, task_id, task_path)

    async def adelete_thread(self, thread_id: str) -> None:
        """Async form of `delete_thread`."""
        await asyncio.to_thread(self.delete_thread, thread_id)

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Async form of `copy_thread`."""
        await asyncio.to_thread(self.copy_thread, source_thread_id, target_thread_id)

    def _make_keys(self, config: RunnableConfig, ns: str | None = None) -> ThreadKeys:
        named = config["configurable"]
        return ThreadKeys.from_thread(
            self._tenant, named["thread_id"], named.get("checkpoint_ns", "") if ns is None else ns
        )

    def _compute_expiry(self) -> int:
        return int(self._clock()) + self._kept_seconds

    def _load_body(self, item: Item) -> dict[str, Any]:
        return cast("dict[str, Any]", self.serde.loads_typed(self._values.unpack(item)))

    def _iter_newest(self, config: RunnableConfig) -> Iterator[Item]:
        place, start = self._make_keys(config), None
        if config["configurable"].get("checkpoint_ns") is None:
            # All namespaces: their ids sort within each only, so all are read and put in order.
            items, _ = self._table.query(place.pk, begins=place.every_checkpoint)
            yield from sorted(items, key=lambda item: str(item["checkpoint"]), reverse=True)
            return
        while True:
            items, start = self._table.query(
                place.pk, begins=place.checkpoints, limit=_PAGE, descending=True, start=start
            )
            yield from items
            if start is None:
                return

    def _build_tuple(self, place: ThreadKeys, item: Item, body: dict[str, Any]) -> CheckpointTuple:
        own, parent = str(item["checkpoint"]), item.get("parent")
        packed = {name: (value[0], value[1]) for name, value in body["small"].items()}
        large = {name: place.value_key(name, version) for name, version in body["large"].items()}
        packed |= self._values.fetch(place.pk, large)
        values = {name: self.serde.loads_typed(value) for name, value in packed.items()}
        return CheckpointTuple(
            config=place.to_config(own),
            checkpoint=cast("Checkpoint", body["checkpoint"] | {"channel_values": values}),
            metadata=body["metadata"],
            parent_config=place.to_config(str(parent)) if parent else None,
            pending_writes=[*self._read_writes(place, own)],
        )

    def _read_writes(self, place: ThreadKeys, checkpoint: str) -> Sequence[PendingWrite]:
        items, _ = self._table.query(place.pk, begins=place.writes_prefix(checkpoint))
        items.sort(key=lambda item: writes_sort_key(str(item["path"]), str(item["task"]), int(item["index"])))
        return [
            (str(item["task"]), str(item["channel"]), self.serde.loads_typed(self._values.unpack(item)))
            for item in items
        ]
