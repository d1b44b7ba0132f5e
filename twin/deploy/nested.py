"""Put nested stacks into the stack that holds them: what they make is the same, and so it can be updated alike.

CloudFormation makes a stack of its own of each ``AWS::CloudFormation::Stack``, hands parameters in and takes outputs
out. Here their resources become the parent's, under the nested stack's logical id and their own. So a nested stack has
no stack of its own in the local AWS: ``AWS::StackName`` and ``AWS::StackId`` are the parent's, and so is the stack in a
name that CloudFormation would generate.
"""

import copy
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

JsonObject = dict[str, Any]
Read = Callable[[str], JsonObject]
"""Given the object key of a nested stack's template, returns the template."""

NESTED = "AWS::CloudFormation::Stack"
_DEEPEST = 5
_MOST_HOPS = 20
_SUB = re.compile(r"\$\{(!?)([^}]+)\}")
_KNOWN = frozenset({"TemplateURL", "Parameters", "Tags", "NotificationARNs", "TimeoutInMinutes"})


class NestedStackError(Exception):
    """A nested stack can't be put into its parent; the message names it and says why."""


@dataclass
class _Renaming:
    """What the names of a nested stack's template mean in the parent's."""

    prefix: str
    resources: frozenset[str]
    parameters: Mapping[str, Any]
    conditions: frozenset[str] = frozenset()
    mappings: frozenset[str] = frozenset()


def inline_nested(template: JsonObject, read: Read, depth: int = 0) -> JsonObject:
    """Return a template whose nested stacks' resources are its own.

    Args:
        template: of a stack.
        read: see `Read`.
        depth: how many stacks are around it.

    Raises:
        NestedStackError: a nested stack can't be read, or uses what is not known.
    """
    nested = {key: body for key, body in template.get("Resources", {}).items() if body.get("Type") == NESTED}
    if not nested:
        return template
    if depth >= _DEEPEST:
        raise NestedStackError(f"'{next(iter(nested))}': more than {_DEEPEST} stacks are nested in each other")
    whole = copy.deepcopy(template)
    outputs: dict[str, dict[str, Any]] = {}
    members: dict[str, list[str]] = {}
    for logical_id, body in nested.items():
        inner = inline_nested(_read_template(logical_id, body, read), read, depth + 1)
        outputs[logical_id], members[logical_id] = _merge(whole, logical_id, body, inner)
    for section in ("Resources", "Outputs", "Conditions"):
        if section in whole:
            whole[section] = _resolve_outputs(whole[section], outputs)
    _resolve_dependencies(whole["Resources"], members)
    return whole


def _read_template(logical_id: str, body: JsonObject, read: Read) -> JsonObject:
    properties: JsonObject = body.get("Properties", {})
    for name in properties:
        if name not in _KNOWN:
            raise NestedStackError(f"'{logical_id}' ({NESTED}): the local twin does not support the property '{name}'")
    key = _find_last_text(properties.get("TemplateURL")).rpartition("/")[2]
    if not key:
        raise NestedStackError(f"'{logical_id}' ({NESTED}): its TemplateURL names no asset")
    return read(key)


def _find_last_text(url: Any) -> str:
    """Return the end of a URL, which CDK joins from parts."""
    if isinstance(url, str):
        return url
    if not isinstance(url, dict):
        return ""
    last = url["Fn::Join"][1][-1] if "Fn::Join" in url else url.get("Fn::Sub")
    return last if isinstance(last, str) else ""


def _merge(whole: JsonObject, logical_id: str, body: JsonObject, inner: JsonObject) -> tuple[dict[str, Any], list[str]]:
    """Add a nested stack's parts to the whole, and return its outputs and the ids of its resources there."""
    given: JsonObject = body.get("Properties", {}).get("Parameters", {})
    parameters: dict[str, Any] = {}
    for name, declared in inner.get("Parameters", {}).items():
        if name not in given and "Default" not in declared:
            raise NestedStackError(f"'{logical_id}' ({NESTED}): the parameter '{name}' has no value")
        parameters[name] = given.get(name, declared.get("Default"))
    names = _Renaming(
        prefix=logical_id,
        resources=frozenset(inner.get("Resources", {})),
        parameters=parameters,
        conditions=frozenset(inner.get("Conditions", {})),
        mappings=frozenset(inner.get("Mappings", {})),
    )
    for section in ("Conditions", "Mappings"):
        for name, value in inner.get(section, {}).items():
            renamed = _rename(value, names) if section == "Conditions" else value
            whole.setdefault(section, {})[logical_id + name] = renamed
    del whole["Resources"][logical_id]
    made: list[str] = []
    for name, resource in inner.get("Resources", {}).items():
        made.append(logical_id + name)
        whole["Resources"][logical_id + name] = _rename_resource(resource, names, body)
    outputs = {name: _rename(one["Value"], names) for name, one in inner.get("Outputs", {}).items()}
    return outputs, made


def _rename_resource(resource: JsonObject, names: _Renaming, body: JsonObject) -> JsonObject:
    renamed = {key: _rename(value, names) for key, value in resource.items() if key not in ("DependsOn", "Condition")}
    waits = [f"{names.prefix}{one}" for one in _as_list(resource.get("DependsOn"))] + _as_list(body.get("DependsOn"))
    if waits:
        renamed["DependsOn"] = waits
    wanted = [f"{names.prefix}{resource['Condition']}"] if "Condition" in resource else []
    if "Condition" in body:
        wanted.append(body["Condition"])
    if len(wanted) > 1:
        raise NestedStackError(f"'{names.prefix}' ({NESTED}): it has a condition, and so have resources of it")
    if wanted:
        renamed["Condition"] = wanted[0]
    return renamed


def _as_list(value: Any) -> list[str]:
    return [] if value is None else [value] if isinstance(value, str) else list(value)


def _rename(value: Any, names: _Renaming) -> Any:
    """Return a part of a nested template in the parent's names, its parameters replaced by what they are given."""
    if isinstance(value, list):
        return [_rename(item, names) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        [(name, argument)] = value.items()
        if name == "Ref":
            return _rename_reference(argument, names)
        if name == "Fn::GetAtt":
            return {name: _rename_attribute(argument, names)}
        if name == "Fn::Sub":
            return {name: _rename_text(argument, names)}
        if name == "Condition" and argument in names.conditions:
            return {name: names.prefix + argument}
        if name == "Fn::If" and argument[0] in names.conditions:
            return {name: [names.prefix + argument[0], *_rename(argument[1:], names)]}
        if name == "Fn::FindInMap" and argument[0] in names.mappings:
            return {name: [names.prefix + argument[0], *_rename(argument[1:], names)]}
    return {key: _rename(item, names) for key, item in value.items()}


def _rename_reference(name: str, names: _Renaming) -> Any:
    if name in names.parameters:
        return copy.deepcopy(names.parameters[name])
    return {"Ref": names.prefix + name if name in names.resources else name}


def _rename_attribute(argument: Any, names: _Renaming) -> list[Any]:
    parts = argument.split(".", 1) if isinstance(argument, str) else list(argument)
    return [names.prefix + parts[0] if parts[0] in names.resources else parts[0], _rename(parts[1], names)]


def _rename_text(argument: Any, names: _Renaming) -> list[Any]:
    """Return a text with variables for what it names of the nested stack."""
    text, local = (argument, {}) if isinstance(argument, str) else argument
    variables: JsonObject = {key: _rename(value, names) for key, value in local.items()}

    def replace_variable(match: re.Match[str]) -> str:
        literal, name = match.group(1), match.group(2).strip()
        if literal or name in local:
            return match.group(0)
        first, _, attribute = name.partition(".")
        if first not in names.resources and first not in names.parameters:
            return match.group(0)
        key = f"Nested{len(variables)}"
        variables[key] = _rename({"Fn::GetAtt": [first, attribute]} if attribute else {"Ref": first}, names)
        return "${" + key + "}"

    return [_SUB.sub(replace_variable, text), variables]


def _resolve_outputs(value: Any, outputs: Mapping[str, Mapping[str, Any]], hops: int = 0) -> Any:
    """Return a part of the template with the outputs of nested stacks replaced by what they are."""
    if hops > _MOST_HOPS:
        raise NestedStackError("outputs of nested stacks lead to each other in a circle")
    if isinstance(value, list):
        return [_resolve_outputs(item, outputs, hops) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"Fn::GetAtt"}:
        argument = value["Fn::GetAtt"]
        parts = argument.split(".", 1) if isinstance(argument, str) else argument
        if parts[0] in outputs:
            name = str(parts[1]).removeprefix("Outputs.")
            if name not in outputs[parts[0]]:
                raise NestedStackError(f"'{parts[0]}' ({NESTED}) has no output '{name}'")
            return _resolve_outputs(copy.deepcopy(outputs[parts[0]][name]), outputs, hops + 1)
    return {key: _resolve_outputs(item, outputs, hops) for key, item in value.items()}


def _resolve_dependencies(resources: JsonObject, members: Mapping[str, Iterable[str]]) -> None:
    """Let what waits for a nested stack wait for each of its resources."""
    for body in resources.values():
        waits = _as_list(body.get("DependsOn"))
        if any(one in members for one in waits):
            body["DependsOn"] = [made for one in waits for made in members.get(one, (one,))]
