"""Every route by every kind of caller: what a caller may not reach does not exist for it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

import pytest

from pentad.api.identity.adapters.keys_memory import MemoryKeys
from pentad.api.identity.authorize import Authorize
from pentad.api.identity.caller import ALL_USERS, SCOPES
from pentad.api.identity.keys import KeyAuthenticator, create_key, revoke_key
from pentad.api.identity.tokens import JwtAuthenticator
from pentad.api.routes import ROUTES, Access, RouteSpec
from pentad.domain.errors import NotAuthenticated
from pentad.domain.ids import hash_user, review_id, undo_token
from pentad.domain.knowledge import Document, Passage
from pentad.domain.memories.facts import Fact
from pentad.domain.runs import CallStatus, Run
from pentad.memory.facts.ports import FactChange
from pentad.memory.retrieval.passages import make_marker, name_passage
from pentad.observability.feedback.give import FeedbackRequest
from pentad.orchestration.erasure.ports import Erasure
from pentad.orchestration.reviews.reviews import build_review
from tests.unit.api.client import Client, Reply
from tests.unit.orchestration.world import START, TENANT

Json = dict[str, Any]
OWN_SCOPES = [scope for scope in SCOPES if scope != ALL_USERS]
BY_NAME = {route.name: route for route in ROUTES}
NOBODY_RUN = "run_" + "0" * 26
CONTENT: Json = {"media_type": "text/plain", "bytes": 1, "sha256": "0" * 64}


class Tokens:
    """A verifier whose tokens are their subjects; their claims are in a table."""

    claims: ClassVar[dict[str, Json]] = {
        "ann-token": {"sub": "ann"},
        "ann-elsewhere": {"sub": "ann", "_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {}}},
        "lead-token": {"sub": "lena", "groups": ["operators"]},
        "clerk-token": {"sub": "carl", "groups": ["clerks"]},
        "admin-token": {"sub": "adam", "scope": " ".join(SCOPES)},
    }

    def verify(self, token: str) -> Json:
        return {"tenant": TENANT, "scope": " ".join(OWN_SCOPES)} | self.claims[token]


def make_callers() -> dict[str, Json | None]:
    """Return the authorizer's context of each kind of caller; None where it refuses."""
    store, tenants = MemoryKeys(), {"stranger": "other"}
    keys: dict[str, Json] = {
        "service": {"groups": ("*",)},
        "service-no-groups": {},
        "service-clerks": {"groups": ("clerks",)},
        "ann-key": {"user_id": "ann"},
        "ann-operator": {"user_id": "ann", "groups": ("operators",)},
        "bob-key": {"user_id": "bob"},
        "bob-clerk": {"user_id": "bob", "groups": ("clerks",)},
        "stranger": {"groups": ("*",)},
        "expired": {"groups": ("*",), "expires_at": START - timedelta(seconds=1)},
        "revoked": {"groups": ("*",)},
    }
    tokens: dict[str, str] = {}
    for name, values in keys.items():
        options: dict[str, Any] = {"scopes": OWN_SCOPES, "owner": name} | values
        key, tokens[name] = create_key(store, tenants.get(name, TENANT), now=START, **options)
        if name == "revoked":
            revoke_key(store, TENANT, key.key_id, now=START)
    authorize = Authorize(KeyAuthenticator(store, now=lambda: START), JwtAuthenticator(Tokens(), issuer="https://i"))
    found: dict[str, Json | None] = {}
    for name, token in (tokens | {name: name for name in Tokens.claims}).items():
        try:
            answer = authorize({"headers": {"authorization": f"Bearer {token}"}})
            found[name] = answer["context"]
        except NotAuthenticated:
            found[name] = None
    return found


CALLERS = make_callers()


@dataclass
class Things:
    """What a user has: one of each."""

    run: Run
    ended: Run
    done: Run
    approval: str
    session: str
    user: str = "nobody"

    @property
    def paths(self) -> Json:
        return {
            "run": self.run.run_id,
            "session": self.session,
            "approval": self.approval,
            "review": review_id(self.ended.run_id, 1, "confidence"),
            "document": f"users/{self.run.user_id}/plan.md" if self.run.user_id else "plan.md",
            "model": "primary",
            "user": self.user,
            "fact": "fact_1",
            "erasure": ERASURE,
            "cited": name_passage(PASSAGE.passage_id),
        }


CITE = make_marker(name_passage("plan.md#1"))
ERASURE = "era_" + "0" * 26
PASSAGE = Passage(
    passage_id="plan.md#1", document="plan.md", version="1", title="Plan", text="We go.", start=0, end=6, score=1
)


def make_fact(user_id: str) -> Fact:
    """Return what is remembered of a user."""
    return Fact(
        tenant_id=TENANT,
        user_id=user_id,
        fact_id="fact_1",
        kind="fact",
        text="The user lives in Bonn.",
        subject="home",
        value="live bonn",
        valid_from=START,
        learned_at=START,
        source="user",
        confidence=1,
    )


def make_receipt(user_id: str) -> Erasure:
    """Return the receipt of an erasure of a user that has ended."""
    fields = {"tenant_id": TENANT, "erasure_id": ERASURE, "user_hash": hash_user(user_id), "status": "done"}
    return Erasure.model_validate({**fields, "asked_at": START, "updated_at": START})


def make_things(client: Client, user_id: str | None) -> Things:
    """Give a user one of each: a run that waits for an approval, one that has ended, one with an effect, a document."""
    world = client.world
    world.model.script += [
        [("notes", {"title": "x"})],
        [("calculator", {"x": 1})],
        f"4 {CITE}",
        [("notes", {"title": "y"})],
    ]
    waiting = world.begin(user_id=user_id)
    world.turn(waiting)
    approval = world.asking.ask_for_step(TENANT, waiting.run_id, 1, f"token-{user_id}").approval_id
    ended = world.begin(user_id=user_id)
    world.sessions.attach_passages(TENANT, ended.session_id, ended.request_seq, [PASSAGE])
    world.act(ended, world.turn(ended))
    world.turn(ended, 2)
    ended = world.deliver.deliver(TENANT, ended.run_id, 2)
    world.reviews.add(build_review(ended, 1, "confidence", "Answered.", at=world.clock()))
    said = FeedbackRequest(score=1, user_id=user_id)
    client.services.give_feedback(ended, None, said, by=user_id or "key:abc")
    done = world.begin(user_id=user_id)
    world.turn(done)
    call = world.runs.get_call(TENANT, done.run_id, 1, 0)
    token = undo_token(done.run_id, 1, 0)
    world.runs.save_call(call.model_copy(update={"status": CallStatus.SUCCEEDED, "undo": {}, "undo_token": token}))
    things = Things(waiting, ended, done, approval, waiting.session_id, user_id or "nobody")
    if user_id is not None:
        client.services.facts.write(TENANT, user_id, FactChange(put=(make_fact(user_id),)), expected_version=0)
        client.services.erasures.save(make_receipt(user_id))
    client.services.registry.put(
        Document(
            tenant_id=TENANT,
            name=things.paths["document"],
            version="1",
            status="indexed",
            media_type="text/plain",
            bytes=1,
            chunks=0,
            embedded=0,
            indexed_at=world.clock(),
        ),
        {},
    )
    return things


def body_of(route: RouteSpec, things: Things) -> Json | None:
    bodies: Json = {
        "start_run": {"agent": "assistant", "message": "Go on.", "session": things.ended.session_id, "user": "ann"},
        "fork_run": {"at": 0},
        "cancel_run": {},
        "undo_run": {},
        "undo": {"undo_token": undo_token(things.done.run_id, 1, 0)},
        "decide_approval": {"decision": "reject", "reason": "no"},
        "close_review": {"verdict": "correct"},
        "give_feedback": {"score": 1},
        "upload_document": {"name": things.paths["document"], **CONTENT},
        "edit_fact": {"text": "The user lives in Kiel."},
        "complete": {"model": "primary", "messages": [{"role": "user", "content": "hi"}]},
        "embed": {"model": "text-embedding-3-small", "input": "hi"},
    }
    return bodies.get(route.name)


ENDED_ONLY = {"get_recording", "give_feedback", "open_citation", "fork_run", "plan_undo", "undo_run"}


def ask(client: Client, name: str, who: Json | None, things: Things) -> Reply:
    route = BY_NAME[name]
    paths = things.paths | ({"run": things.ended.run_id} if name in ENDED_ONLY else {})
    if name == "delete_session":  # that of a run that waits is busy
        paths |= {"session": things.ended.session_id}
    path = route.path
    for parameter, value in paths.items():
        path = path.replace(f"<{parameter}>", value)
    return client(route.method, path, body_of(route, things), caller=who or {})


SERVICES = {"service", "service-no-groups", "service-clerks", "admin-token"}
ANN = {"ann-key", "ann-operator", "ann-token", "ann-elsewhere"}
DECIDERS = {"service", "ann-operator", "lead-token"}
"""Those in the group ``operators``, which all of ann's things ask."""
SEES_HERS = SERVICES | ANN
SEES_WHAT_GROUP_IS_ASKED = SEES_HERS | {"lead-token"}

OF_MEMORY = {"list_memory", "list_decisions", "get_fact", "edit_fact", "forget_fact"}
# Who of the callers reaches ann's thing by a route, and who may see it and not do this. For all others it is not there.
HERS: dict[str, tuple[set[str], set[str]]] = {
    **dict.fromkeys(
        (
            "get_run",
            "get_events",
            "get_trace",
            "open_citation",
            "cancel_run",
            "fork_run",
            "get_recording",
            "give_feedback",
            "list_run_feedback",
            "get_session",
            "get_messages",
            "delete_session",
            "start_run",
            "get_document",
            "delete_document",
            "reingest_document",
            *OF_MEMORY,
            "get_erasure",
            "verify_erasure",
        ),
        (SEES_HERS, set()),
    ),
    **dict.fromkeys(("get_approval", "get_review", "plan_undo"), (SEES_WHAT_GROUP_IS_ASKED, set())),
    **dict.fromkeys(
        ("decide_approval", "close_review", "undo", "undo_run"), (DECIDERS, SEES_WHAT_GROUP_IS_ASKED - DECIDERS)
    ),
}
LISTS = {"list_runs", "list_sessions", "list_approvals", "list_reviews", "list_documents", "list_feedback"}
FOR_ALL = {"list_agents", "openapi", "list_models", "get_model"}
ELSEWHERE = {"upload_document", "list_verdicts", "read_cost", "complete", "embed", "erase_user", "call_mcp"}
ELSEWHERE |= {"start_bulk_ingest", "get_bulk_ingest", "upload_documents"}
"""Routes that name nothing that is there already: tests of their own."""


def test_every_route_is_in_the_matrix() -> None:
    assert {route.name for route in ROUTES} == set(HERS) | LISTS | FOR_ALL | ELSEWHERE


def test_each_kind_of_what_a_route_names_is_in_its_path() -> None:
    named = {"run": "RUN FORK EFFECTS UNWIND", "session": "SESSION", "approval": "APPROVAL", "review": "REVIEW VERDICT"}
    named |= {
        "cited": "RUN",
        "bulk": "OWN",
        "document": "DOCUMENT",
        "model": "DEPLOYMENT",
        "user": "MEMORY",
        "fact": "MEMORY",
        "erasure": "MEMORY",
    }
    for route in ROUTES:
        for parameter in route.parse_path(route.path):
            assert route.access.name in named[parameter].split(), route
    assert {route.access for route in ROUTES} == set(Access)


@pytest.mark.parametrize("kind", sorted(CALLERS))
def test_what_is_anns_exists_for_those_alone_who_may_reach_it(kind: str) -> None:
    who = CALLERS[kind]
    for name, (reached, denied) in HERS.items():
        client = Client()
        anns = make_things(client, "ann")
        reply = ask(client, name, who, anns)
        told = (kind, name, reply.status, reply.text)
        if who is None:
            assert reply.status == 401, told
        elif kind in reached:
            assert reply.status in (200, 202), told
        elif kind in denied:
            assert (reply.status, reply.json["code"]) == (403, "PolicyDenied"), told
        elif kind == "stranger" and name in {"list_memory", "list_decisions"}:
            assert (reply.status, reply.json["items"]) == (200, []), told  # Nothing is remembered in its own tenant.
        elif (kind, name) == ("stranger", "delete_document"):
            assert client.services.bucket.deleted == [f"other/{anns.paths['document']}"]  # Its own, if it had one.
        else:
            assert reply.status == 404, told


@pytest.mark.parametrize("kind", ["bob-key", "bob-clerk", "clerk-token", "stranger"])
def test_what_is_anothers_is_answered_like_an_id_that_nobody_has(kind: str) -> None:
    client = Client()
    anns = make_things(client, "ann")
    unknown = Things(
        anns.run.model_copy(update={"run_id": NOBODY_RUN}),
        anns.ended.model_copy(update={"run_id": NOBODY_RUN, "session_id": "nobody"}),
        anns.done.model_copy(update={"run_id": NOBODY_RUN}),
        f"apr_{NOBODY_RUN.removeprefix('run_')}_00001",
        "nobody",
    )
    empty = {"list_memory", "list_decisions"} if kind == "stranger" else set()
    for name in set(HERS) - {"start_run", "delete_document"} - empty:
        hers, nobodys = (ask(client, name, CALLERS[kind], things) for things in (anns, unknown))
        assert (hers.status, hers.text) == (nobodys.status, nobodys.text), name
        assert hers.status == 404, name


@pytest.mark.parametrize("kind", sorted(CALLERS))
def test_lists_hold_what_the_caller_may_reach(kind: str) -> None:
    who = CALLERS[kind]
    client = Client()
    for user in ("ann", "bob", None):
        make_things(client, user)
    sees: dict[str, set[str | None]] = {
        **{name: {"ann", "bob", None} for name in SERVICES},
        **{name: {"ann"} for name in ANN},
        "bob-key": {"bob"},
        "bob-clerk": {"bob"},
    }
    runs = {run.run_id: run.user_id for run in client.world.runs.list_page(TENANT, limit=100).items}
    for name in LISTS:
        reply = client("GET", f"{BY_NAME[name].path}?limit=100", caller=who or {})
        if who is None:
            assert reply.status == 401
            continue
        found: set[str | None] = set()
        for item in reply.json["items"]:
            if name == "list_documents":
                found.add(item["name"].split("/")[1] if "/" in item["name"] else None)
            elif "user" in item:
                found.add(item["user"])
            else:
                found.add(runs[item["run_id"]])
        wanted = sees.get(kind, set())
        if name in {"list_approvals", "list_reviews"} and kind in {"ann-operator", "lead-token"}:
            wanted = {"ann", "bob", None}
        assert found == wanted, (kind, name)


def test_a_page_that_leaves_out_what_is_others_goes_on_with_its_cursor() -> None:
    client = Client()
    mine = [client.world.begin(user_id="ann" if number % 5 == 0 else "bob").run_id for number in range(40)][::5]
    found: list[str] = []
    cursor = ""
    for _ in range(40):
        page = client("GET", f"/v1/runs?limit=2{cursor}", caller=CALLERS["ann-key"]).json
        found += [item["run_id"] for item in page["items"]]
        assert len(page["items"]) <= 2
        if page["cursor"] is None:
            break
        cursor = f"&cursor={page['cursor']}"
    assert sorted(found) == sorted(mine)


@pytest.mark.parametrize("name", sorted(LISTS))
def test_a_cursor_is_of_the_user_that_got_it(name: str) -> None:
    """What it holds may be the key of another user's thing: so it is sealed, and nobody can make one."""
    client, path = Client(), BY_NAME[name].path
    for user in ("bob", "ann", "bob", "ann", "bob"):
        make_things(client, user)

    def ask_page(kind: str, cursor: str | None = None) -> Reply:
        return client("GET", f"{path}?limit=1" + (f"&cursor={cursor}" if cursor else ""), caller=CALLERS[kind])

    plain, sealed = (str(ask_page(kind).json["cursor"]) for kind in ("service", "ann-key"))
    assert (ask_page("service", plain).status, ask_page("ann-key", sealed).status) == (200, 200)
    for kind, cursor in (("ann-key", plain), ("bob-key", sealed), ("service", sealed), ("ann-key", f"x{sealed}")):
        assert ask_page(kind, cursor).status == 404, kind


@pytest.mark.parametrize("kind", sorted(CALLERS))
def test_a_users_documents_are_below_the_users_name(kind: str) -> None:
    who, client = CALLERS[kind], Client()
    statuses = {
        name: client("POST", "/v1/documents", {"name": name, **CONTENT}, caller=who or {}).status
        for name in ("plan.md", "users/ann/plan.md", "users/annabel/plan.md", "users/ann.md", "users/ann/../bob/x.md")
    }
    if who is None:
        assert set(statuses.values()) == {401}
        return
    assert statuses.pop("users/ann/../bob/x.md") in (400, 403)
    whole = kind in SERVICES | {"stranger"}
    wanted = {name: 201 if whole or (kind in ANN and name == "users/ann/plan.md") else 403 for name in statuses}
    assert statuses == wanted
    asked = [{"name": name, **CONTENT} for name in wanted]
    many = client("POST", "/v1/bulk-uploads", {"documents": asked}, caller=who).json["documents"]
    # Each as if it were asked for alone.
    told = [201 if one["problem"] is None else one["problem"]["status"] for one in many]
    assert told == list(wanted.values())
    assert all((one["upload"] is None) == (one["problem"] is not None) for one in many)


@pytest.mark.parametrize("kind", sorted(CALLERS))
def test_costs_are_those_that_the_caller_may_reach(kind: str) -> None:
    who, client = CALLERS[kind], Client()
    for user in ("ann", "bob", None):
        make_things(client, user)
    replies = {by: client("GET", f"/v1/cost?by={by}", caller=who or {}) for by in ("day", "user", "run", "agent")}
    if who is None:
        assert {reply.status for reply in replies.values()} == {401}
        return
    if kind in SERVICES:
        assert {row["key"] for row in replies["user"].json["rows"]} == {"ann", "bob", "-"}
        assert {reply.status for reply in replies.values()} == {200}
        return
    if kind == "stranger":
        assert [reply.json["rows"] for reply in replies.values()] == [[], [], [], []]
        return
    own = {"ann"} if kind in ANN else {"bob"} if kind.startswith("bob") else set()
    assert {row["key"] for row in replies["user"].json["rows"]} == own
    total = 4 if own else 0  # Four turns were made for each.
    assert [replies[by].json["total"]["attempts"] for by in ("day", "user")] == [total, total]
    assert [replies[by].status for by in ("run", "agent")] == [403, 403]


@pytest.mark.parametrize("kind", ["ann-key", "ann-token", "lead-token"])
def test_a_user_is_nobody_else_in_a_model_call(kind: str) -> None:
    client = Client()
    chat = {"model": "primary", "messages": [{"role": "user", "content": "hi"}], "user": "bob"}
    assert client("POST", "/v1/chat/completions", chat, caller=CALLERS[kind]).status == 403
    embed = {"model": "text-embedding-3-small", "input": "hi", "user": "bob"}
    assert client("POST", "/v1/embeddings", embed, caller=CALLERS[kind]).status == 403


@pytest.mark.parametrize("field", ["session", "session_id"])
def test_a_session_of_another_is_not_there_to_go_on_with_by_either_of_its_names(field: str) -> None:
    client = Client()
    anns = make_things(client, "ann")
    body = {"agent": "assistant", "message": "Tell me all.", field: anns.ended.session_id}
    reply = client("POST", "/v1/runs", body, caller=CALLERS["bob-key"])
    assert (reply.status, reply.json["field"]) == (404, "session")


def test_a_body_in_base64_names_what_it_names() -> None:
    client = Client()
    anns = make_things(client, "ann")
    body = {"agent": "assistant", "message": "Tell me all.", "session": anns.ended.session_id}
    assert client("POST", "/v1/runs", body, caller=CALLERS["bob-key"], encoded=True).status == 404
    assert client("POST", "/v1/runs", body, caller=CALLERS["ann-key"], encoded=True).status == 202


def test_who_may_reach_all_users_acts_for_any_of_them() -> None:
    client = Client()
    reply = client("POST", "/v1/runs", {"agent": "plain", "message": "x", "user": "ann"}, caller=CALLERS["admin-token"])
    assert (reply.status, reply.json["user"]) == (202, "ann")
