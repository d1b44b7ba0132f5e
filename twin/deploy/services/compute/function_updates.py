"""Lambda in a running twin: new code and configuration, layers, versions, and aliases that move."""

from dataclasses import replace

from twin.deploy.deployment import FunctionVersion
from twin.deploy.registry import Created, JsonObject, Resource, register_update
from twin.deploy.services.compute.functions import (
    build_configuration,
    build_definition,
    get_function,
    publish_layer_version,
    publish_version,
)


@register_update("AWS::Lambda::Function")
def update_function(target: Resource, properties: JsonObject, earlier: Created) -> Created:
    """Change a function; what is published keeps its code and configuration."""
    definition = build_definition(target, properties)
    if definition.name != earlier.ref:
        raise target.build_error("a running twin cannot rename a function: stop it and start it again")
    target.deployment.functions[definition.name] = definition
    request = build_configuration(properties, definition)
    target.get_client("lambda").update_function_configuration(FunctionName=definition.name, **request)
    return earlier


@register_update("AWS::Lambda::LayerVersion")
def replace_layer(target: Resource, properties: JsonObject, earlier: Created) -> Created:
    """Publish the layer's next version; functions and versions that have the former one keep it."""
    return publish_layer_version(target, properties)


@register_update("AWS::Lambda::Version")
def replace_version(target: Resource, properties: JsonObject, earlier: Created) -> Created:
    """Publish another version; the former one stays, as its removal policy says."""
    return publish_version(target, properties)


@register_update("AWS::Lambda::Alias")
def update_alias(target: Resource, properties: JsonObject, earlier: Created) -> Created:
    """Let an alias point at another version."""
    definition, name = get_function(target, properties["FunctionName"]), properties["Name"]
    versions = target.deployment.versions
    for place, one in enumerate(versions):
        if (one.function, one.qualifier) == (definition.name, name):
            versions[place] = replace(one, version=properties["FunctionVersion"])
            break
    else:
        versions.append(FunctionVersion(definition.name, name, properties["FunctionVersion"], earlier.ref))
    request = {"FunctionVersion": properties["FunctionVersion"], "Name": name}
    target.get_client("lambda").update_alias(FunctionName=definition.name, **request)
    return earlier
