"""SQS queues and queue policies."""

from twin.deploy.registry import TAGS, Created, JsonObject, Resource, as_json, register_resource, register_update

_ATTRIBUTES = frozenset(
    {
        "VisibilityTimeout",
        "MessageRetentionPeriod",
        "DelaySeconds",
        "MaximumMessageSize",
        "ReceiveMessageWaitTimeSeconds",
        "RedrivePolicy",
        "RedriveAllowPolicy",
        "KmsMasterKeyId",
        "KmsDataKeyReusePeriodSeconds",
        "SqsManagedSseEnabled",
        "FifoQueue",
        "ContentBasedDeduplication",
        "DeduplicationScope",
        "FifoThroughputLimit",
    }
)


@register_resource("AWS::SQS::Queue", handled=_ATTRIBUTES | {"QueueName"}, ignored={"Tags": TAGS})
def create_queue(target: Resource, properties: JsonObject) -> Created:
    """Create a queue."""
    fifo = ".fifo" if properties.get("FifoQueue") in (True, "true") else ""
    name = properties.get("QueueName") or target.physical_name(limit=80, suffix=fifo)
    attributes = {key: _format_attribute(properties[key]) for key in _ATTRIBUTES if key in properties}
    url = target.get_client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return Created(url, {"Arn": target.format_arn("sqs", name), "QueueName": name, "QueueUrl": url})


def _format_attribute(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return as_json(value) if isinstance(value, dict) else str(value)


@register_resource("AWS::SQS::QueuePolicy", handled={"Queues", "PolicyDocument"})
def create_queue_policy(target: Resource, properties: JsonObject) -> Created:
    """Attach one policy to several queues."""
    document, urls = properties["PolicyDocument"], tuple(properties["Queues"])
    for url in urls:
        _set_policy(target, url, document)
    return Created(target.physical_name(limit=128), {"Queues": urls})


@register_update("AWS::SQS::QueuePolicy")
def update_queue_policy(target: Resource, properties: JsonObject, earlier: Created) -> Created:
    """Change the policy of queues; one that is no longer named has none."""
    urls = tuple(properties["Queues"])
    for url in urls:
        _set_policy(target, url, properties["PolicyDocument"])
    for url in set(earlier.attributes["Queues"]) - set(urls):
        _set_policy(target, url, "")
    return Created(earlier.ref, {"Queues": urls})


def _set_policy(target: Resource, url: str, document: JsonObject | str) -> None:
    target.get_client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": as_json(document)})
