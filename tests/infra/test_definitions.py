"""State machines as synthesized: error names against the error tree, retries, payloads, bounds."""

import json
import re
from typing import Any

from infra.orchestration.machines.reply import build_reply_definition
from infra.orchestration.tasks import ENGINE_ERRORS, LAMBDA_ERRORS, MODELS_THROTTLED, THROTTLED, TOOL_BUSY
from pentad.domain import errors
from pentad.memory.documents.claims import CLAIM_SECONDS
from tests.infra.conftest import joined, states_of
from tests.recordings import CATALOG, definition_of
from twin.machine.jsonata.evaluator import evaluate

Json = dict[str, Any]


def names_in(definition: Json) -> set[str]:
    return {
        name
        for _, state in states_of(definition)
        for rule in (*state.get("Retry", []), *state.get("Catch", []))
        for name in rule["ErrorEquals"]
    }


def test_every_error_name_is_in_the_error_tree_or_of_aws(definitions: dict[str, Json]) -> None:
    ours = {leaf.__name__ for leaf in errors.iter_leaves()}
    for name, definition in definitions.items():
        foreign = names_in(definition) - ours - set(LAMBDA_ERRORS) - set(ENGINE_ERRORS)
        assert all(error.startswith("States.") for error in foreign), f"{name}: {sorted(foreign)}"


def test_every_task_retries_every_transient_error(definitions: dict[str, Json]) -> None:
    for definition in definitions.values():
        tasks = [(name, state) for name, state in states_of(definition) if state["Type"] == "Task"]
        assert tasks
        for name, state in tasks:
            retried = {error for rule in state["Retry"] for error in rule["ErrorEquals"]}
            assert set(errors.transient_names()) <= retried, name


SNAP_START = ("SnapStartException", "SnapStartNotReadyException", "SnapStartTimeoutException")


def test_every_invocation_retries_a_snapshot_that_is_not_ready(machines: dict[str, Json]) -> None:
    wanted = {f"Lambda.{name}" for name in (*SNAP_START, "ClientExecutionTimeoutException")}
    for machine, definition in machines.items():
        tasks = [(name, state) for name, state in states_of(definition) if "lambda:invoke" in state.get("Resource", "")]
        assert tasks
        for name, state in tasks:
            retried = {error for rule in state["Retry"] for error in rule["ErrorEquals"]}
            assert wanted <= retried, f"{machine}: {name}"


def test_every_invocation_of_a_run_waits_for_concurrency_for_minutes(definitions: dict[str, Json]) -> None:
    for machine, definition in definitions.items():
        tasks = [(name, state) for name, state in states_of(definition) if "lambda:invoke" in state.get("Resource", "")]
        assert tasks
        for name, state in tasks:
            first = next(rule for rule in state["Retry"] if THROTTLED in rule["ErrorEquals"])
            assert first["ErrorEquals"] == [THROTTLED], "other errors must not use its attempts up"
            assert first["JitterStrategy"] == "FULL"
            # Full jitter waits half of it on average.
            assert compute_wait(first) / 2 >= 240, f"{machine}: {name}"


def test_whatever_asks_models_waits_for_its_tenants_share_for_minutes(definitions: dict[str, Json]) -> None:
    seen = 0
    for machine, definition in definitions.items():
        for name, state in states_of(definition):
            payload = str(state.get("Arguments", {}).get("Payload", ""))
            if name != "Recall" and "'op': 'think'" not in payload and "'op': 'task'" not in payload:
                continue
            seen += 1
            first = next(rule for rule in state["Retry"] if MODELS_THROTTLED in rule["ErrorEquals"])
            assert (first["ErrorEquals"], first["JitterStrategy"]) == ([MODELS_THROTTLED], "FULL"), f"{machine}: {name}"
            assert compute_wait(first) / 2 >= 240, f"{machine}: {name}"
    assert seen > len(definitions)


def test_every_call_of_a_tool_waits_for_concurrency_of_the_tools_own_function(definitions: dict[str, Json]) -> None:
    seen = 0
    for machine, definition in definitions.items():
        for name, state in states_of(definition):
            runs = "'op': 'run'" in str(state.get("Arguments", {}).get("Payload", ""))
            rules = [rule for rule in state.get("Retry", ()) if TOOL_BUSY in rule["ErrorEquals"]]
            if not runs:
                continue
            seen += 1
            [rule] = rules
            assert (rule["ErrorEquals"], rule["JitterStrategy"]) == ([TOOL_BUSY], "FULL"), f"{machine}: {name}"
            assert compute_wait(rule) / 2 >= 240, f"{machine}: {name}"
    assert seen >= 2


def test_whoever_invokes_the_gateway_waits_until_a_snapshot_is_made(
    resources: list[tuple[str, Json]], machines: dict[str, Json]
) -> None:
    [gateway] = [name for name, body in resources if body["Type"] == "AWS::Lambda::Version" and "modelsgateway" in name]
    seen = 0
    for machine, definition in machines.items():
        for name, state in states_of(definition):
            if state.get("Arguments", {}).get("FunctionName") != f"<{gateway}>":
                continue
            seen += 1
            # The first rule that names an error applies.
            first = next(rule for rule in state["Retry"] if f"Lambda.{SNAP_START[1]}" in rule["ErrorEquals"])
            assert first["JitterStrategy"] == "NONE", "with jitter the wait may be as short as nothing"
            assert compute_wait(first) >= 300, f"{machine}: {name}"
    assert seen >= len(machines)


def compute_wait(rule: Json) -> float:
    waits = [rule["IntervalSeconds"] * rule["BackoffRate"] ** number for number in range(rule["MaxAttempts"])]
    return float(sum(min(wait, rule["MaxDelaySeconds"]) for wait in waits))


def test_a_reply_waits_for_a_snapshot_as_long_as_five_minutes_allow(definitions: dict[str, Json]) -> None:
    reply = build_reply_definition(definitions["pentad-dev-agent-assistant"])
    rules = reply["States"]["Think"]["Retry"]
    first = next(rule for rule in rules if f"Lambda.{SNAP_START[1]}" in rule["ErrorEquals"])
    assert 120 <= compute_wait(first) <= 150
    throttled = [rule for rule in rules if rule["ErrorEquals"] in ([THROTTLED], [MODELS_THROTTLED])]
    assert [60 <= compute_wait(rule) <= 90 for rule in throttled] == [True, True]
    assert all(rule["MaxAttempts"] <= 2 for rule in rules if rule is not first and rule not in throttled)


def test_a_reply_tells_the_gateway_how_long_its_state_waits(definitions: dict[str, Json]) -> None:
    loop = definitions["pentad-dev-agent-assistant"]
    think = build_reply_definition(loop)["States"]["Think"]
    assert think["Arguments"]["Payload"].endswith("'retry': $states.context.State.RetryCount, 'seconds': 140} %}")
    assert think["TimeoutSeconds"] == 150
    assert "seconds" not in loop["States"]["Think"]["Arguments"]["Payload"]


def test_a_reply_with_a_call_that_keeps_its_order_runs_its_calls_one_after_the_other() -> None:
    catalog = CATALOG.model_copy(
        update={"tools": {**CATALOG.tools, "refund": CATALOG.tools["refund"].model_copy(update={"parallel": False})}}
    )
    [agent] = [name for name, spec in catalog.agents.items() if "refund" in spec.tools][:1]
    assert definition_of(agent)["States"]["Act"]["MaxConcurrency"] == 8
    written = definition_of(agent, catalog)["States"]["Act"]["MaxConcurrency"]
    for tools, at_once in ((["order_status", "order_status"], 8), (["order_status", "refund"], 1), (["refund"], 1)):
        calls = [{"index": index, "tool": tool} for index, tool in enumerate(tools)]
        states = {"input": {"kind": "tools", "calls": calls}}
        assert evaluate(written.removeprefix("{%").removesuffix("%}"), {"states": states}) == at_once


def test_no_permanent_error_is_retried(definitions: dict[str, Json]) -> None:
    permanent = {leaf.__name__ for leaf in errors.iter_leaves(errors.PermanentError)}
    for definition in definitions.values():
        for name, state in states_of(definition):
            retried = {error for rule in state.get("Retry", []) for error in rule["ErrorEquals"]}
            assert not retried & permanent, name


def test_every_task_has_a_timeout_and_a_bounded_retry(definitions: dict[str, Json]) -> None:
    for definition in definitions.values():
        for name, state in states_of(definition):
            if state["Type"] == "Task":
                assert state["TimeoutSeconds"] == "{% $states.input.wait %}" or state["TimeoutSeconds"] > 0, name
                assert all(0 < rule["MaxAttempts"] <= 8 for rule in state["Retry"]), name


def test_every_task_but_the_last_resort_has_a_way_out_of_an_error(definitions: dict[str, Json]) -> None:
    for definition in definitions.values():
        without = [name for name, state in states_of(definition) if state["Type"] == "Task" and "Catch" not in state]
        assert sorted(without) == ["Abort", "CallFailed"]


def test_payloads_carry_references_only(definitions: dict[str, Json]) -> None:
    allowed = {
        "op",
        "tenant",
        "run",
        "session",
        "agent",
        "step",
        "retry",
        "index",
        "kind",
        "reason",
        "error",
        "cause",
        "task_token",
        "function",
    }
    for definition in definitions.values():
        for name, state in states_of(definition):
            payload = state.get("Arguments", {}).get("Payload", "")
            assert set(re.findall(r"'([a-z_]+)':", payload)) <= allowed, name


def test_a_definition_is_far_from_the_size_limit_of_one_mebibyte(definitions: dict[str, Json]) -> None:
    assert all(len(json.dumps(definition)) < 100_000 for definition in definitions.values())


def test_many_documents_are_listed_tenant_by_tenant_and_none_stops_another(machines: dict[str, Json]) -> None:
    definition = machines["pentad-dev-bulk-ingest"]
    state = definition["States"]["Documents"]
    assert state["ItemReader"]["Resource"] == "arn:aws:states:::s3:listObjectsV2"
    assert state["ItemReader"]["Arguments"]["Prefix"] == "{% $states.input.prefix %}"
    assert state["ToleratedFailurePercentage"] == 100
    assert 0 < state["MaxConcurrency"] <= 10
    states = state["ItemProcessor"]["States"]
    task = states["Batch"]
    retried = {error for rule in task["Retry"] for error in rule["ErrorEquals"]}
    assert set(errors.transient_names()) <= retried
    # A process that was killed keeps its documents for half a minute: the waits are longer, on average as well.
    [waiting] = [rule for rule in task["Retry"] if rule["ErrorEquals"] == ["StoreUnavailable"]]
    assert sum(min(5 * 2**turn, 120) for turn in range(waiting["MaxAttempts"])) / 2 > 5 * CLAIM_SECONDS
    # What 100,000 documents give is within what a state may give.
    assert (
        state["ItemReader"]["ReaderConfig"]["MaxItems"] * len(f"{json.dumps(states['Done']['Output'])},") < 256 * 1024
    )


def test_every_machine_logs_and_traces(resources: list[tuple[str, Json]]) -> None:
    machines = [body["Properties"] for _, body in resources if body["Type"] == "AWS::StepFunctions::StateMachine"]
    assert machines
    for machine in machines:
        assert machine["LoggingConfiguration"]["Level"] == "ALL"
        assert machine["TracingConfiguration"] == {"Enabled": True}


def test_a_log_with_execution_data_is_of_a_machine_that_hands_over_no_task_token(
    resources: list[tuple[str, Json]], machines: dict[str, Json]
) -> None:
    made = [body["Properties"] for _, body in resources if body["Type"] == "AWS::StepFunctions::StateMachine"]
    logged = {
        joined(machine["StateMachineName"]): machine["LoggingConfiguration"]["IncludeExecutionData"] for machine in made
    }
    waiting = {name for name, definition in machines.items() if "Task.Token" in json.dumps(definition)}
    assert waiting
    assert waiting <= set(logged)
    assert not [name for name in waiting if logged[name]]


def test_only_the_api_reads_the_history_that_holds_task_tokens(resources: list[tuple[str, Json]]) -> None:
    readers = {
        logical_id.split("role")[0]
        for logical_id, body in resources
        if body["Type"] in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")
        and "states:GetExecutionHistory" in json.dumps(body)
    }
    assert len(readers) == 1
    assert "api" in readers.pop().lower()
