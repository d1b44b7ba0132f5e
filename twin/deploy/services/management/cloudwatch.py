"""CloudWatch alarms and dashboards."""

from twin.deploy.registry import TAGS, Created, JsonObject, Resource, as_json, register_resource
from twin.moto_patches.composite_alarms import serve_composite_alarms

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
    }
)


@register_resource("AWS::CloudWatch::Alarm", handled=_ALARM, ignored={"Tags": TAGS})
def create_alarm(target: Resource, properties: JsonObject) -> Created:
    """Create a metric alarm."""
    name = properties.get("AlarmName") or target.physical_name(limit=255)
    target.get_client("cloudwatch").put_metric_alarm(**{"ActionsEnabled": True, **properties, "AlarmName": name})
    return Created(name, {"Arn": target.format_arn("cloudwatch", f"alarm:{name}")})


@register_resource(
    "AWS::CloudWatch::CompositeAlarm",
    handled=_COMPOSITE,
    ignored={
        "Tags": TAGS,
        "ActionsSuppressor": "the twin pages nobody",
        "ActionsSuppressorWaitPeriod": "the twin pages nobody",
        "ActionsSuppressorExtensionPeriod": "the twin pages nobody",
    },
)
def create_composite_alarm(target: Resource, properties: JsonObject) -> Created:
    """Create a composite alarm."""
    serve_composite_alarms()
    name = properties.get("AlarmName") or target.physical_name(limit=255)
    target.get_client("cloudwatch").put_composite_alarm(**{"ActionsEnabled": True, **properties, "AlarmName": name})
    return Created(name, {"Arn": target.format_arn("cloudwatch", f"alarm:{name}")})


@register_resource("AWS::CloudWatch::Dashboard", handled={"DashboardName", "DashboardBody"}, ignored={"Tags": TAGS})
def create_dashboard(target: Resource, properties: JsonObject) -> Created:
    """Create a dashboard."""
    name = properties.get("DashboardName") or target.physical_name(limit=255)
    body = as_json(properties["DashboardBody"])
    target.get_client("cloudwatch").put_dashboard(DashboardName=name, DashboardBody=body)
    return Created(name)
