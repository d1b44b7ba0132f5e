"""Bulk ingestion as deployed, over the real ingest code: killed half-way, nothing is lost or embedded twice."""

import threading
import uuid
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from moto.s3.models import s3_backends

from infra.memory.bulk_states import build_definition
from pentad.api.adapters.bulk_stepfunctions import StepFunctionsBulk
from pentad.domain.errors import StoreUnavailable
from pentad.memory.documents.adapters.reader_inline import InlineReader
from pentad.memory.documents.adapters.registry_memory import MemoryRegistry
from pentad.memory.documents.adapters.upload_keys_memory import MemoryUploadKeys
from pentad.memory.documents.batch import BATCH_DOCUMENTS, name_left, parse_batch, run_batch
from pentad.memory.documents.ingest import Ingest
from pentad.memory.objects.adapters.objects_memory import MemoryObjects
from pentad.memory.retrieval.adapters.vectors_memory import MemoryVectors
from tests.twin.machine.stage import ACCOUNT, REGION, Stage, short_waits, until
from tests.unit.memory.fakes import Clock, Counts, WordEmbedder

pytestmark = pytest.mark.twin

DOCUMENTS = 2_000
BROKEN = 7
"""One in so many is no text, and stands as failed."""


class Killed(BaseException):
    """The process ends where it stands."""


ExitError = type("Runtime.ExitError", (Exception,), {})
"""What Lambda says of it."""


class Registry(MemoryRegistry):
    """Claims of a process that was killed stay for their time, as nobody gives them back or renews them."""

    dead = False

    def renew(self, tenant_id: str, name: str, *, owner: str, seconds: float) -> None:
        if not self.dead:
            super().renew(tenant_id, name, owner=owner, seconds=seconds)

    def release(self, tenant_id: str, name: str, *, owner: str) -> None:
        if not self.dead:
            super().release(tenant_id, name, owner=owner)


class World:
    """The function of ingest over stores in memory, with a switch that kills what is at work."""

    def __init__(self) -> None:
        self.objects, self.vectors, self.embedder = MemoryObjects(), MemoryVectors(), WordEmbedder()
        self.clock, self.lock = Clock(), threading.Lock()
        self.registry = Registry(clock=self.clock)
        self.handled: Counter[str] = Counter()
        self.ingest = Ingest(
            objects=self.objects,
            registry=self.registry,
            keys=MemoryUploadKeys(),
            reader=InlineReader(),
            vectors=self.vectors,
            embedder=self,
            telemetry=Counts(),
            clock=self.clock,
        )

    def embed(self, *args: Any, **kwargs: Any) -> Any:
        if self.registry.dead:
            raise Killed
        with self.lock:
            return self.embedder.embed(*args, **kwargs)

    def handle(self, event: Any, _context: Any) -> Any:
        batch = parse_batch(event)
        with self.lock:
            self.handled.update(batch.documents)
        now = self.clock().timestamp()
        try:
            return name_left(batch, run_batch(self.ingest, batch, now=now, deadline=now + 300))
        except Killed as killed:
            raise ExitError("the process ended") from killed


def upload(world: World, bucket: str, documents: int = DOCUMENTS) -> None:
    listed = s3_backends[ACCOUNT]["aws"]
    listed.create_bucket(bucket, REGION)
    for number in range(documents):
        name = f"acme/files/{number:05}.{'json' if number % BROKEN == 0 else 'md'}"
        text = "{" if number % BROKEN == 0 else f"# Page {number}\n\nThe harbour has {number} bollards.\n"
        world.objects.put(name, text.encode(), media_type="")
        listed.put_object(bucket, name, text.encode())
    listed.put_object(bucket, "other/files/a.md", b"another tenant's")


def count(world: World) -> Counter[str]:
    entries = (world.registry.get("acme", name.removeprefix("acme/")) for name in world.objects._objects)
    return Counter(entry.status for entry in entries if entry is not None)


def test_killed_half_way_and_started_again_every_document_is_embedded_once(stage: Stage) -> None:
    world, bucket, function = World(), f"documents-{uuid.uuid4()}", f"ingest-{uuid.uuid4()}"
    upload(world, bucket)
    stage.functions[function] = world.handle
    prefix = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{uuid.uuid4()}-"
    client = stage.client("stepfunctions")
    machine = stage.create(build_definition(function, bucket, 8), name=f"{prefix.split(':')[-1]}bulk-ingest")
    version = client.publish_state_machine_version(stateMachineArn=machine)["stateMachineVersionArn"]
    routing = [{"stateMachineVersionArn": version, "weight": 100}]
    client.create_state_machine_alias(name="live", routingConfiguration=routing)
    bulk = StepFunctionsBulk(client, prefix)

    bulk.start("acme", "first-one", "files/")
    half = until(lambda: (found := bulk.get("first-one")).done >= DOCUMENTS // 2 and found, 60)
    assert (half.status, half.documents) == ("running", DOCUMENTS)
    world.registry.dead = True  # what is at work ends where it stands, and its claims stay
    until(lambda: bulk.get("first-one").failed > 0, 60)
    client.stop_execution(executionArn=f"{prefix.replace(':stateMachine:', ':execution:')}bulk-ingest:first-one")
    stopped = until(lambda: (found := bulk.get("first-one")).running == 0 and found, 60)
    assert stopped.status == "stopped"
    assert 0 < sum(count(world).values()) < DOCUMENTS

    world.registry.dead = False
    world.clock.now += timedelta(hours=1)
    bulk.start("acme", "second-one", "files/")
    done = until(lambda: (found := bulk.get("second-one")).status != "running" and found, 120)
    broken = -(-DOCUMENTS // BROKEN)
    assert (done.status, done.documents, done.done, done.failed) == ("done", DOCUMENTS, DOCUMENTS, 0)
    assert count(world) == {"indexed": DOCUMENTS - broken, "failed": broken}
    texts = Counter(world.embedder.texts)
    assert len(texts) == DOCUMENTS - broken
    assert set(texts.values()) == {1}
    assert not any(name.startswith("other") for name in world.handled)


def test_a_function_that_is_killed_half_way_leaves_its_documents_to_the_next_attempt(stage: Stage) -> None:
    """One ingestion, no second one: what the function had claimed is indexed by the retries, once."""
    world, bucket, function = World(), f"documents-{uuid.uuid4()}", f"ingest-{uuid.uuid4()}"
    upload(world, bucket, documents=30)
    killed: list[str] = []

    def handle(event: Any, context: Any) -> Any:
        keys = [item["key"] for item in event["Items"]]
        if "acme/files/00011.md" in keys and not killed:
            killed.extend(keys)
            world.registry.dead = True
            try:
                return world.handle(event, context)
            finally:
                world.registry.dead = False
        try:
            return world.handle(event, context)
        except StoreUnavailable:
            world.clock.now += timedelta(seconds=10)  # as it goes on while the machine waits
            raise

    stage.functions[function] = handle
    with short_waits():
        ended = stage.run(build_definition(function, bucket, 1), {"prefix": "acme/"})
    assert ended["status"] == "SUCCEEDED"
    client = stage.client("stepfunctions")
    [run] = client.list_map_runs(executionArn=ended["executionArn"])["mapRuns"]
    counts = client.describe_map_run(mapRunArn=run["mapRunArn"])["itemCounts"]
    assert len(killed) == BATCH_DOCUMENTS
    assert (counts["succeeded"], counts["failed"]) == (30, 0)
    broken = -(-30 // BROKEN)
    assert count(world) == {"indexed": 30 - broken, "failed": broken}
    texts = Counter(world.embedder.texts)
    assert (len(texts), set(texts.values())) == (30 - broken, {1})


def test_what_is_left_of_a_batch_comes_again_until_nothing_of_it_can_be_done(stage: Stage) -> None:
    handled: Counter[str] = Counter()
    told: list[tuple[bool, bool]] = []

    def handle(event: Any, _context: Any) -> Any:
        names = [item["key"].rpartition("/")[2] for item in event["Items"]]
        handled.update(names)
        [first, *others] = sorted(names)
        if first == "a.md":  # the others' turn has not come
            return {"Items": [{"key": f"acme/{name}"} for name in others]}
        if names == ["dying.md"]:
            told.append((event["last"], event["alone"]))  # what fails here is taken for the function's, and tried again
            raise StoreUnavailable("down")
        if handled["held.md"] < 4:
            raise StoreUnavailable("another writer is at it")
        return {"Items": [{"key": "acme/dying.md"}]}

    bucket, function = f"documents-{uuid.uuid4()}", f"ingest-{uuid.uuid4()}"
    listed = s3_backends[ACCOUNT]["aws"]
    listed.create_bucket(bucket, REGION)
    for name in ("a.md", "held.md", "dying.md"):
        listed.put_object(bucket, f"acme/{name}", b"x")
    stage.functions[function] = handle
    with short_waits():
        ended = stage.run(build_definition(function, bucket, 2), {"prefix": "acme/"})
    assert ended["status"] == "SUCCEEDED"
    client = stage.client("stepfunctions")
    [run] = client.list_map_runs(executionArn=ended["executionArn"])["mapRuns"]
    counts = client.describe_map_run(mapRunArn=run["mapRunArn"])["itemCounts"]
    assert (counts["succeeded"], counts["failed"]) == (0, 3), "a batch of which something is left counts as failed"
    assert (handled["a.md"], handled["held.md"]) == (1, 4)
    first, second, *others = told
    assert (first, second) == ((False, False), (False, True)), "a batch of one begins anew"
    assert others and set(others) == {(True, True)}, "the third attempt, and each after it, may be the last one"
