"""Keep bodies that are too large for a DynamoDB item in S3, with a reference in the item."""

from pentad.aws.table import Item
from pentad.memory.objects.ports import ObjectStore

# An item may have 400 KB and a transaction 4 MB: a turn with 16 calls of this size still fits into one.
SPILL_BYTES = 200_000


class Spill:
    """Puts and gets bodies.

    Args:
        objects: the payload bucket.
    """

    def __init__(self, objects: ObjectStore) -> None:
        self.objects = objects

    def pack(self, name: str, key: str, body: str) -> Item:
        """Return the attributes that hold ``body``: itself under ``name``, or a reference to S3.

        Args:
            name: the attribute's name.
            key: the S3 key to use; one body always gets the same key, so a retry overwrites it.
            body: the text.
        """
        data = body.encode("utf-8", "surrogatepass")
        if len(data) <= SPILL_BYTES:
            return {name: body}
        self.objects.put(key, data, media_type="application/json")
        return {f"{name}_spill": key}

    def unpack(self, name: str, item: Item) -> str | None:
        """Return the body that `pack` put under ``name``, or None where there is none."""
        if name in item:
            return str(item[name])
        key = item.get(f"{name}_spill")
        return None if key is None else self.objects.get(str(key)).decode("utf-8", "surrogatepass")


def spill_key(tenant_id: str, run_id: str, item: Item) -> str:
    """Return the S3 key of a large body of a run's item: under the tenant, then the run."""
    return f"{tenant_id}/runs/{run_id}/{str(item['sk']).replace('#', '-')}.json"
