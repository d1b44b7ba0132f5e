"""What a user said is kept after the run, through bus, queue and function, and recalled in another session."""

import pytest

from tests.twin.stack.world import Json, Tenant, until

pytestmark = pytest.mark.twin

QUESTION = "What is the door code of my allotment in Brackwater?"


def get_turns(tenant: Tenant, view: Json) -> Json:
    """Return the piece of a run's context that has what was said earlier."""
    pieces = tenant.get(f"/v1/runs/{view['run_id']}/trace")["context"]["pieces"]
    found: Json = next(piece for piece in pieces if piece["kind"] == "turns")
    return found


def test_what_a_user_said_is_recalled_in_another_session_and_for_nobody_else(tenant: Tenant) -> None:
    said = tenant.ask("The door code of my allotment in Brackwater is 4711.", user="ada")
    until(lambda: len({item["sk"] for item in tenant.items("said")}) == 2, "the words and vectors of what was said")
    tenant.ask("Hello!", user="bob")
    until(lambda: len({item["pk"] for item in tenant.items("said")}) == 2, "what bob said")

    view = tenant.ask(QUESTION, user="ada")
    assert view["session"] != said["session"]
    assert "4711" in view["answer"]
    turns = get_turns(tenant, view)
    assert (turns["count"] >= 1, turns["reason"]) == (True, "fits")
    assert turns["sources"][0]["name"] == f"{said['session']}#0.0"
    assert turns["signals"]["cosine"] > 0.3

    for other in (tenant.ask(QUESTION, user="bob"), tenant.ask(QUESTION)):
        assert "4711" not in other["answer"]
