"""CDK's own resource: usage metadata."""

from twin.deploy.registry import METADATA, Created, JsonObject, Resource, register_resource


@register_resource("AWS::CDK::Metadata", ignored={"Analytics": METADATA})
def create_metadata(target: Resource, properties: JsonObject) -> Created:
    """Nothing to create: CloudFormation only counts constructs with it."""
    return Created(target.logical_id)
