"""Views of documents: what is uploaded, what is indexed of it, what is removed."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from pentad.api.views.approvals import pick_shown
from pentad.api.views.problem import Problem
from pentad.api.views.view import View
from pentad.domain.knowledge import Document


class Upload(View):
    """Where and how to send the content."""

    method: Literal["PUT"] = "PUT"
    url: str
    headers: dict[str, str] = Field(description="send exactly these: they are signed")


class DocumentUpload(View):
    """A document that may now be uploaded."""

    name: str
    upload: Upload
    expires_at: datetime


class UploadAnswer(View):
    """What came of one document of a request for many: an address, or a problem."""

    name: str | None = Field(default=None, description="as it is kept")
    upload: Upload | None = None
    expires_at: datetime | None = None
    problem: Problem | None = Field(default=None, description="why it gets none; 503: ask for it again")


class DocumentUploads(View):
    """Documents that may now be uploaded, and those that may not, in the order of the request."""

    documents: tuple[UploadAnswer, ...]


class DocumentView(View):
    """What the registry knows of a document."""

    name: str
    version: str
    status: str
    media_type: str
    bytes: int
    chunks: int
    embedded: int
    indexed_at: datetime
    error: str | None
    failed_version: str | None
    notes: tuple[str, ...]
    sha256: str | None
    language: str | None
    parser: str | None
    recipe: str | None


class DocumentPage(View):
    """Documents by name."""

    items: tuple[DocumentView, ...]
    cursor: str | None


class DocumentRemoval(View):
    """A document that is on its way out: its vectors go a moment later."""

    name: str
    status: Literal["deleting"] = "deleting"


class DocumentRequested(View):
    """A document that is read anew a moment later."""

    name: str
    status: Literal["requested"] = "requested"


def build_document_view(document: Document) -> DocumentView:
    """Return the view of a document."""
    return DocumentView(**pick_shown(document, DocumentView))
