"""Versions of functions: moto gives the number of a version that was deleted to another one.

A new version gets the count of those that are there, plus one: after a deletion that is the number of one that was
deleted, or of one that still is there. AWS never gives a number out again.
"""

from moto.awslambda.models import LambdaFunction, LambdaStorage

from twin.moto_patches.patching import Patches

_NUMBERS = "_pentad_last_numbers"


def apply(patches: Patches) -> None:
    """Number versions upwards."""
    publish = LambdaStorage.publish_version

    def publish_version(self: LambdaStorage, name_or_arn: str, description: str = "") -> LambdaFunction | None:
        by_arn, versions = dict(self._arns), _list_versions(self, name_or_arn)
        last: dict[str, int] = vars(self).setdefault(_NUMBERS, {})  # as many as there are functions
        given = dict(last)
        published = publish(self, name_or_arn, description)
        if published is None or any(published is one for one in versions):
            return published
        name = published.function_name
        number = 1 + max([given.get(name, 0), *(int(one.version) for one in versions)])
        taken = published.function_arn
        del self._arns[taken]
        if taken in by_arn:
            self._arns[taken] = by_arn[taken]
        published.set_version(number)
        self._arns[published.function_arn] = published
        last[name] = number
        return published

    patches.set_attribute(LambdaStorage, "publish_version", publish_version)


def _list_versions(storage: LambdaStorage, name_or_arn: str) -> list[LambdaFunction]:
    function = storage.get_function_by_name_or_arn_forbid_qualifier(name_or_arn)
    entry = storage._functions.get(function.function_name)
    return list(entry["versions"]) if entry else []
