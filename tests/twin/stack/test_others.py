"""What is one tenant's or one user's is in nobody else's reach: every route, with the owner's own ids in each spelling.

The routes are those of the API's own description, so one that is added is tried with the others.
"""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from tests.twin.stack.world import Json, Stack, Tenant, await_memories, word

pytestmark = pytest.mark.twin

_METHODS = ("get", "delete", "post", "put", "patch")
_FULL_WIDTH = str.maketrans({chr(sign): chr(sign + 0xFEE0) for sign in range(0x21, 0x7F)})


class Owned:
    """What a user of a tenant has: one word stands in what is the user's own, another in the tenant's document."""

    def __init__(self, stack: Stack) -> None:
        self.mark, self.kept = word("secret"), word("treasure")
        self.owner = stack.tenant()
        self.user = word("ada")
        run = self.owner.ask(f"My name is {self.mark.title()} Berg. What is 2 + 2?", user=self.user)
        self.session = str(run["session"])
        await_memories(self.owner, self.session)
        self.document = f"{self.kept}.md"
        self.owner.ingest(self.document, f"# {self.kept}\n\nThe {self.kept} is kept in the third drawer.")
        told = self.owner.ask(f"Where is the {self.kept} kept?", user=self.user, session=self.session)
        self.run = str(told["run_id"])
        assert self.kept in str(told["citations"])
        body = {"score": 0, "comment": self.mark, "correction": f"The {self.mark} is in the cellar."}
        assert self.owner.post(f"/v1/runs/{self.run}/feedback", body).status_code == 200
        [self.fact, *_] = [str(one["fact"]) for one in self.owner.get(f"/v1/memory/{self.user}")["items"]]

    def fill(self, path: str) -> str:
        """Return a route's path with what the owner has in the place of its parameters."""
        own = {
            "run": self.run,
            "session": self.session,
            "document": self.document,
            "user": self.user,
            "fact": self.fact,
            "cited": self.document,
        }
        return re.sub(r"\{(\w+)\}", lambda found: quote(own.get(found[1], self.run), safe=""), path)

    def look(self) -> Json:
        """Return what the owner sees of it, as it is at any time."""
        return {
            "run": {
                name: value for name, value in self.owner.get(f"/v1/runs/{self.run}").items() if name != "feedback"
            },
            "said": [one["text"] for one in self.owner.messages(self.session)],
            "document": self.owner.document(self.document),
            "facts": self.owner.get(f"/v1/memory/{self.user}"),
            "recording": self.owner.get(f"/v1/runs/{self.run}/recording") | {"recorded_at": None},
        }


@pytest.fixture(scope="module")
def owned(stack: Stack) -> Owned:
    return Owned(stack)


def list_routes(tenant: Tenant) -> list[tuple[str, str]]:
    described = tenant.get("/v1/openapi.json")["paths"]
    found = [(method, path) for path, item in described.items() for method in _METHODS if method in item]
    assert len(found) > 40
    return found


def test_the_owner_is_told_these_words_by_many_routes(owned: Owned) -> None:
    told = {
        path
        for method, path in list_routes(owned.owner)
        if method == "get"
        and any(one in owned.owner.send("GET", owned.fill(path)).text.lower() for one in (owned.mark, owned.kept))
    }
    assert {
        "/v1/runs/{run}",
        "/v1/sessions/{session}/messages",
        "/v1/documents/{document}",
        "/v1/memory/{user}",
    } <= told
    assert len(told) >= 9, told


def make_bodies(owned: Owned, path: str) -> Iterator[Json]:
    """Yield what a stranger may send to a route: with the owner's ids wherever one fits."""
    own = {"session": owned.session, "user": owned.user}
    if path.endswith("/runs"):
        yield {"agent": "assistant", "message": "What was said before? What is my name?", "session": owned.session}
        yield {"agent": "assistant", "message": "Where is the treasure kept? In which drawer?"}
    elif path.endswith("/chat/completions"):
        yield {"model": "assistant", "messages": [{"role": "user", "content": "What is my name?"}], "user": owned.user}
    elif path.endswith("/documents"):
        sizes = {"bytes": 1, "sha256": "0" * 64, "media_type": "text/markdown"}
        yield {"name": f"../{owned.owner.name}/{owned.document}", **sizes}
    else:
        yield {}
        yield own | {"decision": "approve", "score": 1, "comment": "mine", "text": "mine", "message": "x", "turn": 1}


def spell(path: str) -> Iterator[str]:
    """Yield a filled path as it is, and as others write it."""
    yield path
    head, _, last = path.rpartition("/")
    yield f"{head}/{last.upper()}"
    yield f"{head}/{last}%20"
    yield f"{head}/%2e%2e%2f{last}"
    yield f"{head}/x%2F..%2F{last}"
    yield f"{head}/{quote(last.translate(_FULL_WIDTH))}"
    yield f"{head}//{last}"


def try_all(stranger: Tenant, owned: Owned, *words: str) -> list[str]:
    """Send all that a stranger may try; return what told one of the owner's words."""
    leaks = []
    for method, path in list_routes(stranger):
        filled = owned.fill(path)
        queries = ["", f"?user={owned.user}&session={owned.session}&run={owned.run}"]
        for url in (*spell(filled), *(filled + query for query in queries[1:])):
            bodies: list[Any] = [None] if method in ("get", "delete") else list(make_bodies(owned, path))
            for body in bodies:
                content = {} if body is None else {"json": body}
                answer = stranger.send(method.upper(), url, {"Prefer": "wait=20"}, **content)
                assert answer.status_code < 500, (method, url, answer.text)
                # The name that was asked for may be said again.
                told = re.sub(re.escape(owned.document), "", answer.text, flags=re.IGNORECASE)
                if any(one in told.lower() for one in words):
                    leaks.append(f"{method} {url} {body}: {answer.status_code} {told[:200]}")
    return leaks


def test_another_tenant_reads_and_changes_nothing(stack: Stack, owned: Owned) -> None:
    before = owned.look()
    assert try_all(stack.tenant(), owned, owned.mark, owned.kept) == []
    assert owned.look() == before


def test_another_user_of_the_tenant_reads_and_changes_nothing_of_a_users_own(stack: Stack, owned: Owned) -> None:
    before = owned.look()
    bob = stack.tenant(owned.owner.name, user_id="bob")
    assert try_all(bob, owned, owned.mark) == []
    # Documents are the tenant's: a key with the scope removes them.
    assert owned.look() | {"document": None} == before | {"document": None}
