"""What every object store does."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from botocore.exceptions import ClientError

from pentad.domain.errors import ConfigurationError, NotFound
from pentad.memory.objects.adapters.objects_memory import MemoryObjects
from pentad.memory.objects.adapters.objects_s3 import S3Objects
from pentad.memory.objects.ports import ObjectStore
from tests.contract.memory.aws import BUCKET, local_aws


@pytest.fixture(params=["memory", "s3", "s3 with versions"])
def objects(request: pytest.FixtureRequest) -> Iterator[ObjectStore]:
    with ExitStack() as stack:
        if request.param == "memory":
            yield MemoryObjects()
        else:
            _, s3 = stack.enter_context(local_aws(versioned=request.param.endswith("versions")))
            yield S3Objects(s3, BUCKET)


def test_what_is_not_there_is_none_or_not_found(objects: ObjectStore) -> None:
    assert objects.get_head("acme/a.md") is None
    with pytest.raises(NotFound):
        objects.get("acme/a.md")


def test_an_object_comes_back_with_its_type_and_size(objects: ObjectStore) -> None:
    objects.put("acme/ä b.md", b"words", media_type="text/markdown; charset=utf-8")
    head = objects.get_head("acme/ä b.md")
    assert head is not None
    assert (head.bytes, head.media_type) == (5, "text/markdown; charset=utf-8")
    assert objects.get("acme/ä b.md", version=head.version) == b"words"


def test_other_content_is_another_version(objects: ObjectStore) -> None:
    objects.put("k", b"one")
    first = objects.get_head("k")
    objects.put("k", b"two")
    second = objects.get_head("k")
    assert first is not None
    assert second is not None
    assert first.version != second.version
    with pytest.raises(NotFound):
        objects.get("k", version=first.version)
    assert objects.get("k") == b"two"


def test_a_bucket_that_is_not_there_is_a_configuration_error() -> None:
    with local_aws() as (_, s3), pytest.raises(ConfigurationError):
        S3Objects(s3, "nowhere").get("k")


def test_a_refused_head_is_a_configuration_error() -> None:
    class Refusing:
        def head_object(self, **arguments: str) -> None:
            raise ClientError({"Error": {"Code": "403", "Message": "Forbidden"}}, "HeadObject")

    with pytest.raises(ConfigurationError, match="refused"):
        S3Objects(Refusing(), BUCKET).get_head("k")
