"""``pentad audit``: what it shows, what it finds, and that keys are made under its eyes; over moto's services."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from moto import mock_aws
from typer.testing import CliRunner

from pentad.api.acts.adapters.acts_dynamodb import DynamoActs
from pentad.api.acts.ports import Act
from pentad.api.acts.subjects import KEYS
from pentad.aws.sealed import HEAD, Linked, SealedLog
from pentad.aws.table import Table
from pentad.cli import operator
from pentad.cli.commands.operations import acts, audit, keys
from pentad.domain.errors import StoreUnavailable
from pentad.domain.keys import acts_pk, audit_pk, ledger_day_pk, run_pk
from pentad.domain.models import Attempt, CallContext, Outcome
from pentad.domain.runs import Actor
from pentad.models.ledger.adapters.ledger_dynamodb import DynamoDBLedger
from pentad.models.remote.adapters.mac_kms import KmsMacKey
from pentad.observability.adapters.memory import MemoryTelemetry
from pentad.runtime.wiring.ground.audit import make_attempt_log
from pentad.tools.runtime.adapters.audit_dynamodb import DynamoAudit
from pentad.tools.runtime.ports import AuditEntry
from tests.moto_clients import client, table

AT = datetime(2026, 3, 1, tzinfo=UTC)
RUN = "run_" + "0" * 26
APPROVAL = "apr_" + "0" * 26 + "_00001"


class Deployment:
    """Tables, key and logs of a deployment."""

    def __init__(self) -> None:
        table("state")
        self.ledger = Table(table("ledger", index=True), "ledger")
        self.state = Table(client("dynamodb"), "state")
        kms = client("kms")
        made = kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]
        client("s3").create_bucket(Bucket="anchors", ObjectLockEnabledForBucket=True)
        self.outputs = {"StateTable": "state", "LedgerTable": "ledger", "AuditKey": made["Arn"]}
        self.outputs["AnchorBucket"] = "anchors"
        self.key = KmsMacKey(kms, made["Arn"])
        self.logs = client("logs")
        for name in ("run-tool", "api", "gateway"):
            self.logs.create_log_group(logGroupName=f"/aws/lambda/pentad-dev-{name}")
            self.logs.create_log_stream(logGroupName=f"/aws/lambda/pentad-dev-{name}", logStreamName="s")

    def list_acts(self, tenant_id: str | None, subject: str) -> list[Act]:
        """Return what stands in the ledger of what people did, in the order in which it was written."""
        items = [item for item in self.ledger.iter_items(acts_pk(tenant_id, subject)) if item["sk"] != HEAD]
        return [Act.model_validate_json(item["body"]) for item in sorted(items, key=lambda item: int(item["number"]))]

    def write_run(self) -> None:
        """A run with a call that a person approved, as its functions leave it."""
        DynamoActs(self._make_log("api")).append(make_act("asked"))
        DynamoActs(self._make_log("api")).append(make_act("ended", status=200))
        DynamoAudit(self.ledger, self._make_log("run-tool")).append(make_entry(0), make_entry(1))
        run = run_pk("acme", RUN)
        for index in (0, 1):
            call = {"step": 1, "index": index}
            item = {"pk": run, "sk": f"CALL#00001#0{index}", "type": "call", "status": "succeeded"}
            self.state.put(item | {"body": json.dumps(call)})
        body = {"approval": APPROVAL, "decider": {"key_id": "k"}}
        self.state.put({"pk": run, "sk": "APPROVAL#00001", "type": "approval", "body": json.dumps(body)})

    def write_attempts(self, run_id: str | None = RUN) -> Attempt:
        """An attempt that was sent and one that was not, as the gateway leaves them; return the one that was sent."""
        telemetry = MemoryTelemetry()
        ledger = DynamoDBLedger(self.ledger, tell=make_attempt_log(telemetry))
        sent = make_attempt("att_1", run_id)
        for one in (sent, make_attempt("att_2", run_id)):
            ledger.begin(one.model_copy(update={"outcome": Outcome.BEGUN}))
        ledger.record(sent)
        ledger.record(sent)
        ledger.cancel(make_attempt("att_2", run_id))
        for event in telemetry.events:
            self._tell("gateway", {"event": event.name, **event.fields})
        return sent

    def _make_log(self, function: str) -> SealedLog:
        def tell(linked: Linked) -> None:
            line = {"event": "audit.written", "chain": linked.pk, "number": linked.number, "hash": linked.digest}
            self._tell(function, line)

        return SealedLog(self.ledger, self.key, tell=tell)

    def _tell(self, function: str, line: dict[str, Any]) -> None:
        event: Any = {"timestamp": int(datetime.now(UTC).timestamp() * 1000), "message": json.dumps(line)}
        group = f"/aws/lambda/pentad-dev-{function}"
        self.logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=[event])


def make_attempt(attempt_id: str, run_id: str | None) -> Attempt:
    return Attempt(
        attempt_id=attempt_id,
        context=CallContext(tenant_id="acme", run_id=run_id, user_id="ann"),
        provider="anthropic",
        model="claude-sonnet-5-5",
        tier="primary",
        link=0,
        number=1,
        outcome=Outcome.OK,
        started_at=AT,
        duration_ms=5,
        cost_nanousd=10**15,
    )


def make_act(step: str, **values: Any) -> Act:
    fields = {"tenant": "acme", "subject": RUN, "name": "decide_approval", "target": f"/v1/approvals/{APPROVAL}"}
    actor = Actor(key_id="k", person="ann", user_id="ann", at=AT, source_ip="10.0.0.1")
    return Act.model_validate(
        {**fields, "stage": step, "actor": actor, "request_id": "q", "groups": ("leads",), **values}
    )


def make_entry(index: int) -> AuditEntry:
    fields = {"tenant": "acme", "run": RUN, "step": 1, "index": index, "agent": "helper", "tool": "notes"}
    rest = {"action": "executed", "arguments_hash": "h", "outcome": "ok", "at": AT, "duration_ms": 3, "request_id": "q"}
    return AuditEntry.model_validate(fields | rest)


@pytest.fixture
def deployment(monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    with mock_aws():
        found = Deployment()
        monkeypatch.setattr(operator, "create_client", lambda service, stage: client(service))
        monkeypatch.setattr(operator, "get_output", lambda stage, name: found.outputs[name])
        yield found


def run_command(*arguments: str) -> tuple[int, str]:
    reply = CliRunner().invoke(audit.app, [*arguments, "--tenant", "acme"])
    return reply.exit_code, " ".join(reply.output.split())


@pytest.mark.parametrize("options", [(), ("--logs",)])
def test_a_run_whose_audit_is_whole_is_said_to_be(deployment: Deployment, options: tuple[str, ...]) -> None:
    deployment.write_run()
    assert run_command("verify", RUN, *options) == (0, f"4 entries of {RUN} checked: none was changed")


def test_it_is_shown_who_did_what_from_where(deployment: Deployment) -> None:
    deployment.write_run()
    code, shown = run_command("show", RUN)
    assert code == 0
    for part in ("decide_approval", "asked", "200", "ann", "10.0.0.1", "groups leads", "executed notes"):
        assert part in shown


def test_an_entry_that_was_changed_is_named(deployment: Deployment) -> None:
    deployment.write_run()
    pk = acts_pk("acme", RUN)
    act = next(deployment.ledger.iter_items(pk, begins="ACT#q#asked"))
    deployment.ledger.put(act | {"body": make_act("asked", name="cancel_run").model_dump_json()})
    code, shown = run_command("verify", RUN)
    assert code == 1
    assert f"{pk}: entry 1" in shown and "was changed" in shown


def test_an_audit_that_is_gone_shows_by_the_runs_calls_and_decisions(deployment: Deployment) -> None:
    deployment.write_run()
    for pk in (acts_pk("acme", RUN), audit_pk("acme", RUN)):
        for item in deployment.ledger.iter_items(pk):
            deployment.ledger.delete(pk, item["sk"])
    code, shown = run_command("verify", RUN)
    assert code == 1
    assert "call 0 of step 1 has ended, and is not in the audit" in shown
    assert f"approval '{APPROVAL}' was decided, and that is not in the audit" in shown


def test_an_entry_that_asks_stands_for_no_end(deployment: Deployment) -> None:
    deployment.write_run()
    pk = audit_pk("acme", RUN)
    for item in deployment.ledger.iter_items(pk):
        deployment.ledger.delete(pk, item["sk"])
    asked = make_entry(0).model_copy(update={"action": "asked"})
    DynamoAudit(deployment.ledger, SealedLog(deployment.ledger, deployment.key)).append(asked)
    code, shown = run_command("verify", RUN)
    assert code == 1
    assert "call 0 of step 1 has ended, and is not in the audit" in shown


def test_an_older_end_and_a_history_signed_anew_show_by_the_functions_log(deployment: Deployment) -> None:
    deployment.write_run()
    pk = acts_pk("acme", RUN)
    for item in deployment.ledger.iter_items(pk):
        deployment.ledger.delete(pk, item["sk"])
    SealedLog(deployment.ledger, deployment.key).append(pk, [{"sk": "ACT#q#asked", "type": "act", "body": "{}"}])
    assert deployment.ledger.get(pk, HEAD) is not None
    code, shown = run_command("verify", RUN, "--logs")
    assert code == 1
    assert f"{pk}: entry 1 differs from the logged one" in shown
    assert f"{pk}: entry 2 was logged but is missing" in shown


def test_an_entry_that_no_function_told_of_is_named(deployment: Deployment) -> None:
    deployment.write_run()
    pk = audit_pk("acme", RUN)
    SealedLog(deployment.ledger, deployment.key).append(pk, [{"sk": "AUDIT#z", "type": "audit", "body": "{}"}])
    code, shown = run_command("verify", RUN, "--logs")
    assert (code, "no log line for entry 3" in shown) == (1, True)


@pytest.mark.parametrize(("run_id", "subject"), [(RUN, RUN), (None, "2026-03-01")])
def test_attempts_are_held_against_the_gateways_log(deployment: Deployment, run_id: str | None, subject: str) -> None:
    sent = deployment.write_attempts(run_id)
    code, shown = run_command("verify", subject, "--logs")
    assert (code, "4 entries" in shown) == (0, True)
    # A gateway that was taken over makes its own record of a call cheaper, without its code's condition.
    pk = ledger_day_pk("acme", "2026-03-01") if run_id is None else run_pk("acme", run_id)
    [item] = [one for one in deployment.ledger.iter_items(pk) if one["sk"].endswith("att_1")]
    cheaper = sent.model_copy(update={"cost_nanousd": 1}).model_dump_json(exclude_none=True)
    deployment.ledger.put(item | {"body": cheaper, "cost_nanousd": 1})
    code, shown = run_command("verify", subject, "--logs")
    assert code == 1
    assert "att_1' differs from the logged attempt" in shown
    assert "att_2" not in shown


def test_an_attempt_that_is_told_of_twice_or_never_or_that_is_gone_is_named(deployment: Deployment) -> None:
    deployment.write_attempts()
    pk = run_pk("acme", RUN)
    [item] = [one for one in deployment.ledger.iter_items(pk) if one["sk"].endswith("att_2#VOID")]
    deployment.ledger.delete(pk, item["sk"])
    deployment.ledger.put(item | {"sk": "ATTEMPT#z"})
    line = {"event": "attempt.written", "place": pk, "hash": "0" * 64}
    [begun] = [one for one in deployment.ledger.iter_items(pk) if one["sk"].endswith("att_2#BEGUN")]
    deployment._tell("gateway", {**line, "item": begun["sk"]})
    code, shown = run_command("verify", RUN, "--logs")
    assert code == 1
    assert "att_2#VOID' was logged but is missing" in shown
    assert "no log line for 'ATTEMPT#z'" in shown
    assert "att_2#BEGUN' differs from the logged attempt" in shown


def test_attempts_outside_of_runs_are_checked_by_the_log_only(deployment: Deployment) -> None:
    code, shown = run_command("verify", "2026-03-01")
    assert (code, "add --logs" in shown) == (2, True)


def test_a_key_is_made_and_revoked_in_the_audit(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    from pentad.api.identity.adapters.keys_dynamodb import DynamoKeys

    monkeypatch.setattr(keys, "open_store", lambda stage: DynamoKeys(deployment.state))
    runner = CliRunner()
    assert runner.invoke(keys.app, ["--tenant", "acme"]).output == "Tenant 'acme' has no API keys.\n"
    made = runner.invoke(keys.app, ["create", "--tenant", "acme", "--name", "ci"])
    key_id = made.output.split(".")[2]
    assert runner.invoke(keys.app, ["revoke", key_id, "--tenant", "acme"]).exit_code == 0
    found = deployment.list_acts("acme", KEYS)
    assert [(act.name, act.stage, act.target) for act in found] == [
        ("create_key", "asked", "ci"),
        ("create_key", "ended", key_id),
        ("revoke_key", "asked", key_id),
        ("revoke_key", "ended", key_id),
    ]
    assert {act.actor.person for act in found} == {"local"}
    assert run_command("verify", KEYS) == (0, "4 entries of keys checked: none was changed")


def test_a_key_that_can_not_be_recorded_is_not_made(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    from pentad.api.identity.adapters.keys_dynamodb import DynamoKeys

    def fail(*_: Any) -> None:
        raise StoreUnavailable("the ledger did not answer")

    store = DynamoKeys(deployment.state)
    monkeypatch.setattr(keys, "open_store", lambda stage: store)
    monkeypatch.setattr(acts, "append_act", fail)
    assert CliRunner().invoke(keys.app, ["create", "--tenant", "acme"]).exit_code != 0
    assert store.list("acme") == []
