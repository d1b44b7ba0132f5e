"""Alarms as synthesized: whom they tell, what they look at; and what they come to, evaluated as CloudWatch does."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.alerts import read_alerts
from infra.config import STAGES
from infra.observability.dashboard import build_widgets, list_panels
from pentad.domain.errors import ConfigurationError
from pentad.observability.alarms.limits import AlarmLimits
from pentad.observability.alarms.table import PAGES, TICKETS, build_alarms, list_parts
from pentad.observability.metrics import names
from pentad.observability.metrics.table import METRICS, PLATFORM_FUNCTIONS
from tests.infra.conftest import joined, resolved
from twin.alarms.alarms import MetricAlarm, read_metric_alarm
from twin.alarms.metric_store import MetricKey, MetricStore
from twin.alarms.rules import list_alarms

Json = dict[str, Any]
ROOT = Path(__file__).resolve().parents[2]
TABLE = {one.name: one for one in build_alarms(STAGES["dev"].alerts.limits, api_id="api")}
NOW = 1_800_000_000 // 86_400 * 86_400
METRIC, COMPOSITE = "AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"


def find(resources: list[tuple[str, Json]], *kinds: str) -> dict[str, Json]:
    return {
        body["Properties"]["AlarmName"].removeprefix("pentad-dev-"): body["Properties"]
        for _, body in resources
        if body["Type"] in kinds
    }


def test_every_alarm_tells_somebody_or_is_part_of_one_that_does(resources: list[tuple[str, Json]]) -> None:
    found = find(resources, METRIC, COMPOSITE)
    causes = {name for name in found if name.endswith("-causes")}
    silent = {name for name, one in found.items() if not one.get("AlarmActions")}
    assert silent == list_parts() | causes
    assert all(one.get("OKActions") for name, one in found.items() if name not in silent)
    told = {joined(topic) for one in found.values() for topic in one.get("AlarmActions", [])}
    assert {name.split("-tickets")[0] for name in told if "pentad-dev-tickets" in name}, "those of the agent stack"


def test_what_pages_is_composite_and_little(resources: list[tuple[str, Json]]) -> None:
    pages = {
        name
        for name, one in find(resources, METRIC, COMPOSITE).items()
        if any("pages" in joined(topic) for topic in one.get("AlarmActions", []))
    }
    assert pages == {"page-models", "page-platform", "page-runs"}


def test_a_page_of_a_symptom_is_kept_back_by_its_causes(resources: list[tuple[str, Json]]) -> None:
    found = find(resources, COMPOSITE)
    assert found["page-platform"]["ActionsSuppressor"] == "pentad-dev-page-models"
    assert found["page-runs"]["ActionsSuppressor"] == "pentad-dev-page-runs-causes"
    assert list_alarms(found["page-runs-causes"]["AlarmRule"]) == {"pentad-dev-page-models", "pentad-dev-page-platform"}


def test_a_rule_names_alarms_that_are_made_before_it(resources: list[tuple[str, Json]]) -> None:
    by_name = {
        body["Properties"]["AlarmName"]: logical_id
        for logical_id, body in resources
        if body["Type"] in (METRIC, COMPOSITE)
    }
    composites = [body for _, body in resources if body["Type"] == COMPOSITE]
    assert len(composites) == len(PAGES) + len(TICKETS) + 1
    for body in composites:
        needed = list_alarms(body["Properties"]["AlarmRule"])
        needed |= {body["Properties"][key] for key in ("ActionsSuppressor",) if key in body["Properties"]}
        assert {by_name[name] for name in needed} <= set(body["DependsOn"])


def test_every_alarm_leads_to_a_page_that_names_it(resources: list[tuple[str, Json]]) -> None:
    for name, one in find(resources, METRIC, COMPOSITE).items():
        if name.endswith(("-causes", "-failures")) or name.startswith("slo-"):
            continue
        said = one["AlarmDescription"].rpartition("What to do: ")[2]
        page = ROOT / said
        if said.startswith("docs/"):
            family = name.split("-link-")[0] if "link-" in name else name
            text = page.read_text(encoding="utf-8")
            assert family in text or "link-{provider}" in text, f"{said} does not name '{name}'"
        else:
            assert "pentad " in said or "log's" in said


def test_only_cloudwatch_of_this_account_may_publish(resources: list[tuple[str, Json]]) -> None:
    policies = [
        body["Properties"]["PolicyDocument"]["Statement"]
        for logical_id, body in resources
        if body["Type"] == "AWS::SNS::TopicPolicy" and logical_id.startswith(("pages", "tickets"))
    ]
    assert len(policies) == 2
    for statements in policies:
        [allowed] = [one for one in statements if one["Effect"] == "Allow"]
        assert allowed["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
        assert allowed["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
        assert {"Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}.items() <= next(
            one for one in statements if one["Effect"] == "Deny"
        ).items()


# -- what they come to


def alarm_of(resources: list[tuple[str, Json]], name: str) -> MetricAlarm:
    return read_metric_alarm(name, resolved(find(resources, METRIC)[name]))


def test_a_quiet_night_raises_no_alarm(resources: list[tuple[str, Json]]) -> None:
    states = {name: alarm_of(resources, name).evaluate(MetricStore().read, NOW).state for name in TABLE}
    assert {name for name, state in states.items() if state != "OK"} <= {"spend-unusual"}


def test_a_cost_that_is_not_usual_raises_an_alarm(resources: list[tuple[str, Json]]) -> None:
    alarm, store = alarm_of(resources, "spend-unusual"), MetricStore()
    [query] = [one for one in alarm.queries if one.key]
    key = query.key
    assert key is not None
    for hour in range(3, 27):
        store.add(key, 5e6 * (1 + hour % 4), NOW - 3600 * hour + 60)
    for hour in (1, 2):
        store.add(key, 9e8, NOW - 3600 * hour + 60)
    assert alarm.evaluate(store.read, NOW).state == "ALARM"


def test_one_failed_run_of_a_quiet_night_pages_nobody(resources: list[tuple[str, Json]]) -> None:
    for name in ("runs-failing", "slo-success-fast-5m", "slo-success-fast-60m"):
        alarm, store = alarm_of(resources, name), MetricStore()
        for query in alarm.queries[:1]:
            assert query.key is not None
            store.add(query.key, 1, NOW - 90)
        assert alarm.evaluate(store.read, NOW).state == "OK"


def test_every_function_of_the_platform_is_told_apart_in_metrics(functions: dict[str, Json]) -> None:
    names_of = {one["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"] for one in functions.values()}
    assert {name for name in names_of if not name.startswith("tool-")} <= set(PLATFORM_FUNCTIONS)


def test_our_metrics_are_read_with_the_stage_alone(resources: list[tuple[str, Json]]) -> None:
    for name in TABLE:
        for query in alarm_of(resources, name).queries:
            if query.key is not None and query.key.namespace == names.NAMESPACE:
                assert query.key == MetricKey.of(names.NAMESPACE, query.key.name, {"stage": "dev"})
                assert query.key.name in METRICS


# -- the table and the project's own configuration


def test_the_table_says_why_and_what_to_do() -> None:
    for one in TABLE.values():
        assert one.why, one.name
        assert one.says, one.name
        assert (ROOT / "docs" / "runbooks" / f"{one.runbook}.md").is_file()
    for page in (*PAGES, *TICKETS):
        assert (ROOT / "docs" / "runbooks" / f"{page.runbook}.md").is_file()
        assert {*page.any_of, *page.all_of} <= TABLE.keys() | {each.name for each in PAGES}


def test_a_project_says_whom_alarms_tell_and_from_when_on() -> None:
    dev = STAGES["dev"].alerts
    alerts = read_alerts({"page": ["on-call@example.com", "https://hooks.example.com/x"]}, dev)
    assert alerts.page == ("on-call@example.com", "https://hooks.example.com/x")
    assert alerts.limits == dev.limits
    assert read_alerts({"limits": {"daily_usd": 7}}, dev).limits.daily_usd == 7
    assert read_alerts({"limits": {"daily_usd": 7}}, dev).limits.failed_percent == dev.limits.failed_percent


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"pager": []}, "'pager'"),
        ([], "alerts of a stage must be an object"),
        ({"page": "a@example.com"}, "page must be a list"),
        ({"ticket": ["http://example.com"]}, "ticket must be a list"),
        ({"page": ["nobody"]}, "page must be a list"),
        ({"limits": {"daily_usd": 0}}, "daily_usd"),
        ({"limits": {"daily_eur": 5}}, "daily_eur"),
        ({"limits": {"slo_success_percent": 100}}, "slo_success_percent"),
        ({"limits": 3}, "not an object"),
    ],
)
def test_what_is_wrong_in_it_is_told(values: Any, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        read_alerts(values, STAGES["dev"].alerts)


def test_each_stage_is_stricter_than_the_one_before() -> None:
    dev, staging, prod = (STAGES[name].alerts.limits for name in ("dev", "staging", "prod"))
    assert dev.failed_percent > staging.failed_percent > prod.failed_percent
    assert dev.slo_success_percent < prod.slo_success_percent
    assert AlarmLimits() == prod


def test_every_limit_is_some_alarms() -> None:
    for name, value in AlarmLimits().model_dump().items():
        changed = AlarmLimits.model_validate({name: value * 0.9})
        assert build_alarms(changed, api_id="any") != build_alarms(AlarmLimits(), api_id="any"), name


def test_the_dashboard_shows_every_alarm_and_metrics_that_exist(resources: list[tuple[str, Json]]) -> None:
    [body] = [one["Properties"] for _, one in resources if one["Type"] == "AWS::CloudWatch::Dashboard"]
    text = joined(body["DashboardBody"])
    assert all(f"pentad-dev-{name}" in text for name in TABLE)
    for panel in (one for row in list_panels(AlarmLimits()).values() for one in row):
        shown = [panel.by[0]] if panel.by else [metric for metric, _ in panel.lines.values()]
        assert set(shown) <= METRICS.keys(), panel.title
        assert all(one.where.keys() <= {"QueueName"} for one in panel.services.values())
        if panel.by:
            sets = [sorted(one.name for one in each) for each in METRICS[panel.by[0]].sets]
            assert sorted(panel.by[1]) in sets, panel.title
    assert len(json.dumps({"widgets": build_widgets(STAGES["dev"], "eu-west-1", ["arn"] * 40)})) < 500_000
