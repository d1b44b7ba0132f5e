"""SSM parameters."""

from twin.deploy.registry import COST, TAGS, Created, JsonObject, Resource, resource

_HANDLED = ("Name", "Type", "Value", "Description", "AllowedPattern", "DataType")


@resource("AWS::SSM::Parameter", handled=_HANDLED, ignored={"Tags": TAGS, "Tier": COST, "Policies": COST})
def parameter(target: Resource, properties: JsonObject) -> Created:
    """Create a parameter."""
    name = properties.get("Name") or target.physical_name(limit=512)
    target.client("ssm").put_parameter(**{**properties, "Name": name})
    return Created(name, {"Type": properties["Type"], "Value": properties["Value"]})
