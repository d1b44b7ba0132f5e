"""A long run goes on in executions of its own machine: what its role may do for that, and when it does."""

import json
from typing import Any

from infra.orchestration.machines.loop import EVENT_LIMIT
from tests.infra.conftest import joined

Json = dict[str, Any]
HISTORY_EVENTS = 25_000
CALLS = 16
MOST_OF_A_CALL = 103


def _statements(resources: list[tuple[str, Json]], role: str) -> list[Json]:
    return [
        statement
        for _, body in resources
        if body["Type"] == "AWS::IAM::Policy" and {"Ref": role} in body["Properties"]["Roles"]
        for statement in body["Properties"]["PolicyDocument"]["Statement"]
    ]


def _loops(resources: list[tuple[str, Json]]) -> list[Json]:
    return [
        body["Properties"]
        for _, body in resources
        if body["Type"] == "AWS::StepFunctions::StateMachine"
        and '"Continue"' in joined(body["Properties"]["DefinitionString"])
    ]


def test_a_machine_may_start_and_follow_executions_of_itself_and_of_no_other(resources: list[tuple[str, Json]]) -> None:
    loops = _loops(resources)
    assert loops
    for machine in loops:
        name = machine["StateMachineName"]
        role = machine["RoleArn"]["Fn::GetAtt"][0]
        states = [one for one in _statements(resources, role) if "states:" in json.dumps(one["Action"])]
        targets = {json.dumps(one["Action"]): json.dumps(one["Resource"]) for one in states}
        assert len(targets) == 2, targets
        assert all(f":{name}" in target for target in targets.values()), targets


def test_the_worst_that_is_counted_as_the_limit_and_one_more_turn_fit_into_a_history() -> None:
    assert EVENT_LIMIT * MOST_OF_A_CALL / 7 + CALLS * MOST_OF_A_CALL + 100 < HISTORY_EVENTS
