"""Count or remove all items of a partition, and all versions of the objects below a prefix."""

from collections.abc import Iterator, Sequence
from typing import Any

from pentad.aws.errors import translate_errors
from pentad.aws.table import Item, Table
from pentad.domain.errors import StoreUnavailable

_PAGE = 200
_MAX_PAGES = 10_000


def count_items(table: Table, pk: str, *, besides: Sequence[str] = ()) -> int:
    """Return how many items a partition has besides those of some sort keys.

    Raises:
        StoreUnavailable: the table did not answer.
    """
    return sum(item["sk"] not in besides for item in _iter_items(table, pk))


def wipe_partition(table: Table, pk: str, *, last: Sequence[str] = ()) -> int:
    """Remove all items of a partition and return how many that were.

    Args:
        table: the table.
        pk: the partition.
        last: sort keys of items that go after all others, in this order, whether they are there or not.

    Raises:
        StoreUnavailable: the table did not answer.
    """
    count = 0
    for item in _iter_items(table, pk):
        count += 1
        if item["sk"] not in last:
            table.delete(pk, str(item["sk"]))
    for sk in last:
        table.delete(pk, sk)
    return count


def _iter_items(table: Table, pk: str) -> Iterator[Item]:
    """Yield the items of a partition page by page; those that were yielded may go meanwhile."""
    start: Item | None = None
    for _ in range(_MAX_PAGES):
        items, start = table.query(pk, limit=_PAGE, start=start)
        yield from items
        if start is None:
            return


class VersionedObjects:
    """The objects of a bucket with all their versions.

    Args:
        client: a low-level S3 client.
        bucket: the bucket's name.
    """

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def list_names(self, prefix: str) -> dict[str, bool]:
        """Return the keys below a prefix that have versions, and of each whether it is there for a reader now.

        Raises:
            StoreUnavailable: S3 did not answer.
        """
        found: dict[str, bool] = {}
        for page in self._iter_pages(prefix):
            for one in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                found.setdefault(str(one["Key"]), False)
            for one in page.get("Versions", ()):
                found[str(one["Key"])] |= bool(one["IsLatest"])
        return found

    def count(self, prefix: str) -> int:
        """Return how many versions there are below a prefix, delete markers included.

        Raises:
            StoreUnavailable: S3 did not answer.
        """
        return sum(len(_list_versions(page)) for page in self._iter_pages(prefix))

    def wipe(self, prefix: str, *, key: str | None = None) -> int:
        """Remove all versions below a prefix, delete markers included, and return how many that were.

        Args:
            prefix: what the keys begin with.
            key: only this one.

        Raises:
            StoreUnavailable: S3 did not answer, or did not remove all.
        """
        count = 0
        for page in self._iter_pages(prefix):
            found = [one for one in _list_versions(page) if key is None or one["Key"] == key]
            count += len(found)
            if found:
                self._remove(found)
        return count

    def hide(self, key: str) -> None:
        """Put a delete marker on an object, which S3 tells of; its versions stay.

        Raises:
            StoreUnavailable: S3 did not answer.
        """
        with translate_errors("the bucket"):
            self._client.delete_object(Bucket=self._bucket, Key=key)

    def _iter_pages(self, prefix: str) -> Iterator[Any]:
        markers: dict[str, str] = {}
        for _ in range(_MAX_PAGES):
            with translate_errors("the bucket"):
                page = self._client.list_object_versions(Bucket=self._bucket, Prefix=prefix, **markers)
            yield page
            if not page.get("IsTruncated"):
                return
            markers = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}

    def _remove(self, found: list[dict[str, str]]) -> None:
        with translate_errors("the bucket"):
            reply = self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": found, "Quiet": True})
        if reply.get("Errors"):
            code = reply["Errors"][0].get("Code", "unknown")
            raise StoreUnavailable(f"the bucket did not remove {len(reply['Errors'])} versions: {code}")


def _list_versions(page: Any) -> list[dict[str, str]]:
    every = (*page.get("Versions", ()), *page.get("DeleteMarkers", ()))
    return [{"Key": str(one["Key"]), "VersionId": str(one["VersionId"])} for one in every]
