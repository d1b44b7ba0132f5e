"""Everything that humans decide, on the deployed stack: approve, edit, reject, answer, escalate, and nobody does."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from pentad.cli.main import app
from tests.twin.conftest import OwnProject
from tests.twin.graphs.span_lines import list_log_groups
from tests.twin.stack.slack import Slack
from tests.twin.stack.world import Json, Stack, Tenant, until, word

pytestmark = [pytest.mark.twin, pytest.mark.xdist_group("stack-own")]

NOTE = {"title": "Oil", "text": "Order two barrels."}


def note(**values: str) -> Json:
    """A reply of the model that saves a note."""
    return {"reply": {"tool_calls": [{"name": "notes", "arguments": NOTE | values}]}}


def calls(tool: str, **arguments: str) -> Json:
    """A reply of the model that calls a tool."""
    return {"reply": {"tool_calls": [{"name": tool, "arguments": arguments}]}}


def says(text: str) -> Json:
    """A reply of the model that is an answer."""
    return {"reply": {"text": text}}


@pytest.fixture
def stack(scripted: Stack) -> Stack:
    return scripted


def begin(tenant: Tenant, agent: str, *script: Json, message: str = "Please.") -> Json:
    """Start a run whose model follows a script, and return it as it waits."""
    tenant.stack.simulator.load_script(*script)
    view = tenant.ask(message, agent=agent)
    if view["status"] != "awaiting_human":
        pytest.fail(
            f"{tenant.get('/v1/runs/' + view['run_id'] + '/events')} {tenant.stack.simulator.list_requests()[-4:]}"
        )
    return view


def shown(tenant: Tenant, view: Json) -> Json:
    return tenant.get(f"/v1/approvals/{view['pending_approval']}")


def decided(response: httpx.Response) -> Json:
    assert response.status_code == 200, response.text
    view: Json = response.json()
    return view


def end(tenant: Tenant, view: Json) -> Json:
    return tenant.settle(view["run_id"], after=view["pending_approval"])


def patch(stack: Stack, tenant: Tenant, approval: str, **values: Any) -> None:
    """Change a stored approval: time passes for it alone."""
    [item] = [one for one in tenant.items("approval") if approval in one["body"]]
    body = json.loads(item["body"]) | values
    stack.aws("dynamodb").update_item(
        TableName=stack.outputs["StateTable"],
        Key={name: {"S": item[name]} for name in ("pk", "sk")},
        UpdateExpression="SET body = :body",
        ExpressionAttributeValues={":body": {"S": json.dumps(body)}},
    )


def moved(moment: str, seconds: float) -> str:
    return (datetime.fromisoformat(moment) + timedelta(seconds=seconds)).isoformat()


def test_an_edited_call_runs_as_edited_and_the_model_is_told_its_result(stack: Stack, tenant: Tenant) -> None:
    view = begin(tenant, "clerk", note(), says("Saved."))
    body = {"arguments": {"0": {"title": "Oil", "text": "Order one barrel."}}}
    decided(tenant.decide(view["pending_approval"], "edit", **body))
    assert end(tenant, view)["status"] == "succeeded"
    assert [one["text"] for one in tenant.notes()] == ["Order one barrel."]
    [call] = tenant.events(view["run_id"], "tool_call")
    assert call["arguments_hash"] == shown(tenant, view)["calls"][0]["arguments_hash"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"decision": "edit", "arguments": {"0": {"title": "Oil"}}}, "arguments.0"),
        ({"decision": "edit", "arguments": {"0": {"title": "Oil", "text": 7}}}, "arguments.0.text"),
        ({"decision": "edit", "arguments": {"5": NOTE}}, "arguments.5"),
        ({"decision": "edit", "text": "new"}, "text"),
        ({"decision": "approve", "text": "new"}, "text"),
        ({"decision": "answer", "text": "42"}, "decision"),
        ({"decision": "escalate", "group": "Not A Group"}, "group"),
        ({"decision": "approve", "arguments_hash": "0" * 64}, "arguments_hash"),
    ],
)
def test_a_decision_that_does_not_fit_names_the_field_and_the_fix(
    stack: Stack, tenant: Tenant, body: Json, field: str
) -> None:
    view = begin(tenant, "clerk", note())
    refused = tenant.post(f"/v1/approvals/{view['pending_approval']}", body)
    assert (refused.status_code, refused.json()["field"]) == (400, field), refused.text
    assert refused.json()["fix"]
    assert tenant.notes() == []


def test_a_question_is_answered_and_the_model_goes_on_with_it(stack: Stack, tenant: Tenant) -> None:
    view = begin(tenant, "clerk", calls("ask_human", question="How many barrels?"), says("Two it is."))
    asked = shown(tenant, view)
    assert (asked["kind"], asked["text"], asked["group"]) == ("question", "How many barrels?", "clerks")
    assert tenant.decide(view["pending_approval"], "approve").status_code == 400
    decided(tenant.decide(view["pending_approval"], "answer", text="Two."))
    assert end(tenant, view)["answer"] == "Two it is."
    results = [one for message in tenant.messages(view["session"]) for one in message["tool_results"]]
    assert [(one["content"], one["is_error"], one["untrusted"]) for one in results] == [("Two.", False, False)]


def test_what_a_run_lacks_is_asked_for_and_noted_before_the_model_is_asked(stack: Stack, tenant: Tenant) -> None:
    view = begin(tenant, "intake", says("Order 7 is on its way."))
    assert shown(tenant, view)["text"] == "Which order is it about?"
    decided(tenant.decide(view["pending_approval"], "answer", text="7"))
    ended = end(tenant, view)
    assert (ended["status"], ended["answer"], ended["metadata"]) == (
        "succeeded",
        "Order 7 is on its way.",
        {"order": "7"},
    )


def test_an_escalation_may_be_answered_in_the_agents_place(stack: Stack, tenant: Tenant) -> None:
    view = begin(tenant, "clerk", calls("escalate", reason="The user wants a person."))
    assert shown(tenant, view)["kind"] == "escalation"
    decided(tenant.decide(view["pending_approval"], "answer", text="This is Ann. I call you back."))
    ended = end(tenant, view)
    assert (ended["status"], ended["answer"]) == ("succeeded", "This is Ann. I call you back.")


def test_a_rejection_tells_the_model_why(stack: Stack, tenant: Tenant) -> None:
    view = begin(tenant, "clerk", note(), says("Then not."))
    decided(tenant.decide(view["pending_approval"], "reject", reason="Too much oil."))
    assert end(tenant, view)["answer"] == "Then not."
    [result] = [one for message in tenant.messages(view["session"]) for one in message["tool_results"]]
    assert "Too much oil." in result["content"]
    assert tenant.notes() == []


def test_a_tool_allowed_for_the_run_asks_no_more_in_it_and_again_in_the_next(stack: Stack, tenant: Tenant) -> None:
    script = (note(), note(title="Salt"), says("Both saved."), note(title="Rope"))
    view = begin(tenant, "clerk", *script)
    decided(tenant.decide(view["pending_approval"], "approve", allow_tool_for_run=True))
    assert end(tenant, view)["answer"] == "Both saved."
    assert sorted(one["title"] for one in tenant.notes()) == ["Oil", "Salt"]
    assert tenant.ask("Once more.", agent="clerk", session=view["session"])["status"] == "awaiting_human"


def test_a_quorum_of_two_takes_two_humans_on_the_same_arguments(stack: Stack, tenant: Tenant) -> None:
    ann, bob = (stack.tenant(tenant.name, user_id=name) for name in ("ann", "bob"))
    view = begin(tenant, "council", note(), says("Saved."))
    name = view["pending_approval"]
    assert ann.decide(name, "approve").json()["field"] == "arguments_hash"
    first = shown(tenant, view)["arguments_hash"]
    for _ in range(2):
        voted = decided(ann.decide(name, "approve", arguments_hash=first))
        assert (voted["status"], len(voted["votes"])) == ("pending", 1)
    edited = decided(bob.decide(name, "edit", arguments={"0": NOTE | {"title": "Tar"}}, arguments_hash=first))
    assert (edited["status"], [vote["by"] for vote in edited["votes"]]) == ("pending", ["bob"])
    assert ann.decide(name, "approve", arguments_hash=first).json()["field"] == "arguments_hash"
    assert decided(ann.decide(name, "approve", arguments_hash=edited["arguments_hash"]))["status"] == "approved"
    assert end(tenant, view)["status"] == "succeeded"
    assert [one["title"] for one in tenant.notes()] == ["Tar"]


def test_only_the_group_that_is_asked_decides_and_may_hand_it_on(stack: Stack, tenant: Tenant) -> None:
    clerk, lead = (stack.tenant(tenant.name, groups=[group]) for group in ("clerks", "leads"))
    view = begin(tenant, "clerk", note(), says("Saved."))
    name = view["pending_approval"]
    assert lead.decide(name, "approve").status_code == 403
    handed = decided(clerk.decide(name, "escalate", reason="Too big for me."))
    assert (handed["group"], handed["escalate_to"], handed["changes"][0]["reason"]) == (
        "leads",
        ["board"],
        "Too big for me.",
    )
    assert clerk.decide(name, "approve").status_code == 403
    assert [one["approval"] for one in lead.get("/v1/approvals?group=leads&kind=calls")["items"]] == [name]
    assert lead.get("/v1/approvals?group=clerks")["items"] == []
    decided(lead.decide(name, "approve"))
    assert end(tenant, view)["status"] == "succeeded"
    assert len(tenant.notes()) == 1


def test_what_nobody_decides_goes_from_group_to_group_and_is_then_not_run(stack: Stack, tenant: Tenant) -> None:
    view = begin(tenant, "clerk", note(), says("Nobody had time."))
    name = view["pending_approval"]
    asked = shown(tenant, view)
    patch(stack, tenant, name, expires_at=moved(asked["created_at"], 3.0))
    # Within its three seconds: the next group has three as well, and the real timer runs for them.
    patch(stack, tenant, name, created_at=moved(asked["created_at"], 600), expires_at=moved(asked["created_at"], 603))
    decided(tenant.decide(name, "escalate"))
    ended = end(tenant, view)
    assert (ended["status"], ended["answer"]) == ("succeeded", "Nobody had time.")
    closed = shown(tenant, view)
    assert closed["status"] == "expired"
    assert [(one["group"], one["by"]) for one in closed["changes"][1:]] == [("leads", "system")]
    assert tenant.decide(name, "approve").status_code == 409
    assert tenant.notes() == []
    assert tenant.lease_is_free(view["session"])


def test_two_deciders_at_once_are_one_decision(stack: Stack, tenant: Tenant) -> None:
    view = begin(tenant, "clerk", note(), says("Done."))
    name = view["pending_approval"]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda verb: tenant.decide(name, verb), ["approve", "reject"] * 3))
    stored = shown(tenant, view)["status"]
    verb = {"approved": "approve", "rejected": "reject"}[stored]
    assert sorted(answer.status_code for answer in answers) == [200] * 3 + [409] * 3
    assert {answer.json()["status"] for answer in answers if answer.status_code == 200} == {stored}
    assert end(tenant, view)["status"] == "succeeded"
    assert len(tenant.notes()) == (1 if verb == "approve" else 0)


def test_a_quorum_that_two_reach_at_once_is_reached_once(stack: Stack, tenant: Tenant) -> None:
    humans = [stack.tenant(tenant.name, user_id=name) for name in ("ann", "bob")]
    view = begin(tenant, "council", note(), says("Saved."))
    name, seen = view["pending_approval"], shown(tenant, view)["arguments_hash"]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda one: decided(one.decide(name, "approve", arguments_hash=seen)), humans))
    assert sorted(len(one["votes"]) for one in answers) == [1, 2]
    assert end(tenant, view)["status"] == "succeeded"
    assert ({vote["by"] for vote in shown(tenant, view)["votes"]}, len(tenant.notes())) == ({"ann", "bob"}, 1)


def test_the_command_line_takes_every_decision(stack: Stack, tenant: Tenant, tmp_path: Path) -> None:
    def pentad(*words: str) -> Any:
        arguments = ["--json", "--url", stack.url, "--key", tenant.token, *words]
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    ask = calls("ask_human", question="How many?")
    script = (ask, note(), note(title="Salt"), calls("escalate", reason="Done."))
    view = begin(tenant, "clerk", *script)
    name = view["pending_approval"]
    assert [one["kind"] for one in pentad("approvals", "--kind", "question", "--group", "clerks")] == ["question"]
    assert pentad("answer", name, "Two.")["status"] == "answered"
    view = end(tenant, view)
    file = tmp_path / "arguments.json"
    file.write_text(json.dumps(NOTE | {"title": "Tar"}))
    assert pentad("edit", view["pending_approval"], "--arguments", str(file), "--yes")["status"] == "approved"
    view = end(tenant, view)
    assert pentad("reject", view["pending_approval"], "--reason", "Enough.", "--yes")["reason"] == "Enough."
    view = end(tenant, view)
    name = view["pending_approval"]
    assert pentad("escalate", name, "--to", "board")["group"] == "board"
    assert pentad("answer", name, "I take over.")["status"] == "answered"
    assert tenant.settle(view["run_id"], after=name)["answer"] == "I take over."
    assert [one["title"] for one in tenant.notes()] == ["Tar"]
    assert pentad("approvals", name)["changes"][0]["group"] == "clerks"


def test_the_command_line_says_what_is_wrong_and_exits_so(stack: Stack, tenant: Tenant) -> None:
    view = begin(tenant, "clerk", note())
    where = ["--url", stack.url, "--key", tenant.token]
    wrong = CliRunner().invoke(app, [*where, "answer", view["pending_approval"], "42"])
    assert (wrong.exit_code, "use approve, edit or reject" in wrong.output) == (1, True)
    assert CliRunner().invoke(app, [*where, "edit", view["pending_approval"]]).exit_code == 2


class Inbox:
    """All that goes to the stage's topic.

    Args:
        stack: the stack.
    """

    def __init__(self, stack: Stack) -> None:
        self._sqs = stack.aws("sqs")
        self._url = self._sqs.create_queue(QueueName=word("inbox-"))["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        topic = stack.outputs["NoticeTopic"]
        stack.aws("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        self._seen: list[str] = []

    def about(self, reference: str) -> list[str]:
        """Return the messages that name an approval."""
        while found := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
                self._seen.append(json.loads(message["Body"])["Message"])
        return [text for text in self._seen if reference in text]


@pytest.fixture(scope="module")
def slack(own: OwnProject) -> Iterator[Slack]:
    """Slack, where the stack's secret says it is."""
    with Slack().serving() as running:
        addresses = {
            "default": f"{running.url}/hook",
            "throttled": f"{running.url}/throttled",
            "gone": f"{running.url}/status/404",
        }
        own.stack.aws("secretsmanager").put_secret_value(
            SecretId=own.stack.outputs["SlackSecret"], SecretString=json.dumps(addresses)
        )
        own.stack.aws("sesv2").create_email_identity(EmailIdentity="pentad@example.com")
        yield running


def announce(stack: Stack, **values: Any) -> str:
    """Put the event of an approval that is no run's on the bus, and return its reference."""
    name = f"apr_{word('0')[:12]:0<26}_00001"
    detail = {
        "tenant": "notices",
        "approval": name,
        "run": "run_" + "0" * 26,
        "agent": "clerk",
        "kind": "calls",
        "group": "clerks",
        "event": "requested",
        "number": "0-0",
        "status": "pending",
        "expires_at": "2030-01-01T00:00:00Z",
    } | values
    put(stack, detail)
    return name


def put(stack: Stack, detail: Json) -> None:
    entry = {
        "Source": "pentad",
        "DetailType": f"pentad.approval.{detail['event']}",
        "Detail": json.dumps(detail),
        "EventBusName": stack.outputs["EventBus"],
    }
    assert stack.aws("events").put_events(Entries=[entry])["FailedEntryCount"] == 0


def emails(stack: Stack) -> float:
    return float(stack.aws("ses").get_send_quota()["SentLast24Hours"])


def test_a_group_is_told_by_every_channel_and_of_nothing_but_the_link(
    stack: Stack, tenant: Tenant, slack: Slack
) -> None:
    inbox, before = Inbox(stack), emails(stack)
    view = begin(tenant, "clerk", note(text="the secret recipe"), says("Saved."))
    name = view["pending_approval"]
    until(lambda: slack.about(name) and inbox.about(name) and emails(stack) > before, "the notices")
    decided(tenant.decide(name, "approve"))
    assert end(tenant, view)["status"] == "succeeded"
    until(lambda: len(slack.about(name)) == 2 and len(inbox.about(name)) == 2, "the notices of the decision")
    told = [*slack.about(name), *inbox.about(name)]
    assert all(f"{stack.url}/v1/approvals/{name}" in text for text in told)
    assert not any("recipe" in text or "Oil" in text for text in told)


def test_a_reminder_is_sent_and_the_task_can_still_be_woken(stack: Stack, tenant: Tenant, slack: Slack) -> None:
    view = begin(tenant, "clerk", note(), says("Saved."))
    name = view["pending_approval"]
    patch(stack, tenant, name, created_at=moved(shown(tenant, view)["created_at"], -61))
    event = {"op": "expire", "tenant": tenant.name, "run": view["run_id"], "agent": "clerk", "step": 1}
    for _ in range(2):
        answer = stack.aws("lambda").invoke(FunctionName="pentad-dev-await-human", Payload=json.dumps(event))
        output = json.loads(answer["Payload"].read())
        assert (output["kind"], output["step"]) == ("approve", 1)
        assert 0 < output["wait"] <= 60
    until(lambda: any("Reminder" in text for text in slack.about(name)), "the reminder")
    assert shown(tenant, view)["reminded"] == 1
    decided(tenant.decide(name, "approve"))
    assert end(tenant, view)["status"] == "succeeded"
    assert sum("Reminder" in text for text in slack.about(name)) == 1


def test_a_redelivered_event_is_told_once(stack: Stack, slack: Slack) -> None:
    inbox = Inbox(stack)
    name = announce(stack)
    until(lambda: slack.about(name), "the notice")
    announce(stack, approval=name)
    other = announce(stack, approval=name, event="reminded", number="0-1")
    assert other != name
    until(lambda: len(slack.about(name)) == 2, "the reminder")
    assert len(inbox.about(name)) == 2


def test_slack_that_asks_to_wait_is_asked_again(stack: Stack, slack: Slack) -> None:
    name = announce(stack, group="throttled")
    until(lambda: slack.about(name), "the notice")
    assert slack.tries.count("/throttled") >= 2


def test_a_channel_that_fails_hinders_no_other_and_ends_in_the_dead_letter_queue(
    own: OwnProject, stack: Stack, slack: Slack, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = Inbox(stack)
    name = announce(stack, group="gone")
    until(lambda: inbox.about(name), "the notice by the topic")
    sqs, url = stack.aws("sqs"), stack.queue_url("notices-dlq")

    def dead() -> bool:
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return any(name in message["Body"] for message in found)

    until(dead, "the dead letter")
    assert len(inbox.about(name)) == 1
    assert slack.about(name) == []
    monkeypatch.chdir(own.folder)
    listed = CliRunner().invoke(app, ["--json", "runs", "failed"])
    assert json.loads(listed.stdout)["notices_undelivered"] >= 1


def read_logs(stack: Stack) -> str:
    """Return all that functions and state machines have logged so far."""
    logs = stack.aws("logs")
    pages = (
        page
        for group in list_log_groups(logs)
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group)
    )
    return "\n".join(event["message"] for page in pages for event in page["events"])


def test_the_task_token_is_in_nothing_that_anyone_is_shown(stack: Stack, tenant: Tenant, slack: Slack) -> None:
    inbox = Inbox(stack)
    view = begin(tenant, "clerk", note(), says("Saved."))
    run, name = view["run_id"], view["pending_approval"]
    text = json.dumps(stack.history(run), default=str)
    token = next(part for part in text.replace('\\\\"', '"').replace('\\"', '"').split('"') if len(part) > 100)
    until(lambda: slack.about(name) and inbox.about(name), "the notices")
    paths = (f"/v1/runs/{run}", f"/v1/runs/{run}/events", f"/v1/runs/{run}/trace", "/v1/approvals")
    answers = [json.dumps(tenant.get(path)) for path in (*paths, f"/v1/approvals/{name}")]
    answers.append(tenant.decide(name, "approve").text)
    end(tenant, view)
    stored = json.dumps(stack.items(tenant.name), default=repr)
    told = [*slack.about(name), *inbox.about(name)]
    logged = read_logs(stack)
    assert name in logged
    assert not [one for one in (*answers, *told, stored, logged) if token in one]
