"""What the API asks of the store that documents are uploaded to."""

from typing import Protocol


class DocumentStore(Protocol):
    """The documents bucket, as far as the API reaches it."""

    def sign_upload(self, key: str, media_type: str, seconds: int) -> tuple[str, dict[str, str]]:
        """Return a presigned address for one PUT, and the headers that are signed with it."""
        ...

    def delete(self, key: str) -> None:
        """Remove an object; one that is not there is no error.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...
