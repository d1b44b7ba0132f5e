"""Ingest over in-memory stores."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from pentad.domain.errors import InvalidInput, ModelUnavailable, StoreUnavailable
from pentad.domain.knowledge import Document
from pentad.memory.documents import chunk
from pentad.memory.documents.adapters.reader_inline import InlineReader
from pentad.memory.documents.adapters.registry_memory import MemoryRegistry
from pentad.memory.documents.adapters.upload_keys_memory import MemoryUploadKeys
from pentad.memory.documents.claims import Claim
from pentad.memory.documents.contents import RECIPE
from pentad.memory.documents.ingest import Ingest, IngestOptions, parse_s3_event
from pentad.memory.objects.adapters.objects_memory import MemoryObjects
from pentad.memory.retrieval.adapters.vectors_memory import MemoryVectors
from pentad.memory.retrieval.listing import iterate_ids
from pentad.memory.retrieval.ports import Vector
from tests.unit.memory.fakes import Clock, Counts, WordEmbedder, embed

THREE = "# One\n\nalpha\n\n# Two\n\nbeta\n\n# Three\n\ngamma\n"


class BreakingVectors(MemoryVectors):
    """Fails at the chosen call, once."""

    def __init__(self) -> None:
        super().__init__()
        self.breaks: dict[str, int] = {}

    def upsert(self, tenant_id: str, vectors: Any) -> None:
        self._step("upsert")
        super().upsert(tenant_id, vectors)

    def delete(self, tenant_id: str, vector_ids: Any) -> None:
        self._step("delete")
        super().delete(tenant_id, vector_ids)

    def _step(self, name: str) -> None:
        if name in self.breaks:
            self.breaks[name] -= 1
            if self.breaks[name] < 0:
                del self.breaks[name]
                raise StoreUnavailable("broken on purpose")


@dataclass
class World:
    """Everything that ingest talks to."""

    objects: MemoryObjects = field(default_factory=MemoryObjects)
    vectors: BreakingVectors = field(default_factory=BreakingVectors)
    embedder: WordEmbedder = field(default_factory=WordEmbedder)
    telemetry: Counts = field(default_factory=Counts)
    clock: Clock = field(default_factory=Clock)
    keys: MemoryUploadKeys = field(default_factory=MemoryUploadKeys)

    def __post_init__(self) -> None:
        self.registry = MemoryRegistry(clock=self.clock)
        self.ingest = Ingest(
            objects=self.objects,
            registry=self.registry,
            keys=self.keys,
            reader=InlineReader(),
            vectors=self.vectors,
            embedder=self.embedder,
            telemetry=self.telemetry,
            clock=self.clock,
        )

    def upload(self, text: str | bytes, name: str = "a.md", media_type: str = "") -> None:
        data = text.encode() if isinstance(text, str) else text
        self.objects.put(f"acme/{name}", data, media_type=media_type)

    def event(self, name: str = "a.md") -> Document | None:
        return self.ingest.reconcile("acme", name)

    def indexed(self) -> dict[str, Vector]:
        return self.vectors.fetch("acme", list(iterate_ids(self.vectors, "acme")))

    def consistent(self) -> bool:
        """The index holds exactly what the documents of the bucket say, with exact offsets and versions."""
        for vector in self.indexed().values():
            meta = vector.metadata
            head = self.objects.get_head(f"acme/{meta['document']}")
            if head is None or head.version != meta["version"]:
                return False
            text = self.objects.get(head.key).decode()
            if text[int(str(meta["start"])) : int(str(meta["end"]))] != meta["text"]:
                return False
            if vector.values != embed(f"{meta['title']}\n\n{meta['text']}"):
                return False
        return set(self.registry.get_chunks("acme", "a.md")) == set(self.indexed())


@pytest.fixture
def world() -> World:
    return World()


def words(world: World) -> list[str]:
    return sorted(str(vector.metadata["text"]) for vector in world.indexed().values())


def test_a_document_is_indexed_with_its_passages(world: World) -> None:
    world.upload(THREE)
    entry = world.event()
    assert entry is not None
    assert (entry.status, entry.chunks, entry.embedded, entry.media_type) == ("indexed", 3, 3, "text/markdown")
    assert words(world) == ["# One\n\nalpha", "# Three\n\ngamma", "# Two\n\nbeta"]
    assert world.consistent()
    assert world.registry.get("acme", "a.md") == entry


def test_a_vector_says_where_its_words_stand(world: World) -> None:
    world.upload("# One\n\nalpha", "docs/a.md")
    world.event("docs/a.md")
    [(name, vector)] = world.indexed().items()
    head = world.objects.get_head("acme/docs/a.md")
    assert head is not None
    assert vector.text == "One\n\n# One\n\nalpha"
    assert vector.metadata == {
        "kind": "document",
        "readers": ["*"],
        "collection": "docs",
        "document": "docs/a.md",
        "version": head.version,
        "title": "One",
        "start": 0,
        "end": 12,
        "text": "# One\n\nalpha",
        "chunk_hash": world.registry.get_chunks("acme", "docs/a.md")[name],
    }


def test_embedding_is_charged_to_the_tenant_as_a_document(world: World) -> None:
    world.upload(THREE)
    world.event()
    assert {(one.tenant_id, one.purpose) for one in world.embedder.contexts} == {("acme", "embed_document")}


def test_a_repeated_event_changes_nothing(world: World) -> None:
    world.upload(THREE)
    first = world.event()
    assert world.event() == first
    assert len(world.embedder.texts) == 3


def test_only_changed_chunks_are_embedded_and_moved_ones_get_their_new_offsets(world: World) -> None:
    world.upload(THREE)
    world.event()
    world.embedder.texts.clear()
    world.upload(THREE.replace("alpha", "alpha and much more"))
    entry = world.event()
    assert entry is not None
    assert (entry.chunks, entry.embedded) == (3, 1)
    assert world.embedder.texts == ["One\n\n# One\n\nalpha and much more"]
    assert world.consistent()


def test_chunks_that_are_gone_leave_the_index(world: World) -> None:
    world.upload(THREE)
    world.event()
    world.upload("# One\n\nalpha\n")
    world.event()
    assert words(world) == ["# One\n\nalpha"]
    assert world.consistent()


def test_a_deleted_document_leaves_the_index_and_its_entry_says_so(world: World) -> None:
    world.upload(THREE)
    world.event()
    world.objects.delete("acme/a.md")
    entry = world.event()
    assert entry is not None
    assert (entry.status, entry.chunks) == ("deleted", 0)
    assert world.indexed() == {}
    assert world.event() == entry


def test_an_event_for_nothing_makes_no_entry(world: World) -> None:
    assert world.event() is None
    assert world.registry.list_page("acme").items == ()


def test_a_document_uploaded_again_after_its_end_is_indexed_again(world: World) -> None:
    world.upload(THREE)
    world.event()
    world.objects.delete("acme/a.md")
    world.event()
    world.upload(THREE)
    assert (entry := world.event()) is not None
    assert (entry.status, entry.embedded) == ("indexed", 3)


def test_a_late_event_of_a_deletion_finds_the_document_that_stands_there(world: World) -> None:
    world.upload(THREE)
    deleted = parse_s3_event(
        {"bucket": {"name": "b"}, "object": {"key": "acme/a.md"}, "deletion-type": "Delete Marker"}
    )
    entry = world.ingest.handle(deleted)
    assert entry is not None
    assert entry.status == "indexed"


def test_a_document_that_can_not_be_read_fails_with_its_reason(world: World) -> None:
    world.upload(b"%PDF-1.7 ...", "a.pdf")
    entry = world.event("a.pdf")
    assert entry is not None
    assert entry.status == "failed"
    assert entry.error == "the PDF is damaged (PdfStreamError); save it again, and upload that"
    assert world.telemetry.counts["DocumentsIngested failed"] == 1


def test_a_failed_version_leaves_the_one_before_in_the_index_and_says_so(world: World) -> None:
    world.upload("[1, 2]", "a.json")
    good = world.event("a.json")
    world.upload("[1, 2", "a.json")
    head = world.objects.get_head("acme/a.json")
    entry = world.event("a.json")
    assert good is not None
    assert entry is not None
    assert head is not None
    assert (entry.status, entry.version, entry.failed_version) == ("stale", good.version, head.version)
    assert (entry.chunks, entry.sha256) == (good.chunks, good.sha256)
    assert "the JSON can't be read" in str(entry.error)
    assert words(world) == ["1\n2"]
    assert world.telemetry.counts["DocumentsIngested stale"] == 1


def test_a_version_with_a_tenth_of_the_text_is_indexed_with_a_doubt(world: World) -> None:
    def write(sections: int) -> str:
        return "\n".join(f"# Section {number}\n\n{'words ' * 120}\n" for number in range(sections))

    def index(sections: int) -> tuple[str, ...]:
        world.upload(write(sections), "a.md")
        entry = world.event()
        assert entry is not None and entry.status == "indexed"
        return entry.notes

    assert index(30) == ()
    assert index(4) == ()
    assert index(40) == ()
    assert index(3) == ("it has 3 chunks, and the version before had 40: is it whole?",)
    assert index(1) == ()  # of few chunks nothing is lost by mistake


@pytest.mark.parametrize("empty", ["", "[]"])
def test_a_version_without_text_leaves_the_one_before_in_the_index(world: World, empty: str) -> None:
    world.upload("[1, 2]", "a.json")
    good = world.event("a.json")
    world.upload(empty, "a.json")
    entry = world.event("a.json")
    assert good is not None
    assert entry is not None
    assert (entry.status, entry.version, entry.chunks) == ("stale", good.version, good.chunks)
    assert words(world) == ["1\n2"]


def test_a_stale_document_stays_so_through_more_failures_and_is_mended_by_a_good_version(world: World) -> None:
    world.upload("[1, 2]", "a.json")
    good = world.event("a.json")
    for broken in ("[1, 2", b"\x00\x01\x02", "[1, 2"):
        world.upload(broken, "a.json")
        entry = world.event("a.json")
    assert entry is not None
    assert good is not None
    assert (entry.status, entry.version) == ("stale", good.version)
    world.upload("[1, 3]", "a.json")
    entry = world.event("a.json")
    assert entry is not None
    assert (entry.status, entry.failed_version, entry.error) == ("indexed", None, None)
    assert words(world) == ["1\n3"]


def test_a_stale_document_that_is_deleted_leaves_the_index(world: World) -> None:
    world.upload("[1, 2]", "a.json")
    world.event("a.json")
    world.upload("[1, 2", "a.json")
    world.event("a.json")
    world.objects.delete("acme/a.json")
    entry = world.event("a.json")
    assert entry is not None
    assert (entry.status, entry.error, entry.failed_version) == ("deleted", None, None)
    assert world.indexed() == {}


def test_what_a_refused_version_wrote_before_it_was_refused_leaves_the_index(world: World) -> None:
    world.upload(THREE)
    world.event()
    world.embedder.failures.append(InvalidInput("the embedder refuses the text", field="text"))
    world.upload(THREE + "# Four\n\ndelta\n")
    entry = world.event()
    assert entry is not None
    assert entry.status == "stale"
    assert words(world) == ["# One\n\nalpha", "# Three\n\ngamma", "# Two\n\nbeta"]
    assert set(world.registry.get_chunks("acme", "a.md")) == set(world.indexed())


def test_a_document_past_the_size_limit_fails_unread(world: World) -> None:
    world.upload(b"x" * (25 * 1024 * 1024 + 1), "a.txt")
    assert (entry := world.event("a.txt")) is not None
    assert entry.status == "failed"
    assert "26,214,400 are the limit" in str(entry.error)


def test_a_document_of_too_many_chunks_fails_with_its_reason(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunk, "MAX_CHUNKS", 30)
    world.upload("".join(f"# {n}\n\nx\n\n" for n in range(31)))
    assert (entry := world.event()) is not None
    assert (entry.status, world.indexed()) == ("failed", {})
    assert "more than 30 chunks" in str(entry.error)


def test_an_empty_document_is_indexed_with_no_chunks(world: World) -> None:
    world.upload(" \n\n ")
    assert (entry := world.event()) is not None
    assert (entry.status, entry.chunks, entry.notes) == ("indexed", 0, ("no text was found in it",))


def test_what_is_doubtful_stands_on_the_entry(world: World) -> None:
    world.upload("Grüße".encode("latin-1"), "a.txt")
    entry = world.event("a.txt")
    assert entry is not None
    [note] = entry.notes
    assert note.startswith("no charset is declared: read as windows-1252")
    assert words(world) == ["Grüße"]


def test_an_entry_tells_how_its_document_was_read(world: World) -> None:
    text = "The members of the club decide on the price of a berth in the harbour every year. " * 5
    world.upload(text)
    entry = world.event()
    assert entry is not None
    assert entry.sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert (entry.language, entry.parser, entry.recipe, entry.notes) == ("en", "markdown-it-py", RECIPE, ())


def test_a_document_is_read_anew_where_that_is_asked(world: World) -> None:
    world.upload(THREE)
    first = world.event()
    world.clock.now += timedelta(seconds=5)
    asked = parse_s3_event({"detail": {"bucket": {"name": ""}, "object": {"key": "acme/a.md"}, "again": True}})
    entry = world.ingest.handle(asked)
    assert first is not None
    assert entry is not None
    assert (entry.status, entry.chunks, entry.embedded) == ("indexed", 3, 0)
    assert entry.indexed_at > first.indexed_at
    assert world.consistent()


def test_a_document_that_was_cut_by_another_recipe_is_cut_anew(world: World) -> None:
    world.upload(THREE)
    entry = world.event()
    assert entry is not None
    world.registry.put(entry.model_copy(update={"recipe": None}), world.registry.get_chunks("acme", "a.md"))
    again = world.event()
    assert again is not None
    assert (again.recipe, again.embedded) == (RECIPE, 0)


def test_an_embedder_that_is_down_is_transient_and_the_next_try_succeeds(world: World) -> None:
    world.upload(THREE)
    world.embedder.failures.append(ModelUnavailable("down"))
    with pytest.raises(ModelUnavailable):
        world.event()
    assert (entry := world.event()) is not None
    assert entry.status == "indexed"
    assert world.consistent()


def test_what_was_embedded_before_a_failure_is_not_embedded_again(world: World) -> None:
    world.upload("".join(f"# {n}\n\nwords {n}\n\n" for n in range(130)))
    world.vectors.breaks["upsert"] = 2
    with pytest.raises(StoreUnavailable):
        world.event()
    assert (entry := world.event()) is not None
    assert (entry.chunks, entry.embedded) == (130, 2)
    assert world.consistent()


@pytest.mark.parametrize("step", ["upsert", "delete"])
@pytest.mark.parametrize(
    "then",
    [
        lambda world: world.upload("# Other\n\nwords\n"),
        lambda world: world.upload(THREE),
        lambda world: world.objects.delete("acme/a.md"),
    ],
    ids=["changed again", "changed back", "deleted"],
)
def test_a_crash_leaves_nothing_behind_whatever_comes_next(
    world: World, step: str, then: Callable[[World], None]
) -> None:
    world.upload(THREE)
    world.event()
    world.upload("# New\n\nalpha\n\n" + THREE.replace("beta", "delta"))
    world.vectors.breaks[step] = 0
    with pytest.raises(StoreUnavailable):
        world.event()
    then(world)
    world.event()
    assert world.consistent()


def test_a_first_version_that_crashed_and_is_deleted_leaves_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: Any, **__: Any) -> None:
        raise StoreUnavailable("broken on purpose")

    world.upload(THREE)
    with monkeypatch.context() as patched, pytest.raises(StoreUnavailable):
        patched.setattr(world.registry, "put", crash)
        world.event()
    assert len(world.indexed()) == 3
    world.objects.delete("acme/a.md")
    assert (entry := world.event()) is not None
    assert (entry.status, world.indexed()) == ("deleted", {})


def test_two_writers_of_one_document_do_not_meet(world: World) -> None:
    world.upload(THREE)
    world.registry.acquire("acme", "a.md", owner="another", seconds=60)
    with pytest.raises(StoreUnavailable):
        world.event()
    world.registry.release("acme", "a.md", owner="another")
    assert world.event() is not None


def test_a_version_uploaded_while_another_was_indexed_is_indexed_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.upload(THREE)
    put = world.registry.put

    def upload_and_put(*args: Any, **kwargs: Any) -> None:
        if len(world.indexed()) == 3:
            world.upload("# Newer\n\nwords\n")
        put(*args, **kwargs)

    monkeypatch.setattr(world.registry, "put", upload_and_put)
    assert (entry := world.event()) is not None
    assert (entry.status, entry.chunks) == ("indexed", 1)
    assert world.consistent()


def test_a_writer_that_was_taken_over_writes_nothing_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """As one that stood still for longer than its claim lasts: another has indexed a newer version meanwhile."""
    embed_texts, late = world.embedder.embed, world.ingest

    def stand_still(*args: Any, **kwargs: Any) -> Any:
        monkeypatch.setattr(world.embedder, "embed", embed_texts)
        world.clock.now += timedelta(seconds=31)
        world.upload("# Newer\n\nwords\n")
        assert (entry := world.event()) is not None
        assert entry.status == "indexed"
        return embed_texts(*args, **kwargs)

    world.upload(THREE)
    monkeypatch.setattr(world.embedder, "embed", stand_still)
    with pytest.raises(StoreUnavailable):
        late.reconcile("acme", "a.md")
    entry = world.registry.get("acme", "a.md")
    assert entry is not None
    assert (entry.chunks, set(world.registry.get_chunks("acme", "a.md"))) == (1, {entry_id(world)})


def entry_id(world: World) -> str:
    [found] = [name for name, one in world.indexed().items() if one.metadata["title"] == "Newer"]
    return found


def test_documents_of_a_batch_share_calls_to_the_embedder_and_one_that_fails_stops_no_other(world: World) -> None:
    for number in range(20):
        world.upload(f"# Page {number}\n\nword{number}\n", f"{number:02}.md")
    world.upload("{", "bad.json")
    world.registry.acquire("acme", "held.md", owner="another", seconds=60)
    world.upload("# Held\n\nwords\n", "held.md")
    batch = [*(f"{number:02}.md" for number in range(20)), "bad.json", "held.md", "gone.md"]
    outcomes = world.ingest.reconcile_many("acme", batch)
    assert isinstance(held := outcomes.pop("held.md"), StoreUnavailable)
    assert held.retry_after
    assert outcomes.pop("gone.md") is None
    statuses = [one.status for one in outcomes.values() if isinstance(one, Document)]
    assert sorted(statuses) == ["failed", *["indexed"] * 20]
    assert (len(world.embedder.contexts), len(world.embedder.texts)) == (1, 20)
    assert world.ingest.reconcile_many("acme", batch[:20]) == {name: outcomes[name] for name in batch[:20]}
    assert len(world.embedder.texts) == 20


def test_a_text_that_the_embedder_refuses_fails_its_own_document_of_a_batch(world: World) -> None:
    class Refusing(WordEmbedder):
        def embed(self, texts: Any, *args: Any, **kwargs: Any) -> Any:
            if any("poison" in text for text in texts):
                raise InvalidInput("the embedder refuses the text", field="text")
            return super().embed(texts, *args, **kwargs)

    world.embedder = Refusing()
    world.__post_init__()
    for name in ("a.md", "poison.md", "z.md"):
        world.upload(f"# {name}\n\nwords\n", name)
    outcomes = world.ingest.reconcile_many("acme", ["a.md", "poison.md", "z.md"])
    assert [one.status for one in outcomes.values() if isinstance(one, Document)] == ["indexed", "failed", "indexed"]
    assert sorted(str(one.metadata["document"]) for one in world.indexed().values()) == ["a.md", "z.md"]


def test_no_further_document_of_a_batch_is_begun_when_its_time_is_over(world: World) -> None:
    for name in ("a.md", "b.md"):
        world.upload("".join(f"# {n}\n\n{name} {n}\n\n" for n in range(70)), name)
    outcomes = world.ingest.reconcile_many("acme", ["a.md", "b.md"], until=world.clock.now.timestamp())
    assert list(outcomes) == ["a.md"]


def test_no_further_document_of_a_group_is_begun_when_its_time_is_over(world: World) -> None:
    """Ten short documents are one group: reading each of them can take long."""
    for number in range(10):
        world.upload(f"# {number}\n\nwords\n", f"{number}.md")
    begun = world.clock.now.timestamp()  # each look at the clock is a second
    outcomes = world.ingest.reconcile_many("acme", [f"{number}.md" for number in range(10)], until=begun + 5)
    assert 1 < len(outcomes) < 6
    assert all(isinstance(one, Document) and one.status == "indexed" for one in outcomes.values())
    assert len(world.embedder.contexts) == 1, "what was begun is one group still"
    late = world.ingest.reconcile_many("acme", ["8.md", "9.md"], until=begun - 60)
    assert list(late) == ["8.md"], "the first one is begun in any case"


TEN = [f"{number}.md" for number in range(10)]


def upload_ten(world: World) -> None:
    for name in TEN:
        world.upload(f"# One\n\n{name}\n\n# Two\n\n{name}\n", name)
    assert all(isinstance(one, Document) for one in world.ingest.reconcile_many("acme", TEN).values())
    world.embedder.texts.clear()
    for name in TEN:
        world.upload(f"# One\n\nnew {name}\n", name)


def fail_registry(step: str) -> Callable[[World, pytest.MonkeyPatch], None]:
    def install(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        call = getattr(world.registry, step)

        def fail(first: Any, *args: Any, **kwargs: Any) -> Any:
            if "4.md" in (getattr(first, "name", None), *args):
                raise StoreUnavailable("broken on purpose")
            return call(first, *args, **kwargs)

        monkeypatch.setattr(world.registry, step, fail)

    return install


def fail_delete(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the chunks that are gone."""
    gone, delete = set(world.registry.get_chunks("acme", "4.md")), world.vectors.delete

    def fail(tenant_id: str, vector_ids: Any) -> None:
        if gone & set(vector_ids):
            raise StoreUnavailable("broken on purpose")
        delete(tenant_id, vector_ids)

    monkeypatch.setattr(world.vectors, "delete", fail)


def fail_check(_: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(claim: Claim) -> None:
        if claim._name == "4.md":
            raise StoreUnavailable("a claim could not be renewed in time")

    monkeypatch.setattr(Claim, "check", fail)


def fail_last_look(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one after it was indexed: before it are one without a claim, and one with it."""
    keys, get_head = list[str](), world.objects.get_head

    def fail(key: str) -> Any:
        keys.append(key)
        if key == "acme/4.md" and keys.count(key) == 3:
            raise StoreUnavailable("broken on purpose")
        return get_head(key)

    monkeypatch.setattr(world.objects, "get_head", fail)


FAULTS = {step: fail_registry(step) for step in ("acquire", "record_intent", "get_chunks", "put")}
FAULTS |= {"delete": fail_delete, "check": fail_check, "last look": fail_last_look}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("last", [False, True])
def test_what_befalls_one_document_of_ten_is_no_others(
    world: World, monkeypatch: pytest.MonkeyPatch, fault: str, last: bool
) -> None:
    upload_ten(world)
    FAULTS[fault](world, monkeypatch)
    outcomes = world.ingest.reconcile_many("acme", TEN, IngestOptions(last=last))
    assert sorted(outcomes) == TEN
    assert isinstance(outcomes.pop("4.md"), StoreUnavailable)
    assert {one.status for one in outcomes.values() if isinstance(one, Document)} == {"indexed"}
    assert len([one for one in outcomes.values() if isinstance(one, Document)]) == 9
    for name in outcomes:
        assert all(world.registry.get_chunks("acme", name).values())
    monkeypatch.undo()
    world.clock.now += timedelta(seconds=60)
    again = world.ingest.reconcile_many("acme", TEN)
    assert {one.status for one in again.values() if isinstance(one, Document)} == {"indexed"}
    assert len(world.indexed()) == 10
    assert len(world.embedder.texts) <= 11, "the nine are not embedded again"


def test_a_claim_that_can_not_be_given_back_costs_no_outcome_and_hides_no_error(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload_ten(world)

    def fail(*_: Any, **__: Any) -> None:
        raise StoreUnavailable("the table does not answer")

    monkeypatch.setattr(world.registry, "release", fail)
    world.embedder.failures.append(ModelUnavailable("down"))
    outcomes = world.ingest.reconcile_many("acme", TEN)
    assert list(outcomes) == TEN
    assert all(isinstance(one, ModelUnavailable) for one in outcomes.values())
    with pytest.raises(StoreUnavailable, match="already") as error:
        world.event("4.md")
    assert error.value.retry_after, "it ends by itself"
    world.clock.now += timedelta(seconds=60)
    assert (entry := world.event("4.md")) is not None
    assert entry.status == "indexed"


def test_what_is_wholly_written_is_indexed_though_a_later_call_for_its_group_fails(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.upload("# a\n\nwords\n", "a.md")
    world.upload("".join(f"# {n}\n\nwords {n}\n\n" for n in range(130)), "b.md")
    world.vectors.breaks["upsert"] = 1
    outcomes = world.ingest.reconcile_many("acme", ["a.md", "b.md"])
    assert isinstance(done := outcomes["a.md"], Document)
    assert (done.status, done.embedded) == ("indexed", 1)
    assert isinstance(outcomes["b.md"], StoreUnavailable)


def test_what_has_ended_the_process_before_comes_last_of_its_batch(world: World) -> None:
    class Killed(BaseException):
        """As when Lambda ends the function: nothing after it runs."""

    class Killing(InlineReader):
        def read(self, data: bytes, *, name: str, **kwargs: Any) -> Any:
            if name == "a.md":
                raise Killed
            return super().read(data, name=name, **kwargs)

    for name in ("a.md", "b.md", "c.md"):
        world.upload(f"# {name}\n\nwords\n", name)
    world.ingest._reader = Killing()
    for _ in range(2):  # the first one of these notes it on the entry
        with pytest.raises(Killed):
            world.ingest.reconcile_many("acme", ["a.md", "b.md", "c.md"], IngestOptions(last=True), alone=True)
    entries = [world.registry.get("acme", name) for name in ("a.md", "b.md", "c.md")]
    assert [one.status for one in entries if one is not None] == ["failed", "indexed", "indexed"]


def test_an_event_of_eventbridge_is_read_with_its_key_as_it_is() -> None:
    event = parse_s3_event(
        {
            "detail-type": "Object Created",
            "detail": {
                "bucket": {"name": "documents"},
                "object": {"key": "acme/docs/a b+c%20.md", "size": 5, "etag": "e", "version-id": "v"},
                "reason": "PutObject",
            },
        }
    )
    assert (event.tenant_id, event.name, event.bucket) == ("acme", "docs/a b+c%20.md", "documents")
    assert (event.version, event.bytes) == ("v", 5)


@pytest.mark.parametrize("key", ["a.md", "acme/", "acme/docs/", "/a.md", "Ac me/a.md", "../a.md", 5])
def test_a_key_that_names_no_document_is_refused(key: Any) -> None:
    with pytest.raises(InvalidInput):
        parse_s3_event({"bucket": {"name": "b"}, "object": {"key": key}})


@pytest.mark.parametrize("detail", [{}, {"detail": None}, {"bucket": "b", "object": {}}])
def test_an_event_of_another_kind_is_refused(detail: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        parse_s3_event(detail)


def test_the_last_attempt_says_in_the_entry_why_it_failed(world: World) -> None:
    world.upload(THREE)
    world.event()
    world.upload(THREE + "# Four\n\ndelta\n")
    world.vectors.breaks["upsert"] = 0
    with pytest.raises(StoreUnavailable):
        world.ingest.reconcile("acme", "a.md", IngestOptions(last=True))
    entry = world.registry.get("acme", "a.md")
    assert entry is not None
    assert (entry.status, entry.error) == ("stale", "not indexed: broken on purpose; upload the document again")
    # The next event of the document puts it right.
    assert (again := world.event()) is not None
    assert (again.status, again.error, again.chunks) == ("indexed", None, 4)
    assert world.consistent()


def test_an_attempt_before_the_last_leaves_the_entry_alone(world: World) -> None:
    world.upload(THREE)
    world.vectors.breaks["upsert"] = 0
    with pytest.raises(StoreUnavailable):
        world.event()
    assert world.registry.get("acme", "a.md") is None


def test_a_last_attempt_that_ends_the_process_has_said_so(world: World) -> None:
    class Killed(BaseException):
        """As when Lambda ends the function: nothing after it runs."""

    class Killing(InlineReader):
        def read(self, data: bytes, **_: Any) -> Any:
            raise Killed

    world.upload(THREE)
    ingest = Ingest(
        objects=world.objects,
        registry=world.registry,
        keys=world.keys,
        reader=Killing(),
        vectors=world.vectors,
        embedder=world.embedder,
        telemetry=world.telemetry,
        clock=world.clock,
    )
    with pytest.raises(Killed):
        ingest.reconcile("acme", "a.md", IngestOptions(last=True))
    entry = world.registry.get("acme", "a.md")
    assert entry is not None
    assert (entry.status, entry.error) == (
        "failed",
        "not indexed: each attempt to index it was cut off; upload the document again",
    )


def test_a_last_attempt_that_succeeds_is_indexed(world: World) -> None:
    world.upload(THREE)
    entry = world.ingest.reconcile("acme", "a.md", IngestOptions(last=True))
    assert entry is not None
    assert (entry.status, entry.error) == ("indexed", None)


def test_an_upload_of_a_revoked_key_is_not_indexed_and_what_was_there_stays(world: World) -> None:
    world.upload(THREE)
    world.event()
    world.objects.put("acme/a.md", b"# Other", media_type="text/markdown", key_id="k" * 12)
    world.keys.revoked.add(("acme", "k" * 12))
    entry = world.event()
    assert entry is not None
    assert (entry.status, entry.error) == (
        "stale",
        "not indexed: it was uploaded with a key that is revoked; upload the document again",
    )
    assert words(world) == ["# One\n\nalpha", "# Three\n\ngamma", "# Two\n\nbeta"]


def test_an_upload_of_a_key_that_counts_is_indexed(world: World) -> None:
    world.objects.put("acme/a.md", b"# Other", media_type="text/markdown", key_id="k" * 12)
    world.keys.revoked.add(("acme", "j" * 12))
    world.keys.revoked.add(("other", "k" * 12))
    entry = world.event()
    assert entry is not None
    assert entry.status == "indexed"
