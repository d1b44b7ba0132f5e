"""What S3 refuses of objects: their keys, lists of grants, metadata and tags, and lists of what to delete."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from urllib.parse import parse_qsl

from twin.front.checks.messages import Refusal
from twin.front.model import ApiCall

KEY_BYTES: Final = 1024
"""Longest key of an object, in UTF-8 (S3 user guide, "Naming Amazon S3 objects")."""

METADATA_BYTES: Final = 2048
"""Most user-defined metadata of an object, names and values (S3 user guide, "Working with object metadata")."""

DELETED_KEYS: Final = 1000
"""Most objects of a DeleteObjects (API reference)."""

TAGS: Final = 10
"""Most tags of an object (S3 user guide, "Categorizing your objects using tags")."""

TAG_KEY_CHARACTERS: Final = 128
TAG_VALUE_CHARACTERS: Final = 256

_LARGEST_INTEGER: Final = 2_147_483_647
_OWNERS_ACL: Final = "bucket-owner-full-control"
_METADATA: Final = "x-amz-meta-"
_WRITES: Final = ("PutObject", "CopyObject", "CreateMultipartUpload")


def check_object(call: ApiCall) -> Refusal | None:
    """Return why a request for an object is refused by its key, or what is written by what it brings."""
    if len(str(call.params.get("Key", "")).encode()) > KEY_BYTES:
        return "KeyTooLongError", "Your key is too long"
    return check_acl(call) or _check_brought(call) if call.operation in _WRITES else None


def check_acl(call: ApiCall) -> Refusal | None:
    """Buckets enforce their owner: a list of others is refused (S3 user guide, "Controlling ownership of objects")."""
    acl = call.headers.get("x-amz-acl", _OWNERS_ACL)
    grants = any(name.startswith("x-amz-grant-") for name in call.headers)
    own = call.operation not in ("PutObjectAcl", "PutBucketAcl") and not grants
    return None if own and acl == _OWNERS_ACL else ("AccessControlListNotSupported", "The bucket does not allow ACLs")


def _check_brought(call: ApiCall) -> Refusal | None:
    metadata = {name: value for name, value in call.headers.items() if name.startswith(_METADATA)}
    size = sum(len(name.removeprefix(_METADATA)) + len(value.encode()) for name, value in metadata.items())
    if size > METADATA_BYTES:
        return "MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size"
    return check_tags(parse_qsl(call.headers.get("x-amz-tagging", ""), keep_blank_values=True))


def check_tags(tags: Iterable[tuple[str, str]]) -> Refusal | None:
    """Return why an object does not get these tags, None where it does."""
    pairs = list(tags)
    if len(pairs) > TAGS:
        return "BadRequest", f"Object tags cannot be greater than {TAGS}"
    if len({key for key, _ in pairs}) != len(pairs):
        return "InvalidTag", "Cannot provide multiple Tags with the same key"
    for key, value in pairs:
        if not 1 <= len(key) <= TAG_KEY_CHARACTERS:
            return "InvalidTag", "The TagKey you have provided is invalid"
        if len(value) > TAG_VALUE_CHARACTERS:
            return "InvalidTag", "The TagValue you have provided is invalid"
    return None


def check_listing(call: ApiCall) -> Refusal | None:
    """Return why a page of a list of objects is refused, None where it is given."""
    wanted = call.query.get("max-keys", "1000")
    short = len(wanted) <= len(str(_LARGEST_INTEGER))
    if short and wanted.isascii() and wanted.isdecimal() and int(wanted) <= _LARGEST_INTEGER:
        return None
    return "InvalidArgument", f"Argument maxKeys must be an integer between 0 and {_LARGEST_INTEGER}"


def check_deletion(call: ApiCall) -> Refusal | None:
    """Return why a list of objects to delete is refused, None where it is taken."""
    try:
        keys = [str(one["Key"]) for one in call.params["Delete"]["Objects"]]
    except (KeyError, TypeError):
        keys = []
    if not 1 <= len(keys) <= DELETED_KEYS or not all(keys):
        told = "The XML you provided was not well-formed or did not validate against our published schema"
        return "MalformedXML", told
    return None
