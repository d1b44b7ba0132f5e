"""Nothing is left of an erased user, wherever it was and whenever the work was cut; others' things stay."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from boto3.dynamodb.types import Binary

from pentad.aws.table import Table, from_dynamodb
from pentad.domain import keys
from pentad.domain.ids import derive_id, hash_user
from pentad.domain.knowledge import Utterance
from pentad.domain.memories.facts import Fact, GateVerdict, LearnedRange
from pentad.domain.runs import Run, RunStatus
from pentad.memory.documents.adapters.reader_inline import InlineReader
from pentad.memory.documents.adapters.registry_dynamodb import DynamoRegistry
from pentad.memory.documents.adapters.upload_keys_memory import MemoryUploadKeys
from pentad.memory.documents.ingest import Ingest
from pentad.memory.facts.adapters.facts_dynamodb import DynamoFacts
from pentad.memory.facts.ports import FactChange
from pentad.memory.objects.adapters.objects_s3 import S3Objects
from pentad.memory.remember.adapters.progress_dynamodb import DynamoProgress
from pentad.memory.retrieval.adapters.vectors_memory import MemoryVectors
from pentad.memory.retrieval.listing import iterate_ids
from pentad.memory.retrieval.ports import Vector
from pentad.memory.turns.adapters.segments_dynamodb import DynamoSegments
from pentad.memory.turns.ports import Owner
from pentad.memory.turns.said import Said
from pentad.memory.turns.segments import decode_words
from pentad.models.cache.adapters.response_cache_dynamodb import DynamoResponseCache
from pentad.models.ledger.adapters.spend_dynamodb import DynamoSpend
from pentad.observability.adapters.memory import MemoryTelemetry
from pentad.observability.feedback.adapters.feedback_dynamodb import DynamoFeedback
from pentad.observability.feedback.ports import EarlierFeedback, Feedback, FeedbackKey
from pentad.orchestration.contents.adapters.contents_cloudwatch import CloudWatchContents
from pentad.orchestration.contents.ports import begin_streams
from pentad.orchestration.erasure.adapters.erasures_dynamodb import DynamoErasures
from pentad.orchestration.erasure.adapters.erasures_memory import MemoryErasures
from pentad.orchestration.erasure.adapters.places_dynamodb import (
    DocumentsPlace,
    FeedbackPlace,
    MemoryPlace,
    RunsPlace,
    SessionsPlace,
    SpendPlace,
)
from pentad.orchestration.erasure.adapters.places_kept import FilesPlace, RecordsPlace, RepliesPlace, VectorsPlace
from pentad.orchestration.erasure.adapters.places_logs import ContentsPlace
from pentad.orchestration.erasure.adapters.run_things import RunThings, ToolMarks
from pentad.orchestration.erasure.adapters.wiping import VersionedObjects
from pentad.orchestration.erasure.erase import EraseUser
from pentad.orchestration.erasure.ports import KINDS, Erasure, ErasureRequest, ErasureStore, Visit
from pentad.orchestration.erasure.request import RequestErasure
from pentad.tools.files.adapters.files_s3 import ROOT
from pentad.tools.records.adapters.records_dynamodb import DynamoRecords
from pentad.tools.records.ports import RecordWrite
from tests.moto_clients import client
from tests.unit.memory.fakes import DIMENSIONS, WordEmbedder
from tests.unit.models.cache.test_cache import chat_reply
from tests.unit.orchestration.world import Events

from .stores import START, Stores
from .test_runs import make_run, start

TENANT = "acme"
DOCUMENTS = "documents"
CONTENTS = "/pentad/pentad-dev/contents"
IN_RUN = ("STEP#00001", "CALL#00001#00", "RESULT#00101", "EFFECT#e1", "APPROVAL#00001", "REVIEW#00001#x", "PLAN")
IN_GRAPH = ("C##c1", "V##channel#1", "W##c1#t#+00000", "AUDIT#00001#00#at#r")


def create_records(beside: Table) -> Table:
    """Make the table of tools beside another one."""
    made = beside._client
    keyed = [{"AttributeName": name, "KeyType": kind} for name, kind in (("pk", "HASH"), ("sk", "RANGE"))]
    typed = [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")]
    made.create_table(TableName="records", BillingMode="PAY_PER_REQUEST", AttributeDefinitions=typed, KeySchema=keyed)
    return Table(made, "records")


class Killed(BaseException):
    """The process ends here."""


class Deployment:
    """The stores of a deployment with versioned buckets, its ingest, and what erases users."""

    def __init__(self, stores: Stores) -> None:
        assert stores.state is not None
        assert stores.transient is not None
        self.stores, self.state, self.transient, self.s3 = stores, stores.state, stores.transient, stores.s3
        self.s3.create_bucket(Bucket=DOCUMENTS)
        for bucket in ("payload", DOCUMENTS):
            self.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        self.vectors = MemoryVectors()
        self.ingest = Ingest(
            objects=S3Objects(self.s3, DOCUMENTS),
            keys=MemoryUploadKeys(),
            reader=InlineReader(),
            registry=DynamoRegistry(self.state, clock=stores.clock),
            vectors=self.vectors,
            embedder=WordEmbedder(),
            telemetry=MemoryTelemetry(),
            clock=stores.clock,
        )
        self.logs = client("logs")
        self.logs.create_log_group(logGroupName=CONTENTS)
        self.erasures = DynamoErasures(self.state)
        payloads, self.records = VersionedObjects(self.s3, "payload"), create_records(self.state)
        things = RunThings(
            self.state, self.transient, payloads, ToolMarks(self.records, ["ENTRY", "NOTE"]), now=stores.clock
        )
        places = (
            RunsPlace(self.state, things),
            SessionsPlace(self.state, things),
            MemoryPlace(self.state),
            DocumentsPlace(self.state, VersionedObjects(self.s3, DOCUMENTS), now=stores.clock),
            SpendPlace(self.state),
            FeedbackPlace(self.state),
            VectorsPlace(self.vectors),
            RecordsPlace(self.records, ["ENTRY", "NOTE"]),
            FilesPlace(payloads, ROOT),
            RepliesPlace(self.transient),
            ContentsPlace(self.logs, CONTENTS),
        )
        self.erase = EraseUser(self.erasures, places, MemoryTelemetry(), now=stores.clock, timer=lambda: 0)
        self.requests = RequestErasure(self.erasures, stores.runs, Events(), now=stores.clock)
        self.documents: list[tuple[str, str]] = []
        self.canaries = 0

    def canary(self, user: str) -> str:
        self.canaries += 1
        return f"CANARY-{user}-{self.canaries}"

    def plant(self, tenant: str, user: str) -> None:
        """Give a user some of everything that there is, with a word of theirs in each."""
        for number in (1, 2, 3):
            self.plant_run(tenant, user, f"{user}-{number}")
        self.plant_memory(tenant, user)
        self.plant_kept(tenant, user)
        for name in (f"users/{user}/plan.md", f"users/{user}/deep/a b.md"):
            for _ in range(2):  # an older version stays in the bucket
                self.s3.put_object(Bucket=DOCUMENTS, Key=f"{tenant}/{name}", Body=self.canary(user).encode())
                self.ingest.reconcile(tenant, name)
            self.documents.append((tenant, name))

    def plant_kept(self, tenant: str, user: str) -> None:
        """Give a user what tools and caches keep: records, files with older versions, replies, a vector left behind."""
        records = DynamoRecords(self.records, tenant, clock=lambda: self.stores.clock().timestamp())
        for kind, key in (("ENTRY", f"users/{user}/note/1"), ("NOTE", f"users/{user}/a b")):
            records.write(RecordWrite(kind, key, {"text": self.canary(user)}, "any"))
        for _ in range(2):
            path = f"files/{tenant}/users/{user}/deep/plan.txt"
            self.s3.put_object(Bucket="payload", Key=path, Body=self.canary(user).encode())
        cache = DynamoResponseCache(self.transient, clock=lambda: self.stores.clock().timestamp())
        for number in range(3):
            key = hashlib.sha256(f"{tenant} {user} {number}".encode()).hexdigest()
            cache.note_user(tenant, key, user, seconds=86_400)
            cache.put(tenant, key, chat_reply(self.canary(user)), seconds=86_400)
        self.plant_vector(tenant, user)

    def plant_vector(self, tenant: str, user: str) -> None:
        """Put a vector into the index of which no entry of a document knows."""
        metadata: dict[str, Any] = {"readers": [f"user:{user}"], "kind": "document", "text": self.canary(user)}
        self.vectors.upsert(tenant, [Vector(vector_id=f"left-{user}", values=(1.0,) * DIMENSIONS, metadata=metadata)])

    def plant_run(self, tenant: str, user: str, session: str) -> None:
        run = make_run(self.stores, session=session, user=user).model_copy(update={"tenant_id": tenant})
        start(self.stores, run, self.canary(user) * 20_000)
        self.stores.runs.finish(
            tenant, run.run_id, RunStatus.SUCCEEDED, at=self.stores.clock(), answer=self.canary(user)
        )
        self.put(tenant, user, keys.run_pk(tenant, run.run_id), *IN_RUN)
        self.give_feedback(run, user)
        self.plant_contents(tenant, user, run.run_id)
        mark = {"pk": keys.done_pk(tenant, "NOTE"), "sk": "k", "type": "mark"}
        self.records.put(mark | {"sk": f"k-{run.run_id}", "body": self.canary(user)})
        self.put(tenant, user, keys.run_pk(tenant, run.run_id), keys.effect_sk(f"k-{run.run_id}"))
        for thread in (run.run_id, f"{run.run_id}.00001.00"):
            self.put(tenant, user, keys.graph_pk(tenant, thread), *IN_GRAPH)
        self.put(tenant, user, keys.session_pk(tenant, session), keys.summary_sk(3))
        for key in (f"{tenant}/runs/{run.run_id}/STEP-00001.json", f"graphs/{tenant}/{run.run_id}/abc"):
            self.s3.put_object(Bucket="payload", Key=key, Body=self.canary(user).encode())

    def plant_contents(self, tenant: str, user: str | None, run_id: str) -> None:
        """Let the log of contents have what was said in a run."""
        log = CloudWatchContents(self.logs, CONTENTS, clock=lambda: datetime.now(UTC))
        log.write(f"{begin_streams(tenant, user)}{run_id}", [{"line": "m.0.0", "text": self.canary(user or "nobody")}])

    def list_streams(self) -> list[str]:
        pages = self.logs.get_paginator("describe_log_streams").paginate(logGroupName=CONTENTS)
        return [one["logStreamName"] for page in pages for one in page["logStreams"]]

    def give_feedback(self, run: Run, by: str) -> Feedback:
        """Let somebody say something of a run."""
        given = Feedback(
            tenant_id=run.tenant_id,
            run_id=run.run_id,
            feedback_id=derive_id("fbk", run.run_id, by),
            by=by,
            user_id=by,
            agent=run.agent,
            session_id=run.session_id,
            run_user_id=run.user_id,
            comment=self.canary(by),
            correction=self.canary(by),
            given_at=START,
            changed_at=START,
            earlier=(EarlierFeedback(comment=self.canary(by), given_at=START),),
        )
        key = FeedbackKey(key_hash=f"hash-{by}", request_hash="r", feedback_id=given.feedback_id)
        assert DynamoFeedback(self.state, now=self.stores.clock).save(given, key)
        return given

    def plant_memory(self, tenant: str, user: str) -> None:
        fact = Fact(
            tenant_id=tenant,
            user_id=user,
            fact_id="fact_1",
            kind="fact",
            text=self.canary(user),
            subject="home",
            value="x",
            valid_from=START,
            learned_at=START,
            source="user",
            confidence=1,
        )
        verdict = GateVerdict(outcome="kept", reason="r", text=self.canary(user), seq=0)
        learned = LearnedRange(
            session_id=f"{user}-1", first_seq=0, last_seq=1, recipe="1", learned_at=START, verdicts=(verdict,)
        )
        facts = DynamoFacts(self.state)
        assert facts.write(tenant, user, FactChange(put=(fact,), learned=learned), expected_version=0)
        said = Utterance(session_id=f"{user}-1", seq=0, speaker=user, text=self.canary(user), at=START)
        Said(DynamoSegments(self.state)).add(
            Owner(tenant, user, f"{user}-1"), [said], expires_at=START + timedelta(days=9)
        )

    def put(self, tenant: str, user: str, pk: str, *places: str) -> None:
        for sk in places:
            self.state.put({"pk": pk, "sk": sk, "type": "x", "body": self.canary(user)})

    def work(self, user: str, erasure: Erasure, *, kill_at: int | None = None) -> Erasure:
        """Let the function run as often as it asks to, and ingest see what came of the documents."""
        request = ErasureRequest(tenant_id=erasure.tenant_id, user_id=user, erasure_id=erasure.erasure_id)
        for _ in range(20):
            with self.count_down(kill_at):
                again = self.erase.run(request, deadline=1_000)
            for tenant, name in self.documents:
                self.ingest.reconcile(tenant, name)
            self.stores.clock.advance(again or 0)
            if again is None:
                break
        found = self.erasures.get(erasure.tenant_id, erasure.user_hash, erasure.erasure_id)
        assert found is not None
        return found

    def dump(self) -> str:
        """Return all that is in tables, buckets and the index, old versions and keys included."""
        parts: list[Any] = []
        for table in (self.state, self.transient, self.records):
            pages = table._client.get_paginator("scan").paginate(TableName=table.name)
            items = [from_dynamodb(item) for page in pages for item in page["Items"]]
            parts += [{name: decode(value) for name, value in item.items()} for item in items]
        for bucket in ("payload", DOCUMENTS):
            listed = self.s3.list_object_versions(Bucket=bucket)
            for one in listed.get("Versions", ()):
                body = self.s3.get_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])["Body"].read()
                parts += [one["Key"], body.decode()]
            parts += [one["Key"] for one in listed.get("DeleteMarkers", ())]
        for name in self.list_streams():
            events = self.logs.get_log_events(logGroupName=CONTENTS, logStreamName=name)["events"]
            parts += [name, [json.loads(one["message"]) for one in events]]
        for tenant in (TENANT, "other"):
            held = self.vectors.fetch(tenant, list(iterate_ids(self.vectors, tenant)))
            parts += [[tenant, name, one.text, one.metadata] for name, one in sorted(held.items())]
        return json.dumps(parts, default=str)

    @contextmanager
    def count_down(self, writes: int | None) -> Iterator[None]:
        """End the process at this write, where one is named."""
        left = writes

        def count(model: Any, **_: object) -> None:
            nonlocal left
            if left is not None and model.name.startswith(("Delete", "Put", "Update", "Transact")):
                left -= 1
                if left <= 0:
                    raise Killed

        clients = (self.state._client, self.s3, self.logs)
        for one in clients:
            one.meta.events.register("before-call", count)
        try:
            yield
        finally:
            for one in clients:
                one.meta.events.unregister("before-call", count)


def decode(value: Any) -> Any:
    """Return a stored value, with the words of a segment of what was said spelled out."""
    if isinstance(value, Binary):
        body: Any = value
        return [one.text for one in decode_words(bytes(body)).said]
    return value


@pytest.fixture
def deployment(dynamodb: Stores) -> Deployment:
    return Deployment(dynamodb)


def test_records_of_many_kinds_are_looked_through_page_by_page(deployment: Deployment) -> None:
    kinds = ["EMPTY", "ENTRY", "NOTE"]
    place = RecordsPlace(deployment.records, kinds)
    for kind, count in (("ENTRY", 230), ("NOTE", 1)):
        records = DynamoRecords(deployment.records, TENANT, clock=lambda: 0.0)
        for user in ("ann", "annie"):
            for number in range(count if user == "ann" else 1):
                records.write(RecordWrite(kind, f"users/{user}/{number:03d}", {}, "any"))
    for stage, total in (("check", 231), ("remove", 231), ("check", 0)):
        cursor, found, visits = None, 0, 0
        while visits == 0 or cursor is not None:
            visit = place.visit(TENANT, "ann", cursor, stage=stage)  # type: ignore[arg-type]
            cursor, visits, here = visit.cursor, visits + 1, visit.found.get("tool_records", 0)
            assert here <= 100
            found += here
        assert found == total
    assert [len(list(deployment.records.iter_items(f"T#{TENANT}#{kind}"))) for kind in kinds] == [0, 1, 1]
    assert RecordsPlace(deployment.records, []).visit(TENANT, "ann", None, stage="check") == Visit()
    assert RecordsPlace(deployment.records, kinds[:1]).visit(TENANT, "ann", "2:", stage="remove") == Visit()


@pytest.fixture(params=["memory", "dynamodb"])
def erasures(request: pytest.FixtureRequest, dynamodb: Stores) -> ErasureStore:
    assert dynamodb.state is not None
    return MemoryErasures() if request.param == "memory" else DynamoErasures(dynamodb.state)


def receipt(number: int = 1, **changes: Any) -> Erasure:
    fields = {"tenant_id": TENANT, "erasure_id": f"era_{number:026d}", "user_hash": "h"}
    return Erasure(**fields | changes, asked_at=START, updated_at=START)


def test_a_receipt_is_written_by_one_worker_at_a_time_and_the_newest_is_found(erasures: ErasureStore) -> None:
    first = erasures.save(receipt(1))
    assert first is not None
    assert (erasures.save(receipt(1)), erasures.save(receipt(2, version=1))) == (None, None)
    moved = erasures.save(first.model_copy(update={"status": "running", "removed": {"runs": 3}}))
    assert moved is not None
    assert (moved.version, erasures.get(TENANT, "h", first.erasure_id)) == (2, moved)
    assert erasures.save(first) is None
    newer = erasures.save(receipt(2))
    assert erasures.find_newest(TENANT, "h") == newer
    assert (erasures.find_newest("other", "h"), erasures.find_newest(TENANT, "i")) == (None, None)
    assert erasures.get("other", "h", first.erasure_id) is None


def test_killed_at_every_write_nothing_is_left_of_the_user_and_all_of_the_others(deployment: Deployment) -> None:
    others = ((TENANT, "bob"), (TENANT, "ada2"), (TENANT, "ad"), ("other", "ada"))
    for tenant, user in others:
        deployment.plant(tenant, user)
    deployment.documents.clear()
    without = deployment.dump()
    before = deployment.canaries
    deployment.plant(TENANT, "ada")
    assert deployment.canaries - before >= 50
    planted = deployment.dump()
    missing = [number for number in range(before + 1, deployment.canaries + 1) if f"CANARY-ada-{number}" not in planted]
    assert missing == []
    erasure = deployment.requests.request(TENANT, "ada")
    killed = 0
    for number in range(300):  # Each try comes some writes further than the one before.
        try:
            erasure = deployment.work("ada", erasure, kill_at=1 + number % 8)
        except Killed:
            killed += 1
        if not erasure.is_open:
            break
    assert killed > 20
    assert (erasure.status, erasure.left, erasure.open_run_id) == ("done", {}, None)
    after = deployment.dump()
    for number in range(before + 1, deployment.canaries + 1):
        assert f'CANARY-ada-{number}"' not in after
        assert f"CANARY-ada-{number}C" not in after
    receipts = [item for item in json.loads(after) if isinstance(item, dict) and item.get("type") == "erasure"]
    assert len(receipts) == 1
    assert '"ada"' not in json.dumps(receipts)
    kept = [one for one in json.loads(after) if one not in receipts]
    assert sorted(kept, key=str) == sorted(json.loads(without), key=str)


def test_the_receipt_counts_what_went_and_a_second_look_finds_nothing_or_what_came(deployment: Deployment) -> None:
    deployment.plant(TENANT, "ada")
    done = deployment.work("ada", deployment.requests.request(TENANT, "ada"))
    assert done.status == "done"
    counted = {kind: done.removed[kind] for kind in ("runs", "sessions", "documents", "graph_items")}
    assert counted == {"runs": 3, "sessions": 3, "documents": 2, "graph_items": 24}
    assert done.user_hash == hash_user("ada") == hashlib.sha256(b"ada").hexdigest()[:32]
    clean = deployment.work("ada", deployment.requests.verify(TENANT, "ada", done.erasure_id))
    assert (clean.status, clean.left, clean.removed) == ("done", {}, done.removed)
    deployment.plant_memory(TENANT, "ada")
    found = deployment.work("ada", deployment.requests.verify(TENANT, "ada", done.erasure_id))
    assert (found.status, found.left) == ("incomplete", {"memory_items": 4})
    assert "CANARY-ada" in deployment.dump()  # A look removes nothing.
    again = deployment.requests.request(TENANT, "ada")
    assert again.erasure_id != done.erasure_id
    assert deployment.work("ada", again).status == "done"
    assert "CANARY-ada" not in deployment.dump()


def test_what_a_user_said_of_others_runs_goes_and_what_others_said_of_them_stays(deployment: Deployment) -> None:
    bobs = make_run(deployment.stores, session="bobs", user="bob").model_copy(update={"tenant_id": TENANT})
    nobodys = make_run(deployment.stores, session="nobodys", user=None).model_copy(update={"tenant_id": TENANT})
    for run in (bobs, nobodys):
        start(deployment.stores, run, "hello")
        deployment.stores.runs.finish(TENANT, run.run_id, RunStatus.SUCCEEDED, at=START, answer="4")
        for by in ("ada", "bob"):
            deployment.give_feedback(run, by)
    erasure = deployment.requests.request(TENANT, "ada")
    for number in range(1, 20):
        with suppress(Killed):
            erasure = deployment.work("ada", erasure, kill_at=number)
    assert (erasure.status, erasure.removed) == ("done", {"feedback_items": 2})
    left = deployment.dump()
    assert ("CANARY-ada" in left, left.count("CANARY-bob")) == (False, 6)
    listed = DynamoFeedback(deployment.state, now=deployment.stores.clock).list_page(TENANT).items
    assert [one.by for one in listed] == ["bob", "bob"]


def test_of_what_tools_and_caches_keep_the_users_own_goes_and_a_look_finds_what_came(deployment: Deployment) -> None:
    deployment.plant_run(TENANT, "ada", "s-1")
    deployment.plant_kept(TENANT, "ada")
    tenants = DynamoRecords(deployment.records, TENANT)
    tenants.write(RecordWrite("ENTRY", "contact/ada", {"name": "Ada"}, "any"))
    done = deployment.work("ada", deployment.requests.request(TENANT, "ada"))
    counted = {kind: done.removed[kind] for kind in KINDS[-6:]}
    kept = {"cached_replies": 3, "tool_records": 2, "tool_marks": 1, "tool_files": 2}
    assert counted == {**kept, "vectors": 1, "content_streams": 1}
    assert (done.status, "CANARY" in deployment.dump()) == ("done", False)
    assert [one.key for one in tenants.query("ENTRY")] == ["contact/ada"]  # The tenant's own.
    deployment.plant_vector(TENANT, "ada")
    deployment.plant_vector("other", "ada")
    found = deployment.work("ada", deployment.requests.verify(TENANT, "ada", done.erasure_id))
    assert (found.status, found.left) == ("incomplete", {"vectors": 1})


def test_every_page_of_a_large_index_is_looked_through(deployment: Deployment) -> None:
    others = [Vector(vector_id=f"v{number:05d}", values=(1.0,) * DIMENSIONS) for number in range(1_250)]
    deployment.vectors.upsert(TENANT, others)
    deployment.plant_vector(TENANT, "zoe")
    named = {"document": "users/zoe/old.md"}
    deployment.vectors.upsert(TENANT, [Vector(vector_id="w", values=(1.0,) * DIMENSIONS, metadata=named)])
    place, cursor, left = VectorsPlace(deployment.vectors), None, 0
    for _ in range(3):
        seen = place.visit(TENANT, "zoe", cursor, stage="check")
        left, cursor = left + seen.found.get("vectors", 0), seen.cursor
        if cursor is None:
            break
    assert (left, cursor) == (2, None)


def test_what_was_said_in_runs_that_are_gone_goes_too_and_a_look_finds_what_came_later(deployment: Deployment) -> None:
    for number in range(130):  # more than two pages
        deployment.plant_contents(TENANT, "ada", f"run_{number:026d}")
    others: tuple[tuple[str, str | None], ...] = ((TENANT, "ada2"), (TENANT, "ad"), (TENANT, None), ("other", "ada"))
    for tenant, user in others:
        deployment.plant_contents(tenant, user, "run_" + "0" * 26)
    erasure = deployment.requests.request(TENANT, "ada")
    for number in (1, 20, 70):
        with suppress(Killed):
            erasure = deployment.work("ada", erasure, kill_at=number)
    done = deployment.work("ada", erasure)
    assert (done.status, done.left, len(deployment.list_streams())) == ("done", {}, 4)
    deployment.plant_contents(TENANT, "ada", "run_late")
    found = deployment.work("ada", deployment.requests.verify(TENANT, "ada", done.erasure_id))
    assert (found.status, found.left, len(deployment.list_streams())) == ("incomplete", {"content_streams": 1}, 5)


def test_a_stage_that_keeps_no_contents_is_erased_all_the_same(deployment: Deployment) -> None:
    deployment.logs.delete_log_group(logGroupName=CONTENTS)
    done = deployment.work("ada", deployment.requests.request(TENANT, "ada"))
    assert (done.status, done.removed) == ("done", {})


def test_a_reply_that_two_users_asked_for_goes_with_either(deployment: Deployment) -> None:
    cache = DynamoResponseCache(deployment.transient, clock=lambda: deployment.stores.clock().timestamp())
    for user in ("ada", "bob"):
        cache.note_user(TENANT, "ab", user, seconds=60)
    cache.put(TENANT, "ab", chat_reply("CANARY"), seconds=60)
    cache.claim(TENANT, "ab", "asker", until=2**40)
    cache.release(TENANT, "ab", "asker", handed=chat_reply("CANARY"))
    assert deployment.work("bob", deployment.requests.request(TENANT, "bob")).removed == {"cached_replies": 1}
    assert (cache.get(TENANT, "ab"), cache.find_handed(TENANT, "ab", "asker")) == (None, None)


def test_what_was_spent_stays_under_the_hash_of_the_user(deployment: Deployment) -> None:
    spent: dict[str, Any] = {"type": "spend", "attempts": 2, "tokens": 30, "cost_nanousd": 500, "ttl": 1}
    pk = keys.spend_pk(TENANT, "USER")
    counted = [("2026-11-21", "ada", 0), ("2026-11-22", "ada", 0), ("2026-11-22", "ada", 7), ("2026-11-22", "ada2", 0)]
    for place in counted:
        deployment.state.put({"pk": pk, "sk": keys.spend_sk(*place), **spent})
    erasure = deployment.requests.request(TENANT, "ada")
    for number in range(1, 20):
        with suppress(Killed):
            erasure = deployment.work("ada", erasure, kill_at=number)
    assert erasure.status == "done"
    read = DynamoSpend(deployment.state).read(
        TENANT, "user", START.date() - timedelta(days=9), START.date(), user_id=None
    )
    rows = {row.key: (row.attempts, row.tokens, row.cost_nanousd) for row in read.rows}
    assert rows == {hash_user("ada"): (6, 90, 1500), "ada2": (2, 30, 500)}
    again = deployment.requests.request(TENANT, "ada")
    assert deployment.work("ada", again).removed == {}


def test_what_is_left_of_a_session_that_was_deleted_goes_with_its_runs(deployment: Deployment) -> None:
    deployment.plant_run(TENANT, "ada", "s-1")
    deployment.stores.runs.remove_session(TENANT, "s-1")
    assert deployment.work("ada", deployment.requests.request(TENANT, "ada")).status == "done"
    left = deployment.dump()
    assert "s-1" not in left
    assert "CANARY" not in left  # Older versions of spilled messages too.


def test_a_run_under_way_that_the_request_did_not_see_refuses_it_and_nothing_goes(deployment: Deployment) -> None:
    deployment.plant(TENANT, "ada")
    asked = deployment.requests.request(TENANT, "ada")
    run = start(deployment.stores, make_run(deployment.stores, session="late", user="ada"), "wait")
    before = deployment.dump()
    refused = deployment.work("ada", asked)
    assert (refused.status, refused.open_run_id, refused.removed) == ("refused", run.run_id, {})
    assert before.count("CANARY") == deployment.dump().count("CANARY")


def test_a_session_of_which_memories_are_made_now_goes_after_that(deployment: Deployment) -> None:
    deployment.plant_run(TENANT, "ada", "s-1")
    head = deployment.stores.sessions.get(TENANT, "s-1")
    assert head is not None
    progress = DynamoProgress(deployment.state, clock=deployment.stores.clock)
    progress.claim(head, owner="worker", seconds=20)
    erasure = deployment.requests.request(TENANT, "ada")
    request = ErasureRequest(tenant_id=TENANT, user_id="ada", erasure_id=erasure.erasure_id)
    assert deployment.erase.run(request, deadline=1_000) == 4
    waiting = deployment.erasures.get(TENANT, erasure.user_hash, erasure.erasure_id)
    assert waiting is not None
    assert (waiting.status, waiting.left["sessions"]) == ("running", 1)
    progress.release(TENANT, "s-1", owner="worker")
    assert deployment.work("ada", erasure).status == "done"
    assert "CANARY" not in deployment.dump()


def test_a_document_that_ingest_does_not_take_out_is_left_and_told(deployment: Deployment) -> None:
    deployment.plant(TENANT, "ada")
    deployment.documents.clear()  # Nobody tells ingest.
    told = deployment.work("ada", deployment.requests.request(TENANT, "ada"))
    assert (told.status, told.left) == ("incomplete", {"documents": 2})
