"""A user's own documents are recalled in that user's runs, and in nobody else's."""

import pytest

from pentad.domain.knowledge import find_collection, find_owner, own_documents
from pentad.memory.retrieval.ports import Vector
from tests.unit.memory.context.test_recall import World, agent, metadata, says
from tests.unit.memory.fakes import RUN, embed

ASKED = "How does a lease keep the runs of a session apart?"


def add(world: World, *documents: str) -> None:
    texts = {name: f"A lease keeps the runs of a session apart, says {name}." for name in documents}
    world.vectors.upsert(
        "acme",
        [Vector(vector_id=n, values=embed(ASKED), metadata=metadata(text, document=n)) for n, text in texts.items()],
    )


def recalled(world: World, top_k: int = 3) -> set[str]:
    world.ask(says("m1", ASKED))
    world.recall.run("acme", RUN, "s1", agent(top_k=top_k))
    return {passage.document for passage in world.newest().passages}


def test_a_users_own_document_is_recalled_in_that_users_run_only() -> None:
    world = World()
    add(world, "users/ada/mine.md", "users/bob/his.md", "users/adam/other.md", "plan.md")
    found = recalled(world)
    assert {"users/ada/mine.md", "plan.md"} <= found
    assert not {"users/bob/his.md", "users/adam/other.md"} & found


def test_many_documents_of_another_user_do_not_crowd_out_the_tenants() -> None:
    world = World()
    add(world, "plan.md", *(f"users/bob/{number}.md" for number in range(100)))
    assert "plan.md" in recalled(world)


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("users/ann/plan.md", "ann"),
        ("users/ann/a/b.md", "ann"),
        ("users/ann@example.com/plan.md", "ann@example.com"),
        ("users/ann", None),
        ("users/plan.md", None),
        ("Users/ann/plan.md", None),
        ("docs/users/ann/plan.md", None),
        ("users//plan.md", None),
        ("plan.md", None),
    ],
)
def test_the_owner_of_a_document_is_in_its_name(name: str, owner: str | None) -> None:
    assert find_owner(name) == owner
    assert owner is None or name.startswith(own_documents(owner))


def test_an_agent_of_some_collections_is_given_those_and_the_users_own() -> None:
    world = World()
    add(world, "users/ada/mine.md", "users/bob/his.md", "handbook/a.md", "drafts/b.md", "plan.md")
    some = agent(top_k=9)
    some = some.model_copy(update={"knowledge": some.knowledge.model_copy(update={"collections": ("handbook", ".")})})
    world.ask(says("m1", ASKED))
    world.recall.run("acme", RUN, "s1", some)
    found = {passage.document for passage in world.newest().passages}
    assert {"users/ada/mine.md", "handbook/a.md", "plan.md"} <= found
    assert not {"drafts/b.md", "users/bob/his.md"} & found


@pytest.mark.parametrize(
    ("name", "collection"), [("a/b/c.md", "a"), ("c.md", "."), ("/c.md", "."), ("users/ann/c.md", "users")]
)
def test_the_collection_of_a_document_is_its_first_folder(name: str, collection: str) -> None:
    assert find_collection(name) == collection
