"""The functions that the host knows, and how Lambda's names for them resolve."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from typing import Final

from twin.host.model import LATEST, FunctionNotFound, FunctionSpec

_ARN: Final = re.compile(r"^arn:aws[\w-]*:lambda:[\w-]+:\d{12}:function:(?P<name>[\w-]+)(:(?P<qualifier>[\w$-]+))?$")
_PARTIAL: Final = re.compile(r"^\d{12}:function:(?P<name>[\w-]+)(:(?P<qualifier>[\w$-]+))?$")
_NAME: Final = re.compile(r"^(?P<name>[\w-]+)(:(?P<qualifier>[\w$-]+))?$")


@dataclass(frozen=True, slots=True)
class Target:
    """A resolved function: its specification, the version that runs, and the ARN it was invoked by."""

    spec: FunctionSpec
    version: str
    invoked_arn: str


def split_name(reference: str) -> tuple[str, str | None]:
    """Split a function name, partial ARN or ARN into name and qualifier.

    Raises:
        FunctionNotFound: It is none of them.
    """
    for pattern in (_ARN, _PARTIAL, _NAME):
        match = pattern.match(reference)
        if match:
            return match["name"], match["qualifier"]
    raise FunctionNotFound(f"Function not found: {reference}")


class FunctionRegistry:
    """Specifications by name, and versions and aliases by qualifier.

    A published version keeps the specification that the function had as it was published. Where that is still the
    function's own, both are one object, and so share their instances.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._specs: dict[str, FunctionSpec] = {}
        self._versions: dict[tuple[str, str], FunctionSpec] = {}
        self._qualifiers: dict[tuple[str, str], str] = {}

    def add(self, spec: FunctionSpec) -> bool:
        """Add or replace a function, published versions aside; tell whether an earlier one changed."""
        with self._lock:
            earlier = self._specs.get(spec.name)
            if earlier == spec:
                return False  # keep the very object, by which running instances are known to be current
            published = (one for (name, _), one in self._versions.items() if name == spec.name and one == spec)
            self._specs[spec.name] = next(published, spec)
            return earlier is not None

    def remove(self, name: str) -> None:
        """Forget a function with its versions and aliases."""
        with self._lock:
            self._specs.pop(name, None)
            self._qualifiers = {key: version for key, version in self._qualifiers.items() if key[0] != name}
            self._versions = {key: spec for key, spec in self._versions.items() if key[0] != name}

    def add_qualifier(self, name: str, qualifier: str, version: str) -> None:
        """Let `name:qualifier` run `version`. A version that is named for the first time is what is registered now."""
        with self._lock:
            self._qualifiers[name, qualifier] = version
            if name in self._specs:
                self._versions.setdefault((name, version), self._specs[name])

    def is_current(self, spec: FunctionSpec) -> bool:
        """Tell whether the specification is the registered one, or that of a published version."""
        with self._lock:
            known = [self._specs.get(spec.name)]
            known += [one for (name, _), one in self._versions.items() if name == spec.name]
        return any(one is spec for one in known)

    def resolve(self, reference: str, qualifier: str | None = None) -> Target:
        """Find a function by name, partial ARN or ARN, each with or without a qualifier.

        Raises:
            FunctionNotFound: No such function, version or alias.
        """
        name, own = split_name(reference)
        qualifier = qualifier or own
        with self._lock:
            spec = self._specs.get(name)
            version = LATEST if qualifier in (None, LATEST) else self._qualifiers.get((name, str(qualifier)))
            if spec is not None and version is not None:
                spec = self._versions.get((name, version), spec)
        if spec is None or version is None:
            arn = spec.arn if spec else reference
            raise FunctionNotFound(f"Function not found: {arn}{f':{qualifier}' if qualifier and spec else ''}")
        return Target(spec, version, f"{spec.arn}:{qualifier}" if qualifier else spec.arn)

    def has_role(self, role_arn: str | None) -> bool:
        """Tell whether a role is that of a function."""
        with self._lock:
            return role_arn is not None and any(spec.role_arn == role_arn for spec in self._specs.values())
