"""Look up once what moto 5.2.5 looks up for each request: folders of its package, methods of a service's class.

It lists its package's folders on the disk and sorts all methods of the service's class, to find one of each.
"""

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
