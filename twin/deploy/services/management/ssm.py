"""SSM parameters."""

from twin.deploy.registry import COST, TAGS, Created, JsonObject, Resource, register_resource

_HANDLED = ("Name", "Type", "Value", "Description", "AllowedPattern", "DataType")


@register_resource("AWS::SSM::Parameter", handled=_HANDLED, ignored={"Tags": TAGS, "Tier": COST, "Policies": COST})
def create_parameter(target: Resource, properties: JsonObject) -> Created:
    """Create a parameter."""
    name = properties.get("Name") or target.physical_name(limit=512)
    target.get_client("ssm").put_parameter(**{**properties, "Name": name})
    return Created(name, {"Type": properties["Type"], "Value": properties["Value"]})
