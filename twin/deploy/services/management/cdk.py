"""CDK's own resource: usage metadata."""

from twin.deploy.registry import METADATA, Created, JsonObject, Resource, resource


@resource("AWS::CDK::Metadata", ignored={"Analytics": METADATA})
def metadata(target: Resource, properties: JsonObject) -> Created:
    """Nothing to create: CloudFormation only counts constructs with it."""
    return Created(target.logical_id)
