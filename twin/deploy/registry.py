"""The table of resource types: which function creates each, and which properties it handles or ignores."""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twin.deploy.assembly import Stack
from twin.deploy.deployment import Deployment
from twin.deploy.errors import ResourceFailed, UnknownProperty, UnknownResourceType

JsonObject = dict[str, Any]

#: Reasons for ignoring a property, said once.
TAGS = "tags have no effect on the laptop"
REPLICATION = "a laptop is one region"
COST = "a billing or durability choice without a local meaning"
METADATA = "descriptive only"


@dataclass(frozen=True)
class Place:
    """Where resources are created."""

    region: str
    account: str
    partition: str = "aws"
    scratch: Path = field(default_factory=lambda: Path(".twin") / "assets")
    #: Gives the URL of an HTTP API by its id: what `GetAtt Api.ApiEndpoint` answers. None: the URL on AWS.
    api_endpoint: Callable[[str], str] | None = None


@dataclass(frozen=True)
class Created:
    """A created resource: what `Ref` and `Fn::GetAtt` give."""

    ref: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Resource:
    """The resource being created: its identity, the clients to create it with, and what exists already."""

    logical_id: str
    resource_type: str
    stack: Stack
    place: Place
    clients: Callable[[str], Any]
    deployment: Deployment

    def get_client(self, service: str) -> Any:
        """Return the boto3 client of `service` with administrator credentials."""
        return self.clients(service)

    def physical_name(self, *, limit: int, lower: bool = False, suffix: str = "") -> str:
        """Return the name CloudFormation would generate: stack, logical id and a deterministic suffix."""
        digest = hashlib.sha256(f"{self.stack.name}/{self.logical_id}".encode()).hexdigest()[:12]
        tail = (digest if lower else digest.upper()) + suffix
        room = limit - len(tail) - 2
        stack, logical = self.stack.name, self.logical_id
        if len(stack) + len(logical) > room:
            stack = stack[: max(room - len(logical), room // 2)]
            logical = logical[: room - len(stack)]
        name = f"{stack}-{logical}-{tail}"
        return name.lower() if lower else name

    def format_arn(self, service: str, rest: str) -> str:
        """Return the ARN of something of this account and region."""
        return f"arn:{self.place.partition}:{service}:{self.place.region}:{self.place.account}:{rest}"

    def build_error(self, reason: str) -> ResourceFailed:
        """Return the error that names this resource."""
        return ResourceFailed(self.logical_id, self.resource_type, reason)

    def check_keys(self, path: str, value: Mapping[str, Any], allowed: Iterable[str]) -> None:
        """Refuse nested keys beyond `allowed`.

        Raises:
            UnknownProperty: naming the full path of the first unknown key.
        """
        known = set(allowed)
        for key in value:
            if key not in known:
                raise UnknownProperty(self.logical_id, self.resource_type, f"{path}.{key}")


Creator = Callable[[Resource, JsonObject], Created]


@dataclass(frozen=True)
class ResourceKind:
    """One row of the table."""

    create: Creator
    handled: frozenset[str]
    ignored: Mapping[str, str]


_KINDS: dict[str, ResourceKind] = {}


def register_resource(
    resource_type: str, handled: Iterable[str] = (), ignored: Mapping[str, str] | None = None
) -> Callable[[Creator], Creator]:
    """Register the decorated function for `resource_type`; `ignored` gives a reason for each property."""

    def register(create: Creator) -> Creator:
        _KINDS[resource_type] = ResourceKind(create, frozenset(handled), dict(ignored or {}))
        return create

    return register


Updater = Callable[[Resource, JsonObject, Created], Created]
_UPDATERS: dict[str, Updater] = {}


def register_update(resource_type: str) -> Callable[[Updater], Updater]:
    """Register the decorated function as what changes a resource of `resource_type` in a running twin.

    It gets the new properties and what the resource was, and returns what it is now: another reference where
    CloudFormation would replace it.
    """

    def register(change: Updater) -> Updater:
        _UPDATERS[resource_type] = change
        return change

    return register


def is_updatable(resource_type: str) -> bool:
    """Tell whether a running twin can change resources of this type."""
    return resource_type in _UPDATERS


def update(target: Resource, properties: JsonObject, earlier: Created) -> Created:
    """Change one resource to new, resolved properties.

    Raises:
        ResourceFailed: the local AWS refused it.
    """
    return _UPDATERS[target.resource_type](target, select_handled(target.resource_type, properties), earlier)


def select_handled(resource_type: str, properties: JsonObject) -> JsonObject:
    """Return the properties that have an effect here."""
    handled = _KINDS[resource_type].handled
    return {key: value for key, value in properties.items() if key in handled}


def list_types() -> tuple[str, ...]:
    """Return every resource type the twin can create."""
    return tuple(sorted(_KINDS))


def create(target: Resource, properties: JsonObject) -> Created:
    """Create one resource from its resolved properties.

    Raises:
        UnknownResourceType: nothing creates this type.
        UnknownProperty: a property is neither handled nor listed as ignored.
        ResourceFailed: the local AWS refused it.
    """
    kind = check(target.logical_id, target.resource_type, properties)
    return kind.create(target, select_handled(target.resource_type, properties))


def check(logical_id: str, resource_type: str, properties: Iterable[str]) -> ResourceKind:
    """Return the row for `resource_type` after checking that it knows every property.

    Raises:
        UnknownResourceType: nothing creates this type.
        UnknownProperty: a property is neither handled nor listed as ignored.
    """
    kind = _KINDS.get(resource_type)
    if kind is None:
        raise UnknownResourceType(logical_id, resource_type)
    for name in properties:
        if name not in kind.handled and name not in kind.ignored:
            raise UnknownProperty(logical_id, resource_type, name)
    return kind


def as_json(value: Any) -> str:
    """Return a policy or definition as JSON text; a string is passed through."""
    return value if isinstance(value, str) else json.dumps(value)


def to_camel_case(value: Any) -> Any:
    """Return a structure with keys in lowerCamelCase, as some AWS APIs want what CloudFormation capitalises."""
    if isinstance(value, dict):
        return {re.sub(r"^[A-Z]+(?=[A-Z][a-z]|$)|^[A-Z]", lambda m: m.group(0).lower(), key): to_camel_case(item)
                for key, item in value.items()}  # fmt: skip
    return [to_camel_case(item) for item in value] if isinstance(value, list) else value
