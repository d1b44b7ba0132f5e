"""Documents of a tenant as the API takes them: names, media types, upload addresses, removal."""

import re
import unicodedata
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from pentad.api.identity.api_key import KEY_ID_PATTERN
from pentad.api.identity.caller import Caller
from pentad.api.ports import DocumentStore, UploadTerms
from pentad.api.views.documents import DocumentUpload, Upload
from pentad.domain.display.sequences import FLAGS
from pentad.domain.errors import InvalidInput, NotFound, PolicyDenied
from pentad.domain.ids import check_id
from pentad.domain.knowledge import DOCUMENT_REQUESTED, MAX_DOCUMENT_BYTES, find_owner, own_documents
from pentad.domain.values import WHOLE, FrozenValue
from pentad.orchestration.runs.ports import EventPublisher

NAME_CHARACTERS = 512
NAME_BYTES = 900
"""Of a name in UTF-8: keys of S3 and sort keys of DynamoDB have at most 1,024 bytes, the tenant's included."""
UPLOAD_SECONDS = 300

# What nobody sees: controls, marks that turn text round, zero-width signs but for the two joiners that scripts need,
# separators of lines, tags, fillers, and what is no character. A mark of direction (U+200E, U+200F, U+061C) may stand:
# Windows begins names with it in Hebrew and Arabic.
_UNSEEN = (
    "\\x00-\\x1f\\x7f-\\x9f\u00ad\u115f\u1160\u17b4\u17b5\u180e\u200b\u2028-\u202e\u2060-\u206f\u2800"
    "\u3164\ufdd0-\ufdef\ufeff\uffa0\ufff9-\uffff\U000e0000-\U000e007f"
    + "".join(chr(0x10000 * plane + last) for plane in range(1, 17) for last in (0xFFFE, 0xFFFF))
)
_BLANKS = " \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
_MARKS = "\u061c\u200c-\u200f\ufe00-\ufe0f"
# A slash parts names, a backslash does on Windows, and API Gateway ends a path at a question mark, also an escaped one.
_TAKEN = r"/\\?"
_FLAG = f"(?:{'|'.join(FLAGS)})"
_ANY = rf"(?:{_FLAG}|[^{_UNSEEN}{_TAKEN}])"
_SHOWN = rf"(?:{_FLAG}|[^{_UNSEEN}{_TAKEN}{_BLANKS}{_MARKS}.])"
_SEGMENT = rf"[{_BLANKS}{_MARKS}.]*{_SHOWN}{_ANY}*"
NAME_PATTERN = rf"^{_SEGMENT}(?:/{_SEGMENT})*$"
"""Segments between slashes, each with a character that shows and is no dot: ``.`` and ``..`` are none."""
FOLDER_PATTERN = rf"^(?:/*{_SEGMENT}(?:/{_SEGMENT})*)?/*$"
_WORD = r"[a-z0-9!#$&^_.+-]+"
MEDIA_TYPE_PATTERN = rf"^({_WORD}/{_WORD}( *;[ -~]*)?)?$"
"""Any type, or none: machines label the same file differently (a `.ts` is a film on some). A label is a hint: ingestion
looks at the content, and says in the registry what it can't read."""
_UNKNOWN_TYPE = "application/octet-stream"


class DocumentRequest(FrozenValue):
    """The body of ``POST /v1/documents``."""

    name: str = Field(
        min_length=1,
        max_length=NAME_CHARACTERS,
        description="a relative path in any script, such as docs/plan.md; kept in Unicode's form NFC",
        json_schema_extra={"pattern": NAME_PATTERN},
    )
    media_type: str = Field(
        max_length=200,
        description="the content's type, such as text/markdown; empty where you don't know",
        json_schema_extra={"pattern": MEDIA_TYPE_PATTERN},
    )
    bytes: Annotated[int, Field(ge=0, le=MAX_DOCUMENT_BYTES), WHOLE] = Field(
        description="the content's length; no other is accepted"
    )
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="of the content; no other is accepted")


def check_name(name: str, field: str = "name") -> str:
    """Return a document's name, or a folder of some, in Unicode's form NFC, if it is a relative path that can be read.

    The same name typed on two machines may come in two forms; it is one document.

    Raises:
        InvalidInput: it is not.
    """
    name = unicodedata.normalize("NFC", name)
    encoded = name.encode("utf-8", "replace")
    if len(name) > NAME_CHARACTERS or len(encoded) > NAME_BYTES:
        raise InvalidInput(
            f"'{field}' is too long",
            field=field,
            fix=f"use at most {NAME_CHARACTERS} characters and {NAME_BYTES} bytes of UTF-8",
        )
    if not re.fullmatch(NAME_PATTERN, name) or encoded.decode() != name:
        raise InvalidInput(
            f"'{field}' must be a relative path of printable characters",
            field=field,
            fix="use any characters but \\, ? and those that are not shown, between slashes; "
            "each part has one that is neither a dot nor a blank",
        )
    return name


def resolve_name(path: str) -> str:
    """Return the name of the document that a path names; API Gateway has taken its escapes out (`%25` is `%` here).

    Raises:
        NotFound: it can't be a document's, so there is none.
    """
    try:
        return check_name(path)
    except InvalidInput as error:
        raise NotFound("no such document", field="name", fix=error.fix) from error


def check_upload(caller: Caller, name: str) -> None:
    """Return if a caller may upload a document of this name.

    Raises:
        PolicyDenied: the caller reaches one user's documents, and it would be none of them.
    """
    if caller.reach is None or find_owner(name) == caller.reach:
        return
    raise PolicyDenied(
        "the credential is one user's, and the document would be the tenant's",
        field="name",
        fix=f"begin the name with '{own_documents(caller.reach)}'",
    )


class Documents:
    """Uploads and removals.

    Args:
        store: the bucket.
        events: tells ingestion what to read anew.
        now: the clock.
    """

    def __init__(self, store: DocumentStore, events: EventPublisher, *, now: Callable[[], datetime]) -> None:
        self._store = store
        self._events = events
        self._now = now

    def create_upload(self, caller: Caller, request: DocumentRequest) -> DocumentUpload:
        """Return where to send a document's content, once.

        Raises:
            StoreUnavailable: the bucket did not answer.
            InvalidInput: the name or the media type is not accepted.
        """
        name = check_name(request.name)
        kind, semicolon, parameters = request.media_type.strip().partition(";")
        label = kind.lower() + semicolon + parameters or _UNKNOWN_TYPE
        if not re.fullmatch(MEDIA_TYPE_PATTERN, label):
            raise InvalidInput(
                "the media type is not valid",
                field="media_type",
                fix=f"send one such as text/markdown, or {_UNKNOWN_TYPE} where you don't know",
            )
        by_key = re.fullmatch(KEY_ID_PATTERN, caller.key_id) is not None
        terms = UploadTerms(
            key=object_key(caller.tenant_id, name),
            media_type=label,
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

    def request(self, tenant_id: str, name: str) -> None:
        """Let a document that stands in the bucket be read and cut anew; chunks that are the same keep their vectors.

        Raises:
            StoreUnavailable: the bus did not take it.
        """
        detail = {"bucket": {"name": ""}, "object": {"key": object_key(tenant_id, check_name(name))}, "again": True}
        self._events.publish(DOCUMENT_REQUESTED, detail)


def object_key(tenant_id: str, name: str) -> str:
    """Return the key of a document in the bucket."""
    return f"{check_id('tenant', tenant_id)}/{name}"
