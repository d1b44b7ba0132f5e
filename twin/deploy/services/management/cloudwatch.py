"""CloudWatch alarms and dashboards."""

from collections.abc import Callable
from typing import TypeVar

from twin.alarms.alarms import read_composite_alarm, read_metric_alarm
from twin.deploy.errors import DeployError
from twin.deploy.registry import TAGS, Created, JsonObject, Resource, as_json, register_resource
from twin.moto_patches.alarms import repair_alarms

T = TypeVar("T")

_ALARM = frozenset(
    {
        "AlarmName",
        "AlarmDescription",
        "ActionsEnabled",
        "AlarmActions",
        "OKActions",
        "InsufficientDataActions",
        "MetricName",
        "Namespace",
        "Statistic",
        "ExtendedStatistic",
        "Dimensions",
        "Period",
        "Unit",
        "EvaluationPeriods",
        "DatapointsToAlarm",
        "Threshold",
        "ComparisonOperator",
        "TreatMissingData",
        "EvaluateLowSampleCountPercentile",
        "Metrics",
        "ThresholdMetricId",
    }
)
_COMPOSITE = frozenset(
    {
        "AlarmName",
        "AlarmRule",
        "AlarmDescription",
        "ActionsEnabled",
        "AlarmActions",
        "OKActions",
        "InsufficientDataActions",
        "ActionsSuppressor",
        "ActionsSuppressorWaitPeriod",
        "ActionsSuppressorExtensionPeriod",
    }
)
_OF_SUPPRESSION = ("ActionsSuppressor", "ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod")


@register_resource("AWS::CloudWatch::Alarm", handled=_ALARM, ignored={"Tags": TAGS})
def create_alarm(target: Resource, properties: JsonObject) -> Created:
    """Create a metric alarm."""
    name = properties.get("AlarmName") or target.physical_name(limit=255)
    repair_alarms()
    target.get_client("cloudwatch").put_metric_alarm(**{"ActionsEnabled": True, **properties, "AlarmName": name})
    target.deployment.metric_alarms[name] = _read(name, properties, read_metric_alarm)
    return Created(name, {"Arn": target.format_arn("cloudwatch", f"alarm:{name}")})


@register_resource(
    "AWS::CloudWatch::CompositeAlarm",
    handled=_COMPOSITE,
    ignored={"Tags": TAGS},
)
def create_composite_alarm(target: Resource, properties: JsonObject) -> Created:
    """Create a composite alarm."""
    repair_alarms()
    name = properties.get("AlarmName") or target.physical_name(limit=255)
    known = {key: value for key, value in properties.items() if key not in _OF_SUPPRESSION}  # moto has no such fields
    target.get_client("cloudwatch").put_composite_alarm(**{"ActionsEnabled": True, **known, "AlarmName": name})
    target.deployment.composite_alarms[name] = _read(name, properties, read_composite_alarm)
    return Created(name, {"Arn": target.format_arn("cloudwatch", f"alarm:{name}")})


@register_resource("AWS::CloudWatch::Dashboard", handled={"DashboardName", "DashboardBody"}, ignored={"Tags": TAGS})
def create_dashboard(target: Resource, properties: JsonObject) -> Created:
    """Create a dashboard."""
    name = properties.get("DashboardName") or target.physical_name(limit=255)
    body = as_json(properties["DashboardBody"])
    target.get_client("cloudwatch").put_dashboard(DashboardName=name, DashboardBody=body)
    return Created(name)


def _read(name: str, properties: JsonObject, read: Callable[[str, JsonObject], T]) -> T:
    """Return an alarm as it is evaluated.

    Raises:
        DeployError: it can't be.
    """
    try:
        return read(name, properties)
    except (KeyError, ValueError) as error:
        why = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise DeployError(f"the alarm '{name}' can't be evaluated: {why}") from error
