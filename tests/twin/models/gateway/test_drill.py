"""The drill on the deployed gateway: by command and by schedule, what it records, what it measures."""

import json
from typing import Any

import pytest

from pentad.aws.table import Table
from pentad.domain import keys
from pentad.models.catalog.catalog import load
from pentad.models.drill.ports import DrillResult
from tests.twin.models.gateway.conftest import Command, breaker_of
from tests.twin.stack.world import Stack, plain, until

pytestmark = [pytest.mark.twin, pytest.mark.xdist_group("models-own")]


def metrics(stack: Stack, name: str) -> list[dict[str, Any]]:
    """Return the metric documents of the gateway that hold a metric, the oldest first."""
    logs = stack.aws("logs")
    found = []
    for stream in logs.describe_log_streams(logGroupName="/aws/lambda/pentad-dev-gateway")["logStreams"]:
        events = logs.get_log_events(
            logGroupName="/aws/lambda/pentad-dev-gateway", logStreamName=stream["logStreamName"], limit=10_000
        )["events"]
        lines = [event["message"] for event in events if event["message"].lstrip().startswith("{")]
        found += [document for line in lines if name in (document := json.loads(line)) and "_aws" in document]
    return sorted(found, key=lambda document: document["_aws"]["Timestamp"])


def list_drills(stack: Stack) -> list[DrillResult]:
    """Return the results that are kept, the oldest first."""
    table = Table(stack.aws("dynamodb"), stack.outputs["TransientTable"])
    return [DrillResult.model_validate_json(item["body"]) for item in table.iter_items(keys.DRILL)]


def links(shown: Any) -> dict[tuple[str, int], dict[str, Any]]:
    return {(one["tier"], one["link"]): one for one in shown["links"]}


def test_a_drill_asks_each_model_once_and_shows_each_link_of_each_chain(stack: Stack, command: Command) -> None:
    stack.simulator.reset()
    code, shown = command("drill", "fallback")
    assert code == 0
    catalog = load()
    every = {(tier, link) for tier, entry in catalog.tiers.items() for link in range(len(entry.chain))}
    assert set(links(shown)) == every
    assert all(one["ok"] and one["outcome"] == "ok" for one in shown["links"])
    requests = stack.simulator.list_requests()
    # What is made after the runs of other tests may be embedded meanwhile; nothing is as short as the drill's word.
    shortest = min(one["request_bytes"] for one in requests if one["path"].endswith("/embeddings"))
    asked = [
        one["model"] for one in requests if not one["path"].endswith("/embeddings") or one["request_bytes"] == shortest
    ]
    assert sorted(asked) == sorted(model.id for model in catalog.used_models)


def test_a_broken_provider_fails_the_drill_and_its_links_metric_is_zero(stack: Stack, command: Command) -> None:
    stack.simulator.add_faults({"kind": "status", "status": 401, "provider": "anthropic", "path": "/v1/messages"})
    code, shown = command("drill", "fallback")
    assert code == 1
    broken = {one["model"] for one in shown["links"] if not one["ok"]}
    assert broken == {"claude-sonnet-5-5", "claude-haiku-5-5"}
    assert {one["outcome"] for one in shown["links"] if not one["ok"]} == {"authentication"}

    def last_values() -> dict[str, float] | None:
        values = {one["model"]: one["DrillLink"][-1] for one in metrics(stack, "DrillLink") if "model" in one}
        return values if values.get("claude-sonnet-5-5") == 0 else None

    values = until(last_values, "the metric of the broken link")
    assert (values["claude-haiku-5-5"], values["gpt-6.1-sol"]) == (0, 1)


def test_results_and_attempts_of_drills_are_kept(stack: Stack, command: Command) -> None:
    _, shown = command("drill", "fallback")
    kept = list_drills(stack)[-1]
    assert kept.model_dump(mode="json") == shown
    scanned = stack.aws("dynamodb").scan(TableName=stack.outputs["LedgerTable"], ConsistentRead=True)["Items"]
    drills = [item for item in map(plain, scanned) if item["pk"].startswith("T#SYS#D#") and item["type"] == "attempt"]
    assert len(drills) >= len(load().used_models)


def test_a_drill_reports_to_the_breaker_and_is_not_stopped_by_it(stack: Stack, command: Command) -> None:
    name = "openai/gpt-6.1-sol"
    breaker = breaker_of(stack)
    breaker._store.put(breaker._store.get(name).with_changes(opened_at=1.0, open_until=9e9, trips=1))
    code, _ = command("drill", "fallback")
    assert code == 0
    assert breaker.get_all()[name].open_until == 0


def test_the_schedules_event_runs_a_drill(stack: Stack) -> None:
    before = list_drills(stack)
    rule = stack.aws("events").describe_rule(Name="pentad-dev-drill")
    [target] = stack.aws("events").list_targets_by_rule(Rule="pentad-dev-drill")["Targets"]
    assert rule["ScheduleExpression"].startswith("cron(")
    stack.aws("lambda").invoke(FunctionName=target["Arn"], InvocationType="Event", Payload=target["Input"].encode())
    until(lambda: len(list_drills(stack)) > len(before), "a drill")
