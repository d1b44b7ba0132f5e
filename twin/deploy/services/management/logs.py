"""CloudWatch Logs: groups, metric filters, resource policies."""

from twin.deploy.registry import COST, TAGS, Created, JsonObject, Resource, as_json, camel, resource


@resource(
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
def log_group(target: Resource, properties: JsonObject) -> Created:
    """Create a log group with its retention."""
    client = target.client("logs")
    name = properties.get("LogGroupName") or target.physical_name(limit=512)
    key = {"kmsKeyId": properties["KmsKeyId"]} if "KmsKeyId" in properties else {}
    client.create_log_group(logGroupName=name, **key)
    if "RetentionInDays" in properties:
        client.put_retention_policy(logGroupName=name, retentionInDays=properties["RetentionInDays"])
    return Created(name, {"Arn": target.arn("logs", f"log-group:{name}:*")})


@resource(
    "AWS::Logs::MetricFilter",
    handled={"LogGroupName", "FilterName", "FilterPattern", "MetricTransformations"},
    ignored={"ApplyOnTransformedLogs": "logs are not transformed"},
)
def metric_filter(target: Resource, properties: JsonObject) -> Created:
    """Create a metric filter."""
    name = properties.get("FilterName") or target.physical_name(limit=512)
    target.client("logs").put_metric_filter(
        logGroupName=properties["LogGroupName"],
        filterName=name,
        filterPattern=properties["FilterPattern"],
        metricTransformations=camel(properties["MetricTransformations"]),
    )
    return Created(name)


@resource("AWS::Logs::ResourcePolicy", handled={"PolicyName", "PolicyDocument"})
def resource_policy(target: Resource, properties: JsonObject) -> Created:
    """Create a resource policy of the account's log groups."""
    name = properties["PolicyName"]
    document = as_json(properties["PolicyDocument"])
    target.client("logs").put_resource_policy(policyName=name, policyDocument=document)
    return Created(name)
