"""Documents of a tenant as the API takes them: names, media types, upload addresses, removal."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

from pydantic import Field

from pentad.api.identity.api_key import KEY_ID_PATTERN
from pentad.api.identity.caller import Caller
from pentad.api.ports import DocumentStore, UploadTerms
from pentad.api.views.views import DocumentUpload, Upload
from pentad.domain.errors import InvalidInput
from pentad.domain.ids import check_id
from pentad.domain.knowledge import MAX_DOCUMENT_BYTES
from pentad.domain.values import FrozenValue

NAME_CHARACTERS = 512
MEDIA_TYPES = (
    "text/plain",
    "text/markdown",
    "text/html",
    "text/csv",
    "application/json",
    "application/pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
)
"""What ingestion is given; what it can't read, it reports in the registry."""
UPLOAD_SECONDS = 300
_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_. ()+=@,-]*")


class DocumentRequest(FrozenValue):
    """The body of ``POST /v1/documents``."""

    name: str = Field(min_length=1, max_length=NAME_CHARACTERS, description="a relative path, such as docs/plan.md")
    media_type: str = Field(max_length=200, description="the content's type, such as text/markdown")
    bytes: int = Field(ge=0, le=MAX_DOCUMENT_BYTES, description="the content's length; no other is accepted")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="of the content; no other is accepted")


def check_name(name: str) -> str:
    """Return a document's name if it is a relative path of safe characters.

    Raises:
        InvalidInput: it is not.
    """
    segments = name.split("/")
    fine = len(name) <= NAME_CHARACTERS and all(_SEGMENT.fullmatch(segment) for segment in segments)
    if not fine or any(".." in segment or segment.endswith((" ", ".")) for segment in segments):
        raise InvalidInput(
            "the name must be a relative path of safe characters",
            field="name",
            fix=f"use letters, digits, and _ . - ( ) + = @ , or spaces between slashes; at most {NAME_CHARACTERS}",
        )
    return name


class Documents:
    """Uploads and removals.

    Args:
        store: the bucket.
        now: the clock.
    """

    def __init__(self, store: DocumentStore, *, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now

    def create_upload(self, caller: Caller, request: DocumentRequest) -> DocumentUpload:
        """Return where to send a document's content, once.

        Raises:
            StoreUnavailable: the bucket did not answer.
            InvalidInput: the name or the media type is not accepted.
        """
        name = check_name(request.name)
        if request.media_type.partition(";")[0].strip().lower() not in MEDIA_TYPES:
            raise InvalidInput(
                "the media type is not accepted", field="media_type", fix=f"use one of {', '.join(MEDIA_TYPES)}"
            )
        if not request.media_type.isascii() or not request.media_type.isprintable():
            raise InvalidInput("the media type is not valid", field="media_type")
        by_key = re.fullmatch(KEY_ID_PATTERN, caller.key_id) is not None
        terms = UploadTerms(
            key=object_key(caller.tenant_id, name),
            media_type=request.media_type,
            size=request.bytes,
            sha256=request.sha256,
            seconds=UPLOAD_SECONDS,
            key_id=caller.key_id if by_key else None,
        )
        url, headers = self._store.sign_upload(terms)
        expires_at = self._now() + timedelta(seconds=UPLOAD_SECONDS)
        return DocumentUpload(name=name, upload=Upload(url=url, headers=headers), expires_at=expires_at)

    def remove(self, tenant_id: str, name: str) -> None:
        """Remove a document; its vectors and entry follow from the bucket's event.

        Raises:
            InvalidInput: the name is not one.
            StoreUnavailable: the bucket did not answer.
        """
        self._store.delete(object_key(tenant_id, check_name(name)))


def object_key(tenant_id: str, name: str) -> str:
    """Return the key of a document in the bucket."""
    return f"{check_id('tenant', tenant_id)}/{name}"
