"""Pages of lists of objects.

What moto gets wrong: a continuation token that it did not give out ends in an internal error.
"""

from typing import Any

from moto.s3.exceptions import InvalidContinuationToken
from moto.s3.models import S3Backend

from twin.moto_patches.patching import Patches


def _wrap_get_results(original: Any) -> Any:
    def get_results_from_token(self: Any, result_keys: Any, token: Any) -> Any:
        if token is None:
            raise InvalidContinuationToken()
        return original(self, result_keys, token)

    return get_results_from_token


def apply(patches: Patches) -> None:
    """Install the patches of this module."""
    patches.set_attribute(S3Backend, "_get_results_from_token", _wrap_get_results(S3Backend._get_results_from_token))
