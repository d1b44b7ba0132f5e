"""What the API asks of the store that documents are uploaded to."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class UploadTerms:
    """What one upload may be.

    Attributes:
        key: where it goes.
        media_type: its content type.
        size: its length in bytes.
        sha256: of its content, in hexadecimal digits.
        seconds: how long the address is good for.
        key_id: the API key that asked; None where a token did.
    """

    key: str
    media_type: str
    size: int
    sha256: str
    seconds: int
    key_id: str | None


class DocumentStore(Protocol):
    """The documents bucket, as far as the API reaches it."""

    def sign_upload(self, terms: UploadTerms) -> tuple[str, dict[str, str]]:
        """Return a presigned address for one PUT of this content, and the headers that are signed with it.

        It works once: it replaces what stands there now, and nothing that comes later.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def delete(self, key: str) -> None:
        """Remove an object; one that is not there is no error.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...
