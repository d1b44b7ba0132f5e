"""SNS topics, subscriptions and topic policies."""

from twin.deploy.registry import TAGS, Created, JsonObject, Resource, as_json, register_resource


@register_resource(
    "AWS::SNS::Topic",
    handled={"TopicName", "DisplayName", "KmsMasterKeyId", "FifoTopic", "Subscription"},
    ignored={"Tags": TAGS, "TracingConfig": "topics send nothing to a tracer here", "SignatureVersion": "no HTTPS"},
)
def create_topic(target: Resource, properties: JsonObject) -> Created:
    """Create a topic with its inline subscriptions."""
    client = target.get_client("sns")
    name = properties.get("TopicName") or target.physical_name(limit=256)
    renamed = {"DisplayName": "DisplayName", "KmsMasterKeyId": "KmsMasterKeyId", "FifoTopic": "FifoTopic"}
    attributes = {key: str(properties[key]) for key in renamed if key in properties}
    arn = client.create_topic(Name=name, Attributes=attributes)["TopicArn"]
    for one in properties.get("Subscription", []):
        client.subscribe(TopicArn=arn, Protocol=one["Protocol"], Endpoint=one["Endpoint"])
    return Created(arn, {"TopicArn": arn, "TopicName": name})


@register_resource(
    "AWS::SNS::Subscription",
    handled={"TopicArn", "Protocol", "Endpoint", "FilterPolicy", "FilterPolicyScope", "RawMessageDelivery"},
    ignored={"RedrivePolicy": "delivery inside one process does not fail", "Region": "a laptop is one region"},
)
def create_subscription(target: Resource, properties: JsonObject) -> Created:
    """Subscribe an endpoint."""
    attributes: dict[str, str] = {}
    for key in ("FilterPolicy", "FilterPolicyScope"):
        if key in properties:
            attributes[key] = as_json(properties[key])
    if "RawMessageDelivery" in properties:
        attributes["RawMessageDelivery"] = str(properties["RawMessageDelivery"]).lower()
    where = {key: properties[key] for key in ("TopicArn", "Protocol", "Endpoint")}
    answer = target.get_client("sns").subscribe(**where, Attributes=attributes, ReturnSubscriptionArn=True)
    return Created(answer["SubscriptionArn"], {"Arn": answer["SubscriptionArn"]})


@register_resource("AWS::SNS::TopicPolicy", handled={"Topics", "PolicyDocument"})
def create_topic_policy(target: Resource, properties: JsonObject) -> Created:
    """Attach one policy to several topics."""
    document = properties["PolicyDocument"]
    for arn in properties["Topics"]:
        target.get_client("sns").set_topic_attributes(
            TopicArn=arn, AttributeName="Policy", AttributeValue=as_json(document)
        )
    return Created(target.physical_name(limit=128))
