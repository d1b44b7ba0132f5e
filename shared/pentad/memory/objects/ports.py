"""What is asked of a store of objects: documents, and content too large for an item."""

from typing import Protocol

from pydantic import Field

from pentad.domain.values import FrozenValue

KEY_METADATA = "pentad-key"
"""The name in an object's metadata that holds the id of the API key that it was uploaded with."""


class ObjectHead(FrozenValue):
    """An object without its content."""

    key: str
    version: str = Field(description="the version id, or the ETag where the bucket keeps no versions")
    bytes: int = Field(ge=0)
    media_type: str = Field(description="the content type as it was uploaded, with its parameters")
    key_id: str | None = Field(default=None, description="the API key that the upload was signed with")


class ObjectStore(Protocol):
    """Objects of one bucket: documents, and content too large for an item."""

    def get_head(self, key: str) -> ObjectHead | None:
        """Return what stands under the key now, or None.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def get(self, key: str, *, version: str | None = None) -> bytes:
        """Return an object's content; ``version`` as `head` gave it.

        Raises:
            NotFound: no such object, or it has another version now.
            StoreUnavailable: the store did not answer.
        """
        ...

    def put(self, key: str, data: bytes, *, media_type: str = "application/octet-stream") -> None:
        """Store an object, replacing what stood there.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...
