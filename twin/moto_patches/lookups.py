"""What moto looks up anew for each request: the folders of its own package, and the methods of a service's class."""

import inspect

from moto import backends
from moto.core import responses

from twin.moto_patches.patching import Patches


class MethodNames:
    """The names of a class's methods, of which one is looked for: asked each time, since patches add methods."""

    def __init__(self, owner: type) -> None:
        self._owner = owner

    def __contains__(self, name: str) -> bool:
        return inspect.isfunction(getattr(self._owner, name, None))


def apply(patches: Patches) -> None:
    """Read the folders once, and look for the one method."""
    names = frozenset(backends.list_of_moto_modules())
    patches.set_attribute(backends, "list_of_moto_modules", lambda: names)
    patches.set_attribute(responses, "method_names_from_class", MethodNames)
