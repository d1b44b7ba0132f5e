"""Policies of S3 buckets.

What moto gets wrong: a bucket policy is evaluated without its conditions, so a statement that denies plain HTTP denies
every upload. The front evaluates bucket policies with their conditions before a call reaches moto.
"""

from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket

from twin.moto_patches.patching import Patches


def apply(patches: Patches) -> None:
    """Let moto's buckets have no opinion on who may call."""
    patches.set_attribute(FakeBucket, "get_permission", lambda self, action, resource: PermissionResult.NEUTRAL)
