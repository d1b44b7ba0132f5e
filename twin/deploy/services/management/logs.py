"""CloudWatch Logs: groups, metric filters, resource policies."""

from twin.deploy.deployment import LogSubscription
from twin.deploy.errors import DeployError
from twin.deploy.log_patterns import find_path
from twin.deploy.registry import (
    COST,
    TAGS,
    Created,
    JsonObject,
    Resource,
    as_json,
    register_resource,
    register_update,
    to_camel_case,
)


@register_resource(
    "AWS::Logs::LogGroup",
    handled={"LogGroupName", "RetentionInDays", "KmsKeyId"},
    ignored={
        "Tags": TAGS,
        "LogGroupClass": COST,
        "DeletionProtectionEnabled": "the twin deletes nothing",
        "DataProtectionPolicy": "logs stay on this machine",
        "FieldIndexPolicies": "queries scan",
    },
)
def create_log_group(target: Resource, properties: JsonObject) -> Created:
    """Create a log group with its retention."""
    client = target.get_client("logs")
    name = properties.get("LogGroupName") or target.physical_name(limit=512)
    key = {"kmsKeyId": properties["KmsKeyId"]} if "KmsKeyId" in properties else {}
    client.create_log_group(logGroupName=name, **key)
    if "RetentionInDays" in properties:
        client.put_retention_policy(logGroupName=name, retentionInDays=properties["RetentionInDays"])
    return Created(name, {"Arn": target.format_arn("logs", f"log-group:{name}:*")})


@register_resource(
    "AWS::Logs::MetricFilter",
    handled={"LogGroupName", "FilterName", "FilterPattern", "MetricTransformations"},
    ignored={"ApplyOnTransformedLogs": "logs are not transformed"},
)
def create_metric_filter(target: Resource, properties: JsonObject) -> Created:
    """Create a metric filter."""
    name = properties.get("FilterName") or target.physical_name(limit=512)
    target.get_client("logs").put_metric_filter(
        logGroupName=properties["LogGroupName"],
        filterName=name,
        filterPattern=properties["FilterPattern"],
        metricTransformations=to_camel_case(properties["MetricTransformations"]),
    )
    return Created(name)


@register_resource(
    "AWS::Logs::SubscriptionFilter",
    handled={"LogGroupName", "FilterName", "FilterPattern", "DestinationArn"},
)
def create_subscription_filter(target: Resource, properties: JsonObject) -> Created:
    """Record a subscription filter; the pump delivers to functions, and moto's own way would call Docker.

    Raises:
        DeployError: the pattern is of a kind that the pump can't match, or the destination is no function.
    """
    pattern, destination = properties["FilterPattern"], str(properties["DestinationArn"])
    if destination.split(":")[2] != "lambda" or (pattern and find_path(pattern) is None):
        raise DeployError(
            f"the twin carries out subscription filters '{{ $.a.b = \"*\" }}' to functions, "
            f"and not '{pattern}' to '{destination}'"
        )
    name = properties.get("FilterName") or target.physical_name(limit=512)
    subscription = LogSubscription(name, properties["LogGroupName"], pattern, destination)
    target.deployment.subscriptions.append(subscription)
    return Created(name)


@register_resource(
    "AWS::Logs::QueryDefinition",
    ignored={
        "Name": "the twin answers no saved query",
        "QueryString": "the twin answers no saved query",
        "LogGroupNames": "the twin answers no saved query",
        "QueryLanguage": "the twin answers no saved query",
        "Parameters": "the twin answers no saved query",
    },
)
def create_query_definition(target: Resource, properties: JsonObject) -> Created:
    """Take a saved query, which is for the console of CloudWatch."""
    identity = target.physical_name(limit=64)
    return Created(identity, {"QueryDefinitionId": identity})


@register_update("AWS::Logs::QueryDefinition")
def update_query_definition(target: Resource, properties: JsonObject, earlier: Created) -> Created:
    """Take a saved query that asks something else."""
    return earlier


@register_resource("AWS::Logs::ResourcePolicy", handled={"PolicyName", "PolicyDocument"})
def create_resource_policy(target: Resource, properties: JsonObject) -> Created:
    """Create a resource policy of the account's log groups."""
    name = properties["PolicyName"]
    document = as_json(properties["PolicyDocument"])
    target.get_client("logs").put_resource_policy(policyName=name, policyDocument=document)
    return Created(name)
