"""Resolve CloudFormation's intrinsic functions against what has been created so far."""

import base64
import re
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from twin.deploy.errors import UnresolvedReference

JsonObject = dict[str, Any]

#: What `Ref: AWS::NoValue` resolves to: the key or list item that holds it is removed.
NO_VALUE = object()

_SUB = re.compile(r"\$\{(!?)([^}]+)\}")


class Scope(Protocol):
    """What intrinsics may refer to."""

    def resolve_ref(self, logical_id: str) -> Any:
        """Return a parameter's, pseudo parameter's or resource's reference value."""

    def resolve_attribute(self, logical_id: str, name: str) -> Any:
        """Return an attribute of a created resource."""

    def resolve_import(self, export: str) -> Any:
        """Return the value exported by another stack."""

    def resolve_mapping(self, name: str, top: str, second: str) -> Any:
        """Return a value of the template's Mappings."""

    def resolve_condition(self, name: str) -> bool:
        """Return the value of a named condition."""


class Resolver:
    """Replaces intrinsic functions in a template fragment by their values."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self._resolve_ref,
            "Fn::GetAtt": self._resolve_get_att,
            "Fn::Sub": self._resolve_sub,
            "Fn::Join": self._resolve_join,
            "Fn::Select": self._resolve_select,
            "Fn::Split": self._resolve_split,
            "Fn::FindInMap": self._resolve_find_in_map,
            "Fn::If": self._resolve_if,
            "Fn::ImportValue": lambda value: self._scope.resolve_import(self.resolve(value)),
            "Fn::Base64": lambda value: base64.b64encode(str(self.resolve(value)).encode()).decode(),
            "Fn::Equals": lambda pair: self._resolve_equals(pair),
            "Fn::And": lambda terms: all(self.is_true(term) for term in terms),
            "Fn::Or": lambda terms: any(self.is_true(term) for term in terms),
            "Fn::Not": lambda terms: not self.is_true(terms[0]),
        }

    def resolve(self, value: Any) -> Any:
        """Return `value` with every intrinsic replaced; `AWS::NoValue` entries are dropped.

        Raises:
            UnresolvedReference: an intrinsic is unknown or names something that does not exist.
        """
        if isinstance(value, dict):
            return self._resolve_object(value)
        if isinstance(value, list):
            items = [self.resolve(item) for item in value]
            return [item for item in items if item is not NO_VALUE]
        if isinstance(value, str) and "{{resolve:" in value:
            raise UnresolvedReference(f"dynamic reference {value!r}: read the secret at run time instead")
        return value

    def is_true(self, expression: Any) -> bool:
        """Evaluate a condition expression."""
        if isinstance(expression, dict) and set(expression) == {"Condition"}:
            return self._scope.resolve_condition(expression["Condition"])
        return self.resolve(expression) is True

    def _resolve_object(self, value: JsonObject) -> Any:
        if len(value) == 1:
            [(name, argument)] = value.items()
            function = self._functions.get(name)
            if function is not None:
                return function(argument)
            if name.startswith("Fn::"):
                raise UnresolvedReference(f"the local twin does not support the intrinsic function '{name}'")
        resolved = {key: self.resolve(item) for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not NO_VALUE}

    def _resolve_ref(self, name: str) -> Any:
        return NO_VALUE if name == "AWS::NoValue" else self._scope.resolve_ref(name)

    def _resolve_get_att(self, argument: Any) -> Any:
        parts = argument.split(".", 1) if isinstance(argument, str) else argument
        return self._scope.resolve_attribute(parts[0], self.resolve(parts[1]))

    def _resolve_sub(self, argument: Any) -> str:
        text, local = (argument, {}) if isinstance(argument, str) else argument
        variables: Mapping[str, Any] = {key: self.resolve(item) for key, item in local.items()}

        def replace_variable(match: re.Match[str]) -> str:
            literal, name = match.group(1), match.group(2).strip()
            if literal:
                return "${" + name + "}"
            if name in variables:
                return str(variables[name])
            if "." in name:
                return str(self._resolve_get_att(name))
            return str(self._scope.resolve_ref(name))

        return _SUB.sub(replace_variable, text)

    def _resolve_join(self, argument: Any) -> str:
        delimiter, parts = argument
        return str(delimiter).join(str(part) for part in self.resolve(parts))

    def _resolve_select(self, argument: Any) -> Any:
        index, options = int(self.resolve(argument[0])), self.resolve(argument[1])
        if not 0 <= index < len(options):
            raise UnresolvedReference(f"Fn::Select: no item {index} in a list of {len(options)}")
        return options[index]

    def _resolve_split(self, argument: Any) -> list[str]:
        return str(self.resolve(argument[1])).split(argument[0])

    def _resolve_find_in_map(self, argument: Any) -> Any:
        name, top, second = (self.resolve(part) for part in argument)
        return self._scope.resolve_mapping(name, top, second)

    def _resolve_if(self, argument: Any) -> Any:
        condition, then, otherwise = argument
        return self.resolve(then if self._scope.resolve_condition(condition) else otherwise)

    def _resolve_equals(self, pair: Any) -> bool:
        return bool(_to_comparable(self.resolve(pair[0])) == _to_comparable(self.resolve(pair[1])))


def _to_comparable(value: Any) -> Any:
    """CloudFormation compares strings: true and "true", 1 and "1" are the same to it."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


def collect_references(value: Any) -> set[str]:
    """Return the logical ids (and parameter names) that a template fragment refers to."""
    found: set[str] = set()
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, list):
            pending.extend(item)
        elif isinstance(item, dict):
            found |= _collect_own_references(item)
            pending.extend(item.values())
    return found


def _collect_own_references(item: JsonObject) -> set[str]:
    if len(item) != 1:
        return set()
    [(name, argument)] = item.items()
    if name == "Ref":
        return {argument}
    if name == "Fn::GetAtt":
        return {argument.split(".", 1)[0] if isinstance(argument, str) else argument[0]}
    if name == "Fn::Sub":
        text, local = (argument, {}) if isinstance(argument, str) else argument
        names = {match.group(2).strip() for match in _SUB.finditer(text) if not match.group(1)}
        return {name.split(".", 1)[0] for name in names - set(local)}
    return set()
