"""What is one tenant's or one user's is in nobody else's reach: every route, with the owner's own ids in each spelling.

The routes are those of the API's own description, so one that is added is tried with the others; one with a parameter
that is not known here fails. Over HTTP alone: MCP clients, tools and the command line have tests of their own.
"""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote

import pytest

from tests.twin.stack.world import Json, Stack, Tenant, await_memories, word

pytestmark = pytest.mark.twin

_METHODS = ("get", "delete", "post", "put", "patch")
_NOT_MADE = {"review": "rev_none", "bulk": "blk_none", "model": "assistant"}
"""Reviews and bulk ingests are tried by the tests of their own routes; a model is nobody's."""
_OWN_IDS = frozenset({"run", "session", "approval", "fact", "erasure"})
"""A route that names one of these has nothing for a stranger: no answer but a refusal."""
_FULL_WIDTH = str.maketrans({chr(sign): chr(sign + 0xFEE0) for sign in range(0x21, 0x7F)})


class Owned:
    """What a user of a tenant has: one word stands in what is the user's own, another in the tenant's document."""

    def __init__(self, stack: Stack) -> None:
        self.mark, self.kept = word("secret"), word("treasure")
        self.owner = stack.tenant()
        self.user, self.gone = word("ada"), word("eve")
        run = self.owner.ask(f"My name is {self.mark.title()} Berg. What is 2 + 2?", user=self.user)
        self.session = str(run["session"])
        await_memories(self.owner, self.session)
        self.document = f"{self.kept}.md"
        self.owner.ingest(self.document, f"# {self.kept}\n\nThe {self.kept} is kept in the third drawer.")
        told = self.owner.ask(f"Where is the {self.kept} kept?", user=self.user, session=self.session)
        self.run = str(told["run_id"])
        [citation, *_] = [one for one in told["citations"] if one["document"] == self.document]
        self.cited = unquote(str(citation["link"]).rpartition("/")[2])
        body = {"score": 0, "comment": self.mark, "correction": f"The {self.mark} is in the cellar."}
        assert self.owner.post(f"/v1/runs/{self.run}/feedback", body).status_code == 200
        [self.fact, *_] = [str(one["fact"]) for one in self.owner.get(f"/v1/memory/{self.user}")["items"]]
        waiting = self.owner.ask(f'Save a note titled "{self.mark}" with the text "To be done."', user=self.user)
        self.approval = str(waiting["pending_approval"])
        erased = self.owner.send("DELETE", f"/v1/users/{self.gone}")
        assert erased.status_code == 202, erased.text
        self.erasure = str(erased.json()["erasure"])

    def list_names(self, path: str) -> dict[str, str]:
        """Return what the owner has in the place of each parameter of a route's path.

        Raises:
            KeyError: the route has a parameter that this test knows nothing of.
        """
        own = {
            "run": self.run,
            "session": self.session,
            "document": self.document,
            "user": self.gone if "{erasure}" in path else self.user,
            "fact": self.fact,
            "cited": self.cited,
            "approval": self.approval,
            "erasure": self.erasure,
            **_NOT_MADE,
        }
        return {name: own[name] for name in re.findall(r"\{(\w+)\}", path)}

    def fill(self, path: str) -> str:
        """Return a route's path with what the owner has in the place of its parameters."""
        return fill(path, {name: quote(value, safe="") for name, value in self.list_names(path).items()})

    def look(self) -> Json:
        """Return what the owner sees of it, as it is at any time."""
        approval = self.owner.get(f"/v1/approvals/{self.approval}")
        return {
            "run": self.owner.get(f"/v1/runs/{self.run}"),
            "said": [one["text"] for one in self.owner.messages(self.session)],
            "document": self.owner.document(self.document),
            "facts": self.owner.get(f"/v1/memory/{self.user}"),
            "feedback": self.owner.get(f"/v1/runs/{self.run}/feedback"),
            "approval": {name: approval[name] for name in ("status", "calls", "arguments_hash")},
            "recording": self.owner.get(f"/v1/runs/{self.run}/recording") | {"recorded_at": None},
        }


def fill(path: str, values: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: values[found[1]], path)


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
    assert "/v1/approvals/{approval}" in told
    assert len(told) >= 9, told
    assert owned.owner.send("GET", owned.fill("/v1/users/{user}/erasures/{erasure}")).status_code == 200
    assert owned.owner.send("GET", owned.fill("/v1/runs/{run}/citations/{cited}")).status_code == 200
    assert owned.owner.send("GET", owned.fill("/v1/memory/{user}/facts/{fact}")).status_code == 200


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


def spell(owned: Owned, path: str) -> Iterator[str]:
    """Yield a route's path with the owner's names as they are, and with each of them as others write it."""
    own = owned.list_names(path)
    plain = {name: quote(value, safe="") for name, value in own.items()}
    yield fill(path, plain)
    for name, value in own.items():
        for other in (
            value.upper(),
            f"{value}%20",
            f"%2e%2e%2f{value}",
            f"x%2F..%2F{value}",
            f"%252e%252e%252f{value}",
            quote(value.translate(_FULL_WIDTH), safe=""),
            quote(value.replace("a", "\u0430"), safe=""),  # a letter of another script that looks alike
            f"/{value}",
            f"{value}/",
        ):
            yield fill(path, plain | {name: other})


def try_all(stranger: Tenant, owned: Owned, *words: str) -> list[str]:
    """Send all that a stranger may try; return what told one of the owner's words, or was not refused."""
    leaks = []
    for method, path in list_routes(stranger):
        refused = any(name in _OWN_IDS for name in owned.list_names(path))
        query = f"?user={owned.user}&session={owned.session}&run={owned.run}"
        for url in (*spell(owned, path), owned.fill(path) + query):
            bodies: list[Any] = [None] if method in ("get", "delete") else list(make_bodies(owned, path))
            for body in bodies:
                content = {} if body is None else {"json": body}
                answer = stranger.send(method.upper(), url, {"Prefer": "wait=20"}, **content)
                assert answer.status_code < 500, (method, url, answer.text)
                # The name that was asked for may be said again.
                told = re.sub(re.escape(owned.document), "", answer.text, flags=re.IGNORECASE)
                if any(one in told.lower() for one in words) or (refused and answer.status_code < 400):
                    leaks.append(f"{method} {url} {body}: {answer.status_code} {told[:200]}")
    return leaks


def test_another_tenant_reads_and_changes_nothing(stack: Stack, owned: Owned) -> None:
    before = owned.look()
    assert try_all(stack.tenant(), owned, owned.mark, owned.kept) == []
    assert owned.look() == before


def test_another_user_of_the_tenant_reads_and_changes_nothing_of_a_users_own(stack: Stack, owned: Owned) -> None:
    before = owned.look()
    # One of no group: those of the group that is asked see what they decide.
    bob = stack.tenant(owned.owner.name, user_id="bob", groups=())
    assert try_all(bob, owned, owned.mark) == []
    # Documents are the tenant's: a key with the scope removes them.
    assert owned.look() | {"document": None} == before | {"document": None}
