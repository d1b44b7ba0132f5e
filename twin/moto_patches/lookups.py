"""What moto looks up anew for each request: the folders of its own package, and the methods of a service's class."""

from functools import cache

from moto import backends
from moto.core import responses, utils

from twin.moto_patches.patching import Patches


def apply(patches: Patches) -> None:
    """Look each up once."""
    names = frozenset(backends.list_of_moto_modules())
    patches.set_attribute(backends, "list_of_moto_modules", lambda: names)
    patches.set_attribute(responses, "method_names_from_class", cache(utils.method_names_from_class))
