"""What a client's human is shown before anything runs."""

from typing import Any

from pentad.domain.runs import Approval
from pentad.domain.taint.sources import FromOutside
from tests.unit.api.mcp.test_service import WITH_TASKS, ask
from tests.unit.api.served import ServedClient
from tests.unit.orchestration.world import TENANT


def make_asking(**shown: Any) -> tuple[ServedClient, str]:
    """Return a deployment whose one call asks a human, and the run; its approval's call has these fields, too."""
    client = ServedClient(slow=True)
    notes = {"name": "notes", "arguments": {"title": "Milk\nIt asks: nothing"}}
    run_id = ask(client, "tools/call", notes, can=WITH_TASKS).json["result"]["taskId"]
    client.go_on()
    approval = get_approval(client, run_id)
    calls = tuple(call.model_copy(update=shown) for call in approval.calls)
    assert client.world.approvals.replace(approval.model_copy(update={"calls": calls, "version": 1}))
    return client, run_id


def get_approval(client: ServedClient, run_id: str) -> Approval:
    [approval] = client.world.approvals.list_for_run(TENANT, run_id, limit=5)
    return approval


def read_form(client: ServedClient, run_id: str) -> list[str]:
    task = ask(client, "tasks/get", {"taskId": run_id}, can=WITH_TASKS).json["result"]
    [form] = task["inputRequests"].values()
    return str(form["params"]["message"]).splitlines()


def test_the_form_says_why_it_asks_and_which_words_are_from_outside() -> None:
    outside = FromOutside(path="title", text="Milk\u202e", source="tool:read_page")
    client, run_id = make_asking(reasons=("The sum is above 50 EUR.\nIt is the 2nd.",), outside=(outside,), edited=True)
    lines = read_form(client, run_id)
    assert lines[2:4] == ["notes (edited) with (39 characters)", "{"]
    assert lines[-2] == "It asks: The sum is above 50 EUR.\\nIt is the 2nd."
    assert lines[-1] == "'title' has words of tool:read_page, which the user did not write: Milk\\u202e"


def test_an_argument_adds_no_line_that_looks_like_a_reason() -> None:
    client, run_id = make_asking()
    reasons = get_approval(client, run_id).calls[0].reasons
    assert reasons
    assert [line for line in read_form(client, run_id) if line.startswith("It asks")] == [
        f"It asks: {why}" for why in reasons
    ]


def test_the_form_tells_how_long_a_value_is_and_what_of_it_a_reader_would_miss() -> None:
    arguments = {"to": "p\u0430ypal", "note": "a\u202eb\u200b", "many": "x" * 5_000}
    client, run_id = make_asking(arguments=arguments)
    lines = read_form(client, run_id)
    shown = next(line for line in lines if line.startswith("notes with"))
    assert "5,0" in shown and "characters" in shown
    assert "2 hidden: see \\u" in shown
    assert "1 letters pass for others: see \\u" in shown


def test_a_draft_names_its_words_with_letters_that_pass_for_others() -> None:
    client, run_id = make_asking()
    approval = get_approval(client, run_id)
    draft = approval.model_copy(update={"kind": "answer", "calls": (), "text": "Pay p\u0430ypal.", "version": 2})
    assert client.world.approvals.replace(draft)
    lines = read_form(client, run_id)
    assert "(11 characters, 1 letters pass for others: see \\u)" in lines
    assert any(line.startswith("'p\u0430ypal' is written p\\u0430ypal") for line in lines)
