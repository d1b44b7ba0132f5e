"""Lambda in a running twin: new code and configuration, layers, versions, and aliases that move."""

from dataclasses import replace

from twin.deploy.deployment import FunctionVersion
from twin.deploy.registry import Created, JsonObject, Resource, updates
from twin.deploy.services.compute.functions import configuration, described, function_of, layer_version, version


@updates("AWS::Lambda::Function")
def update_function(target: Resource, properties: JsonObject, earlier: Created) -> Created:
    """Change a function; what is published keeps its code and configuration."""
    definition = described(target, properties)
    if definition.name != earlier.ref:
        raise target.fail("a running twin cannot rename a function")
    target.deployment.functions[definition.name] = definition
    request = configuration(properties, definition)
    target.client("lambda").update_function_configuration(FunctionName=definition.name, **request)
    return earlier


@updates("AWS::Lambda::LayerVersion")
def replace_layer(target: Resource, properties: JsonObject, earlier: Created) -> Created:
    """Publish the layer's next version; functions and versions that have the former one keep it."""
    return layer_version(target, properties)


@updates("AWS::Lambda::Version")
def replace_version(target: Resource, properties: JsonObject, earlier: Created) -> Created:
    """Publish another version; the former one stays, as its removal policy says."""
    return version(target, properties)


@updates("AWS::Lambda::Alias")
def update_alias(target: Resource, properties: JsonObject, earlier: Created) -> Created:
    """Let an alias point at another version."""
    definition, name = function_of(target, properties["FunctionName"]), properties["Name"]
    versions = target.deployment.versions
    for place, one in enumerate(versions):
        if (one.function, one.qualifier) == (definition.name, name):
            versions[place] = replace(one, version=properties["FunctionVersion"])
            break
    else:
        versions.append(FunctionVersion(definition.name, name, properties["FunctionVersion"], earlier.ref))
    request = {"FunctionVersion": properties["FunctionVersion"], "Name": name}
    target.client("lambda").update_alias(FunctionName=definition.name, **request)
    return earlier
