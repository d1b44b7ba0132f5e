"""Upload addresses for many documents in one request, each answered by itself."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

from pydantic import Field, JsonValue, ValidationError

from pentad.api import problems
from pentad.api.documents import DocumentRequest, Documents, check_upload
from pentad.api.identity.caller import Caller
from pentad.api.views.documents import DocumentUploads, UploadAnswer
from pentad.domain.errors import InvalidInput, PolicyDenied, StoreUnavailable
from pentad.domain.values import FrozenValue
from pentad.orchestration.lifecycle.start import to_invalid_input

UPLOADS_AT_ONCE = 100
"""Of a request at most."""
_THREADS = 8
"""Each address takes a request to S3 for its condition; botocore keeps 10 connections."""

Asked = Mapping[str, JsonValue]


class UploadsRequest(FrozenValue):
    """The body of ``POST /v1/bulk-uploads``. Each document is read by itself: a bad one takes no other along."""

    documents: Annotated[tuple[dict[str, JsonValue], ...], Field(min_length=1, max_length=UPLOADS_AT_ONCE)] = Field(
        description="each of them what `POST /v1/documents` takes; one that is not is refused by itself"
    )


def create_uploads(documents: Documents, caller: Caller, asked: Sequence[Asked], *, request_id: str) -> DocumentUploads:
    """Return for each document, in their order, where to send its content, or why it is refused.

    Args:
        documents: makes the addresses, each as for a document alone.
        caller: who asks.
        asked: the documents, each as `DocumentRequest` takes it.
        request_id: of the request, as it stands in the log.
    """

    def answer(one: Asked) -> UploadAnswer:
        try:
            request = _read(one)
            check_upload(caller, request.name)
            made = documents.create_upload(caller, request)
        except (InvalidInput, PolicyDenied, StoreUnavailable) as error:
            problem, _ = problems.from_error(error, request_id)
            return UploadAnswer(problem=problem)
        return UploadAnswer(name=made.name, upload=made.upload, expires_at=made.expires_at)

    with ThreadPoolExecutor(min(_THREADS, len(asked)), "uploads") as pool:
        return DocumentUploads(documents=tuple(pool.map(answer, asked)))


def _read(asked: Asked) -> DocumentRequest:
    """Return one document of a request.

    Raises:
        InvalidInput: it is none.
    """
    try:
        return DocumentRequest.model_validate(asked)
    except ValidationError as error:
        raise to_invalid_input(error) from error
