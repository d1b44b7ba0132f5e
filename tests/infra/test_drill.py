"""The drill as synthesized: a schedule of the gateway's function, and an alarm for each link."""

import json
from typing import Any

from pentad.models.catalog.catalog import load
from pentad.observability.metrics import names
from tests.infra.conftest import joined

Json = dict[str, Any]


def alarms(resources: list[tuple[str, Json]]) -> dict[str, Json]:
    return {
        body["Properties"]["AlarmName"]: body["Properties"]
        for _, body in resources
        if body["Type"] == "AWS::CloudWatch::Alarm"
    }


def test_a_daily_rule_asks_the_gateways_function_for_a_drill(resources: list[tuple[str, Json]]) -> None:
    rules = [body["Properties"] for _, body in resources if body["Type"] == "AWS::Events::Rule"]
    [rule] = [rule for rule in rules if rule.get("Name") == "pentad-dev-drill"]
    assert rule["ScheduleExpression"].startswith("cron(")
    [target] = rule["Targets"]
    [alias] = [name for name, body in resources if body["Type"] == "AWS::Lambda::Alias"]
    assert joined(target["Arn"]) == f"<{alias}>", "what runs use is exercised: the alias, not what is unpublished"
    assert json.loads(target["Input"]) == {"op": "drill"}


def test_each_model_of_a_chain_has_an_alarm_on_its_own_metric(resources: list[tuple[str, Json]]) -> None:
    found = alarms(resources)
    for model in load().used_models:
        alarm = found[f"pentad-dev-link-{model.provider}-{model.name}"]
        assert (alarm["Namespace"], alarm["MetricName"]) == (names.NAMESPACE, names.DRILL_LINK)
        dimensions = {each["Name"]: each["Value"] for each in alarm["Dimensions"]}
        assert dimensions == {"stage": "dev", "provider": model.provider, "model": model.name}
        assert (alarm["Statistic"], alarm["ComparisonOperator"], alarm["Threshold"]) == (
            "Minimum",
            "LessThanThreshold",
            1,
        )
        assert "docs/runbooks/broken-link.md" in alarm["AlarmDescription"]


def test_a_links_alarm_keeps_its_state_between_drills(resources: list[tuple[str, Json]]) -> None:
    links = [alarm for name, alarm in alarms(resources).items() if "-link-" in name]
    assert links
    assert {alarm["TreatMissingData"] for alarm in links} == {"ignore"}


def test_a_drill_that_does_not_run_is_an_alarm(resources: list[tuple[str, Json]]) -> None:
    alarm = alarms(resources)["pentad-dev-drill-missing"]
    assert (alarm["MetricName"], alarm["TreatMissingData"]) == (names.DRILLS, "breaching")
    assert alarm["Period"] * alarm["EvaluationPeriods"] == 30 * 3600


def test_the_gateway_reaches_breakers_and_drills_and_no_lease(resources: list[tuple[str, Json]]) -> None:
    keys = [
        statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
        for name, body in resources
        if body["Type"] == "AWS::IAM::Policy" and name.startswith("modelsgateway")
        for statement in body["Properties"]["PolicyDocument"]["Statement"]
        if "transient" in json.dumps(statement["Resource"])
    ]
    every = {key for each in keys for key in each}
    assert {"SYS#BREAKER", "SYS#DRILL"} <= every
    assert not any(key.startswith("T#*#S#") for key in every)
