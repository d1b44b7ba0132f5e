"""Deployment errors.

DeployError
├── UnknownResourceType     no function creates this resource type
├── UnknownProperty         the type is known, the property is not: it would be silently lost
├── UnresolvedReference     an intrinsic names something that does not exist
├── ResourceFailed          the local AWS refused the request
└── UpdateRefused           a running twin cannot be changed like this: nothing was changed
"""


class DeployError(Exception):
    """A resource of the assembly cannot be created locally; the message names it."""


class UnknownResourceType(DeployError):
    """No local implementation for a resource type."""

    def __init__(self, logical_id: str, resource_type: str) -> None:
        reason = f"the local twin does not support the type '{resource_type}': twin/README.md lists what it supports"
        super().__init__(f"'{logical_id}': {reason}")
        self.logical_id = logical_id
        self.resource_type = resource_type


class UnknownProperty(DeployError):
    """A property that nothing handles and nothing lists as ignored."""

    def __init__(self, logical_id: str, resource_type: str, name: str) -> None:
        super().__init__(f"'{logical_id}' ({resource_type}): the local twin does not support the property '{name}'")
        self.logical_id = logical_id
        self.resource_type = resource_type
        self.name = name


class UnresolvedReference(DeployError):
    """An intrinsic function refers to something unknown."""


class ResourceFailed(DeployError):
    """Creating a resource failed."""

    def __init__(self, logical_id: str, resource_type: str, reason: str) -> None:
        super().__init__(f"'{logical_id}' ({resource_type}): {reason}")
        self.logical_id = logical_id
        self.resource_type = resource_type


class UpdateRefused(DeployError):
    """The new assembly differs from the running one in what only a new start can change."""
