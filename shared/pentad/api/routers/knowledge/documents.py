"""``/v1/documents``."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from aws_lambda_powertools.event_handler.api_gateway import ApiGatewayResolver
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query

from pentad.api.documents import DocumentRequest, Documents, resolve_name
from pentad.api.identity.caller import Caller
from pentad.api.open_citation import OpenCitation
from pentad.api.routers.runs import RunPath
from pentad.api.routers.serve import Cursor, serve
from pentad.api.uploads import UploadsRequest, create_uploads
from pentad.api.views.cursors import collect_page
from pentad.api.views.documents import (
    DocumentPage,
    DocumentRemoval,
    DocumentRequested,
    DocumentUpload,
    DocumentUploads,
    DocumentView,
    build_document_view,
)
from pentad.api.views.views import CitedPlaceView
from pentad.domain.errors import NotFound
from pentad.domain.knowledge import find_owner
from pentad.memory.documents.ports import DocumentRegistry

CitedPath = Annotated[str, Path(description="of a citation's marker `[cite:k7f2qa]` what stands behind the colon")]
DocumentPath = Annotated[str, Path(description="the document's name; it may hold slashes")]


@dataclass(frozen=True)
class CitationRoutes:
    """Opens the places that answers cite.

    Attributes:
        open: opens one.
    """

    open: OpenCitation

    def register(self, app: ApiGatewayResolver, caller: Callable[[], Caller]) -> None:
        """Add the route."""

        @serve(app, summary="Open the place that an answer cites")
        def open_citation(run: RunPath, cited: CitedPath) -> CitedPlaceView:
            """The passage as the run was given it, with its offsets, page and version, and what became of that."""
            return self.open(caller().tenant_id, run, cited)


@dataclass(frozen=True)
class DocumentRoutes:
    """Lists, uploads and removes documents.

    Attributes:
        documents: takes uploads and removals.
        registry: says what is indexed.
    """

    documents: Documents
    registry: DocumentRegistry

    def register(self, app: ApiGatewayResolver, caller: Callable[[], Caller]) -> None:
        """Add the routes."""

        @serve(app, summary="List documents by name")
        def list_documents(
            limit: Annotated[int, Query(ge=1, le=100)] = 50,
            cursor: Cursor = None,
        ) -> DocumentPage:
            who = caller()
            page = collect_page(
                lambda count, place: self.registry.list_page(who.tenant_id, limit=count, cursor=place),
                lambda document: who.may_reach(find_owner(document.name)),
                limit=limit,
                cursor=cursor,
            )
            return DocumentPage(items=tuple(build_document_view(one) for one in page.items), cursor=page.cursor)

        @serve(app, summary="Read a document's entry")
        def get_document(document: DocumentPath) -> DocumentView:
            found = self.registry.get(caller().tenant_id, resolve_name(document))
            if found is None:
                raise NotFound("no such document", field="name")
            return build_document_view(found)

        self._register_changes(app, caller)

    def _register_changes(self, app: ApiGatewayResolver, caller: Callable[[], Caller]) -> None:
        @serve(app, summary="Ask where to upload a document", status_code=201)
        def upload_document(request: Annotated[DocumentRequest, Body()]) -> DocumentUpload:
            """Send the content by PUT to the address, once, with the headers given; it is indexed a moment later."""
            return self.documents.create_upload(caller(), request)

        @serve(app, summary="Ask where to upload many documents")
        def upload_documents(request: Annotated[UploadsRequest, Body()]) -> DocumentUploads:
            """One address or one problem for each, in the order of the request; one that is refused stops no other."""
            request_id = str(app.current_event.raw_event["requestContext"]["requestId"])
            return create_uploads(self.documents, caller(), request.documents, request_id=request_id)

        @serve(app, summary="Read a document anew", status_code=202)
        def reingest_document(document: DocumentPath) -> DocumentRequested:
            """Read and cut what was uploaded once more; `indexed_at` of its entry tells when that is done."""
            name = resolve_name(document)
            found = self.registry.get(caller().tenant_id, name)
            if found is None or found.status == "deleted":
                raise NotFound("no such document", field="name")
            self.documents.request(found.tenant_id, name)
            return DocumentRequested(name=name)

        @serve(app, summary="Remove a document", status_code=202)
        def delete_document(document: DocumentPath) -> DocumentRemoval:
            name = resolve_name(document)
            self.documents.remove(caller().tenant_id, name)
            return DocumentRemoval(name=name)
