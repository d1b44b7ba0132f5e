"""``pentad runs cancel``, ``failed`` and ``redrive``."""

import json
import time
import uuid
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from pentad.api.acts.subjects import REDRIVES
from pentad.cli import operator
from pentad.cli.commands.operations.acts import record_act
from pentad.cli.console import EXIT_USAGE, OPTIONS, OUT, CommandError, handle_errors, print_json, refuse_options
from pentad.cli.screen import Grid, format_count
from pentad.cli.show import format_time, print_run
from pentad.cli.target import create_api_client
from pentad.domain.reading.json_text import read_json

Json = dict[str, Any]
FAILED_RUNS, RUNS, RUNS_DLQ, NOTICES_DLQ = "failed-runs-dlq", "runs", "runs-dlq", "notices-dlq"
LIFECYCLE, LIFECYCLE_DLQ = "lifecycle", "lifecycle-dlq"
_BATCH = 10
_HIDDEN_SECONDS = 60
_WAIT_SECONDS = 30.0
_PAUSE_SECONDS = 0.5
_TRIGGER_SECONDS = 60.0
_MOST_REDRIVEN = 100

Limit = Annotated[int, typer.Option(min=1, max=1000, help="Maximum number of runs.")]


def cancel(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="The run's id.")],
    reason: Annotated[str | None, typer.Option(help="Why; kept with the run.")] = None,
) -> None:
    """Cancel a run, and the runs of its steps; its session is free at once."""
    with handle_errors():
        view = create_api_client().call("POST", f"/v1/runs/{run_id}/cancel", body={"reason": reason} if reason else {})
        if OPTIONS.json:
            print_json(view)
        else:
            print_run(OUT, view)


def list_failed(limit: Limit = 100, stage: operator.Stage = None) -> None:
    """List failed runs that can go on, messages that started none, and how many notices reached nobody."""
    with handle_errors():
        queues = _Queues(stage)
        listed = queues.read_bodies(FAILED_RUNS, limit)
        runs = [_build_failed_view(one["detail"]) for one in _drop_duplicates(listed)]
        bodies = [body for name in (RUNS_DLQ, LIFECYCLE_DLQ) for body in queues.read_bodies(name, limit)]
        stuck = [_build_stuck_view(body) for body in bodies]
        lost = queues.count_messages(NOTICES_DLQ)
        if OPTIONS.json:
            print_json({"runs": runs, "messages": stuck, "notices_undelivered": lost})
            return
        OUT.print(_build_grid(_drop_sessions(runs)) if runs else "No run has failed.")
        if stuck:
            messages = format_count(len(stuck), "message")
            OUT.print(f"{messages} started no run; send again with `pentad runs redrive --all`:")
            OUT.print(_build_grid(stuck))
        if lost:
            notices = format_count(lost, "notice")
            OUT.print(f"{notices} could not be delivered on a channel: see '{NOTICES_DLQ}'.")


def redrive(
    run_id: Annotated[str | None, typer.Argument(metavar="[RUN]", help="A failed run.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="All failed runs, and all messages that never started a run.")
    ] = False,
    limit: Annotated[
        int | None, typer.Option(min=1, max=1000, help="With --all: maximum number of each. Default: 100.")
    ] = None,
    stage: operator.Stage = None,
) -> None:
    """Let failed runs go on where they stopped. A failed run is redriven once, however often you ask."""
    with handle_errors():
        if everything == (run_id is not None):
            raise CommandError("name a failed run, or use --all", code=EXIT_USAGE)
        if run_id is not None:
            refuse_options("with a run's id", limit=limit is not None)
        queues, most = _Queues(stage), limit or _MOST_REDRIVEN
        report = [_redrive_run(stage, queues, one) for one in _take_failed(queues, run_id, most)]
        sent = queues.send_again(most) if everything else 0
        for one in report:
            one["status"] = _wait_for_status(stage, one)
        if OPTIONS.json:
            print_json({"runs": report, "messages_sent_again": sent})
            return
        OUT.print(_build_grid(report) if report else "No failed run to redrive.")
        if everything:
            OUT.print(f"{format_count(sent, 'message')} sent again.")


class _Queues:
    """The queues of a deployment, as an operator sees them."""

    def __init__(self, stage: str | None) -> None:
        self._client = operator.create_client("sqs", stage)
        self._lambda = operator.create_client("lambda", stage, read_timeout=_TRIGGER_SECONDS)
        self._stage = stage or operator.TWIN_STAGE
        self._urls: dict[str, str] = {}  # of six queues at most

    def get_url(self, name: str) -> str:
        """Return a queue's address."""
        if name not in self._urls:
            reply = self._client.get_queue_url(QueueName=f"pentad-{self._stage}-{name}")
            self._urls[name] = str(reply["QueueUrl"])
        return self._urls[name]

    def count_messages(self, name: str) -> int:
        """Return about how many messages a queue holds."""
        wanted = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        reply = self._client.get_queue_attributes(QueueUrl=self.get_url(name), AttributeNames=wanted)
        return sum(int(reply["Attributes"][one]) for one in wanted)

    def take_messages(self, name: str, limit: int) -> Iterator[Json]:
        """Yield at most so many messages; each is hidden from others for a while."""
        url, seen = self.get_url(name), 0
        while seen < limit:
            reply = self._client.receive_message(
                QueueUrl=url, MaxNumberOfMessages=min(_BATCH, limit - seen), VisibilityTimeout=_HIDDEN_SECONDS
            )
            messages = reply.get("Messages", [])
            if not messages:
                return
            seen += len(messages)
            yield from messages

    def read_bodies(self, name: str, limit: int) -> list[Json]:
        """Return the bodies of messages, which stay in the queue."""
        taken = list(self.take_messages(name, limit))
        for one in taken:
            self.release_message(name, one)
        return [_parse_body(one) for one in taken]

    def send(self, name: str, body: str) -> None:
        """Put a message into a queue."""
        self._client.send_message(QueueUrl=self.get_url(name), MessageBody=body)

    def tell_trigger(self, body: str) -> bool:
        """Hand a message of the lifecycle queue to its function, and tell whether it did what the message says.

        The queue itself takes messages from the stack alone, whatever the rights of an operator are.
        """
        wanted = {"QueueUrl": self.get_url(LIFECYCLE), "AttributeNames": ["QueueArn"]}
        record = {
            "messageId": str(uuid.uuid4()),
            "receiptHandle": "an operator's",
            "body": body,
            "attributes": {"ApproximateReceiveCount": "1"},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": self._client.get_queue_attributes(**wanted)["Attributes"]["QueueArn"],
        }
        reply = self._lambda.invoke(
            FunctionName=f"pentad-{self._stage}-trigger", Payload=json.dumps({"Records": [record]}).encode()
        )
        answer = json.loads(reply["Payload"].read() or b"null")
        return not reply.get("FunctionError") and isinstance(answer, dict) and not answer.get("batchItemFailures")

    def release_message(self, name: str, message: Json) -> None:
        """Let others see a message that was taken."""
        self._client.change_message_visibility(
            QueueUrl=self.get_url(name), ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
        )

    def delete_message(self, name: str, message: Json) -> None:
        """Delete a message."""
        self._client.delete_message(QueueUrl=self.get_url(name), ReceiptHandle=message["ReceiptHandle"])

    def send_again(self, limit: int) -> int:
        """Send the messages that started no run again, under the key they had, and return how many there were."""
        count = 0
        for message in self.take_messages(RUNS_DLQ, limit):
            self.send(RUNS, message["Body"])  # Its signature makes it one request, however often it is sent.
            self.delete_message(RUNS_DLQ, message)
            count += 1
        for message in self.take_messages(LIFECYCLE_DLQ, limit):
            if self.tell_trigger(message["Body"]):
                self.delete_message(LIFECYCLE_DLQ, message)
                count += 1
        return count


def _take_failed(queues: _Queues, run_id: str | None, limit: int) -> Iterator[Json]:
    """Yield the messages of the failed runs that are to go on, each run once."""
    seen: set[str] = set()
    for message in queues.take_messages(FAILED_RUNS, limit if run_id is None else 1000):
        detail = _parse_body(message).get("detail", {})
        if run_id is None or detail.get("run") == run_id:
            if detail.get("run") not in seen:
                seen.add(str(detail.get("run")))
                yield message
            else:
                queues.delete_message(FAILED_RUNS, message)
        else:
            queues.release_message(FAILED_RUNS, message)
    if run_id is not None and run_id not in seen:
        raise CommandError(f"'{run_id}' is not a failed run; list them with `pentad runs failed`")


def _redrive_run(stage: str | None, queues: _Queues, message: Json) -> Json:
    from pentad.orchestration.lifecycle.queue_messages import build_redrive_message
    from pentad.orchestration.lifecycle.redrive import redriven_id

    detail = _parse_body(message)["detail"]
    tenant_id, run_id = str(detail["tenant"]), str(detail["run"])
    body = build_redrive_message(tenant_id, run_id)
    with record_act(stage, REDRIVES, "redrive_run", run_id, tenant_id=tenant_id):
        if not queues.tell_trigger(body):
            queues.send(LIFECYCLE_DLQ, body)  # Kept for `redrive --all`; the function's log says why.
        queues.delete_message(FAILED_RUNS, message)
    return {"tenant": tenant_id, "run_id": run_id, "goes_on_as": redriven_id(tenant_id, run_id)}


def _wait_for_status(stage: str | None, one: Json) -> str:
    """Return how the run stands that goes on, once it is there."""
    from pentad.domain import keys

    table = operator.open_table(stage, "StateTable")
    end = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < end:
        item = table.get(keys.run_pk(one["tenant"], one["goes_on_as"]), keys.META)
        if item is not None:
            return str(item["status"])
        time.sleep(_PAUSE_SECONDS)
    return "not started yet"


def _parse_body(message: Json) -> Json:
    try:
        found = read_json(message["Body"])
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _drop_duplicates(bodies: list[Json]) -> list[Json]:
    """Return one message of each run: the event of an end may come twice."""
    return list({one["detail"]["run"]: one for one in bodies if "run" in one.get("detail", {})}.values())


def _build_failed_view(detail: Json) -> Json:
    others = {name: detail.get(name) for name in ("agent", "session", "steps", "ended_at", "error")}
    return {"tenant": detail.get("tenant"), "run_id": detail.get("run"), **others}


def _build_stuck_view(body: Json) -> Json:
    detail = body.get("detail", body)
    if "signed" in detail:
        _, _, name = str(detail.get("key", "")).partition(".")
        detail = _parse_body({"Body": detail["signed"]}) | {"tenant": name.partition(".")[0]}
    return {name: detail.get(name) for name in ("tenant", "agent", "run", "session")}


def _drop_sessions(runs: list[Json]) -> list[Json]:
    """Return failed runs without their sessions, so that a terminal has room for what went wrong; --json has both."""
    shown = [{name: value for name, value in run.items() if name != "session"} for run in runs]
    return [
        run | {"ended_at": format_time(run["ended_at"], "%m-%d %H:%M")} if run["ended_at"] else run for run in shown
    ]


def _build_grid(rows: list[Json]) -> Grid:
    grid = Grid()
    for heading in rows[0]:
        grid.add_column(heading.replace("_", " "), no_wrap=heading != "error")
    for row in rows:
        grid.add_row(*("" if cell is None else str(cell) for cell in row.values()))
    return grid
