"""What is remembered of a user is read, edited and forgotten; what is changed is in the audit."""

from datetime import timedelta
from typing import Any

import pytest

from pentad.api.acts.subjects import MEMORY
from pentad.api.routers.memory import build_fact_view
from pentad.domain.ids import hash_user
from pentad.domain.memories.facts import Fact, FactEvidence, GateVerdict, LearnedRange
from pentad.memory.facts.ports import FactChange
from tests.unit.api.client import Client
from tests.unit.orchestration.world import START, TENANT

USER = "sam+x@example.com"
PATH = "/v1/memory/sam%2Bx%40example.com"


def make_fact(number: int = 1, **changes: Any) -> Fact:
    said = FactEvidence(
        session_id="s-1", seq=2, start=0, end=14, quote="I live in Bonn", said_at=START, learned_at=START
    )
    fields: dict[str, Any] = {
        "tenant": TENANT,
        "user": USER,
        "fact_id": f"fact_{number}",
        "kind": "fact",
        "text": f"The user lives in Bonn {number}.",
        "subject": "home",
        "value": f"live bonn {number}",
        "evidence": (said,),
        "valid_from": START + timedelta(minutes=number),
        "learned_at": START,
        "source": "user",
        "confidence": 1,
    }
    return Fact(**fields | changes)


@pytest.fixture
def client() -> Client:
    return Client()


def keep(client: Client, *facts: Fact, learned: LearnedRange | None = None) -> None:
    book = client.services.facts.read(TENANT, USER)
    change = FactChange(put=facts, learned=learned)
    assert client.services.facts.write(TENANT, USER, change, expected_version=book.version)


def test_facts_are_listed_the_newest_first_in_pages(client: Client) -> None:
    keep(client, *(make_fact(number) for number in range(5)))
    client.world.clock.advance(3600)
    first = client("GET", f"{PATH}?limit=3").json
    assert [one["fact"] for one in first["items"]] == ["fact_4", "fact_3", "fact_2"]
    second = client("GET", f"{PATH}?limit=3&cursor={first['cursor']}").json
    assert [one["fact"] for one in second["items"]] == ["fact_1", "fact_0"]
    assert second["cursor"] is None
    assert client("GET", f"{PATH}?cursor=x").status == 404


def test_history_is_shown_on_request_only(client: Client) -> None:
    keep(client, make_fact(1, invalid_from=START + timedelta(minutes=2), superseded_by="fact_2"), make_fact(2))
    client.world.clock.advance(3600)
    assert [one["fact"] for one in client("GET", PATH).json["items"]] == ["fact_2"]
    both = client("GET", f"{PATH}?history=true").json["items"]
    assert [(one["fact"], one["current"]) for one in both] == [("fact_2", True), ("fact_1", False)]


def test_a_fact_shows_its_evidence_and_not_what_is_ours(client: Client) -> None:
    keep(client, make_fact())
    found = client("GET", f"{PATH}/facts/fact_1").json
    assert found["evidence"][0]["quote"] == "I live in Bonn"
    assert found["user"] == USER
    assert not {"tenant", "value", "single"} & set(found)
    assert found == build_fact_view(make_fact(), START + timedelta(days=9)).model_dump(mode="json") | {
        "current": found["current"]
    }
    assert client("GET", f"{PATH}/facts/fact_9").status == 404


def test_an_edit_keeps_history_and_a_repeat_changes_nothing(client: Client) -> None:
    keep(client, make_fact())
    client.world.clock.advance(3600)
    edited = client("PATCH", f"{PATH}/facts/fact_1", {"text": "The user lives in Kiel."})
    assert (edited.status, edited.json["text"], edited.json["source"]) == (200, "The user lives in Kiel.", "edit")
    repeat = client("PATCH", f"{PATH}/facts/{edited.json['fact']}", {"text": "The user lives in Kiel."})
    assert repeat.json == edited.json
    texts = [one["text"] for one in client("GET", f"{PATH}?history=true").json["items"]]
    assert texts == ["The user lives in Kiel.", "The user lives in Bonn 1."]
    old = client("PATCH", f"{PATH}/facts/{edited.json['supersedes']}", {"text": "The user lives in Ulm."})
    assert (old.status, old.json["code"]) == (400, "InvalidInput")


@pytest.mark.parametrize(
    "body",
    [{"text": ""}, {"text": "the"}, {"text": "x" * 301}, {"text": "The password is hunter22."}, {"kind": "fact"},
     {"expires_at": "2027-01-01"}, {"expires_at": "2027-01-01T00:00:00"}],
)  # fmt: skip
def test_an_edit_that_says_nothing_or_too_much_is_refused(client: Client, body: dict[str, str]) -> None:
    keep(client, make_fact())
    assert client("PATCH", f"{PATH}/facts/fact_1", body).status == 400
    assert client.services.facts.read(TENANT, USER).facts == (make_fact(),)


def test_an_edit_that_names_nothing_changes_nothing(client: Client) -> None:
    keep(client, make_fact())
    assert client("PATCH", f"{PATH}/facts/fact_1", {}).status == 200
    assert client.services.facts.read(TENANT, USER).facts == (make_fact(),)


def test_an_expiry_alone_can_be_set(client: Client) -> None:
    keep(client, make_fact())
    client.world.clock.advance(3600)
    edited = client("PATCH", f"{PATH}/facts/fact_1", {"expires_at": "2027-01-01T00:00:00Z"}).json
    assert edited["expires_at"] == "2027-01-01T00:00:00Z"
    assert [one["text"] for one in client("GET", f"{PATH}?history=true").json["items"]] == ["The user lives in Bonn 1."]


def test_a_forgotten_fact_goes_with_what_it_took_the_place_of(client: Client) -> None:
    older = make_fact(1, invalid_from=START, superseded_by="fact_2")
    keep(client, older, make_fact(2, supersedes="fact_1"), make_fact(3, subject="job"))
    forgotten = client("DELETE", f"{PATH}/facts/fact_2")
    assert (forgotten.status, sorted(forgotten.json["facts"])) == (200, ["fact_1", "fact_2"])
    listed = client("GET", f"{PATH}?history=true").json
    assert ([one["fact"] for one in listed["items"]], listed["forgotten"]) == (["fact_3"], 2)
    assert client("DELETE", f"{PATH}/facts/fact_2").status == 404


def test_a_long_history_is_forgotten_as_a_whole_and_nothing_of_it_holds_again(client: Client) -> None:
    line = [
        make_fact(number, invalid_from=START + timedelta(minutes=number + 1), superseded_by=f"fact_{number + 1}")
        for number in range(80)
    ]
    keep(client, *line[:40])
    keep(client, *line[40:], make_fact(80))
    client.world.clock.advance(3600 * 3)
    forgotten = client("DELETE", f"{PATH}/facts/fact_80")
    assert len(forgotten.json["facts"]) == 81
    assert client("GET", f"{PATH}?history=true").json["items"] == []


def test_a_forgotten_facts_words_stand_nowhere_of_what_is_remembered(client: Client) -> None:
    text = make_fact().text
    verdicts = (
        GateVerdict(outcome="kept", reason="new", text=text, seq=1, fact_id="fact_1"),
        GateVerdict(outcome="superseded", reason=f"in the place of: {text}", text="The user lives in Kiel.", seq=2),
        GateVerdict(outcome="refused", reason="its evidence is a question", text="Who?", seq=3),
    )
    learned = LearnedRange(session_id="s-1", first_seq=0, last_seq=3, recipe="1", learned_at=START, verdicts=verdicts)
    said = make_fact().evidence[0].model_copy(update={"doubt": f"it may contradict: {text}", "quote": "Kiel"})
    other = make_fact(2, text="The user lives in Kiel.", evidence=(said,), doubt=said.doubt)
    keep(client, make_fact(), other, learned=learned)
    assert client("DELETE", f"{PATH}/facts/fact_1").status == 200
    left = client.services.facts
    everything = f"{left.read(TENANT, USER).model_dump_json()}{left.list_learned(TENANT, USER).model_dump_json()}"
    assert "Bonn" not in everything
    assert "Who?" in everything
    assert "Kiel" in everything


def test_verdicts_of_the_gate_are_shown(client: Client) -> None:
    refused = GateVerdict(outcome="refused", reason="its evidence is a question", text="Who?", seq=1)
    learned = LearnedRange(
        session_id="s-1", first_seq=0, last_seq=3, recipe="1", learned_at=START, verdicts=(refused,), notes=("n",)
    )
    keep(client, learned=learned)
    [shown] = client("GET", f"{PATH}/decisions").json["items"]
    assert (shown["session"], shown["decisions"][0]["reason"], shown["notes"]) == ("s-1", refused.reason, ["n"])


def test_edits_and_forgetting_are_in_the_audit_without_the_users_words_or_name(client: Client) -> None:
    keep(client, make_fact())
    client("PATCH", f"{PATH}/facts/fact_1", {"text": "The user lives in Kiel."}, request_id="r-1")
    client("DELETE", f"{PATH}/facts/fact_9", request_id="r-2")
    acts = client.services.acts.list_for(TENANT, MEMORY)
    target = f"{hash_user(USER)}/fact_1"
    assert [(act.name, act.target, act.stage, act.status) for act in acts] == [
        ("edit_fact", target, "asked", None),
        ("edit_fact", target, "ended", 200),
    ]
    assert not any("Kiel" in act.model_dump_json() or "example.com" in act.target for act in acts)


def test_a_user_that_can_not_be_one_is_unknown(client: Client) -> None:
    for user in ("a%20b", "%23", "..", "a%2Fb", "%00"):
        assert client("GET", f"/v1/memory/{user}").status == 404


def test_reading_and_writing_need_their_scopes(client: Client) -> None:
    keep(client, make_fact())
    assert client("GET", PATH, scopes="runs:read").status == 403
    assert client("PATCH", f"{PATH}/facts/fact_1", {"text": "x y"}, scopes="memory:read").status == 403
    assert client("DELETE", f"{PATH}/facts/fact_1", scopes="memory:read").status == 403
