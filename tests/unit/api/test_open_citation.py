"""A citation's link opens the place in the document, for whoever may see the run and nobody else."""

from typing import Any

import pytest

from pentad.api.found import FindRun
from pentad.api.open_citation import OpenCitation
from pentad.domain.knowledge import Document, DocumentStatus, Passage
from pentad.domain.runs import Run
from pentad.memory.retrieval.passages import make_marker, name_passage
from tests.unit.api.client import Client
from tests.unit.orchestration.world import TENANT

TEXT = "Refunds take ten days. " * 60


def passage(number: int, **changes: Any) -> Passage:
    values: dict[str, Any] = {
        "passage_id": f"ab12#{number}",
        "document": "handbook/refunds.pdf",
        "version": "v1",
        "title": "Refunds",
        "text": TEXT,
        "header": "how | long",
        "start": 100 * number,
        "end": 100 * number + len(TEXT),
        "score": 0.9,
        "page": 3,
    }
    return Passage(**values | changes)


def cite(*passages: Passage) -> str:
    return " ".join(make_marker(name_passage(one.passage_id)) for one in passages)


def answer(client: Client, given: list[Passage], words: str, **start: Any) -> Run:
    """Let a run be given passages, and answer."""
    world = client.world
    run = world.begin(**start)
    world.sessions.attach_passages(TENANT, run.session_id, run.request_seq, given)
    world.model.script.append(words)
    world.turn(run)
    return world.deliver.deliver(TENANT, run.run_id, 1)


def store(client: Client, version: str, status: DocumentStatus = "indexed") -> None:
    client.services.registry.put(
        Document(
            tenant_id=TENANT,
            name="handbook/refunds.pdf",
            version=version,
            status=status,
            media_type="application/pdf",
            bytes=1,
            chunks=2,
            embedded=0,
            indexed_at=client.world.clock(),
        ),
        {},
    )


def test_the_link_of_a_citation_opens_the_whole_passage_with_its_place() -> None:
    client = Client()
    store(client, "v1")
    run = answer(client, [passage(1), passage(2)], f"Ten days {cite(passage(2))}.")
    [cited] = client("GET", f"/v1/runs/{run.run_id}").json["citations"]
    place = client("GET", cited["link"]).json
    assert len(cited["quote"]) < len(TEXT)
    assert place == {name: value for name, value in cited.items() if name != "link"} | {
        "text": TEXT,
        "header": "how | long",
        "is_whole": True,
        "document_status": "indexed",
        "is_newest": True,
    }
    assert (place["start"], place["page"], place["version"]) == (200, 3, "v1")


def test_a_passage_of_an_earlier_question_and_a_later_run_are_told_apart() -> None:
    client = Client()
    answer(client, [passage(1)], "Yes.", session_id="s-1")
    second = answer(client, [passage(2)], f"As said {cite(passage(1))}.", session_id="s-1")
    answer(client, [passage(1, text="Refunds take a year.")], "No.", session_id="s-1")
    [cited] = client("GET", f"/v1/runs/{second.run_id}").json["citations"]
    assert client("GET", cited["link"]).json["text"] == TEXT


def test_what_has_become_of_the_document_is_told() -> None:
    client = Client()
    run = answer(client, [passage(1)], f"Yes {cite(passage(1))}.")
    link = client("GET", f"/v1/runs/{run.run_id}").json["citations"][0]["link"]

    def look() -> tuple[str, bool]:
        place = client("GET", link).json
        return place["document_status"], place["is_newest"]

    assert look() == ("deleted", False)
    for version, status, is_newest in (("v1", "stale", True), ("v2", "indexed", False), ("v2", "deleted", False)):
        client.world.clock.advance(1)
        store(client, version, status)  # type: ignore[arg-type]
        assert look() == (status, is_newest)


def test_where_the_session_is_gone_the_quotation_is_left() -> None:
    client = Client()
    run = answer(client, [passage(1)], f"Yes {cite(passage(1))}.")
    link = client("GET", f"/v1/runs/{run.run_id}").json["citations"][0]["link"]
    assert client("DELETE", f"/v1/sessions/{run.session_id}").status in (200, 204)
    place = client("GET", link).json
    assert (place["text"], place["is_whole"]) == (TEXT[:500], False)


@pytest.mark.parametrize("name", ["ab12%231", "zzzzzz", "..", "k7f2qa%2F.."])
def test_what_the_answer_does_not_cite_is_not_there(name: str) -> None:
    client = Client()
    run = answer(client, [passage(1), passage(2)], f"Yes {cite(passage(1))}.")
    assert client("GET", f"/v1/runs/{run.run_id}/citations/{name}").status == 404
    given = name_passage(passage(2).passage_id)
    assert client("GET", f"/v1/runs/{run.run_id}/citations/{given}").json["code"] == "NotFound"


def test_another_user_and_another_tenant_find_nothing() -> None:
    client = Client()
    run = answer(client, [passage(1)], f"Yes {cite(passage(1))}.", user_id="ann")
    link = client("GET", f"/v1/runs/{run.run_id}", user_id="ann").json["citations"][0]["link"]
    assert client("GET", link, user_id="ann").status == 200
    assert client("GET", link, user_id="bob").status == 404
    services = client.services
    opened = OpenCitation(FindRun(services.runs, services.now), client.world.sessions, services.registry)
    with pytest.raises(Exception, match="no such run"):
        opened("other", run.run_id, name_passage(passage(1).passage_id))
