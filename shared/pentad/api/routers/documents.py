"""``/v1/documents``."""

from collections.abc import Callable
from typing import Annotated
from urllib.parse import unquote

from aws_lambda_powertools.event_handler.api_gateway import ApiGatewayResolver
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query

from pentad.api.documents import DocumentRequest, check_name
from pentad.api.identity.caller import Caller
from pentad.api.services import Services
from pentad.api.views.views import DocumentPage, DocumentRemoval, DocumentUpload, DocumentView, document_view
from pentad.domain.errors import NotFound

DocumentPath = Annotated[str, Path(description="the document's name; it may hold slashes")]


def register(app: ApiGatewayResolver, services: Services, caller: Callable[[], Caller]) -> None:
    """Add the routes."""

    @app.post("/v1/documents", tags=["documents"], summary="Ask where to upload a document", status_code=201)
    def upload_document(request: Annotated[DocumentRequest, Body()]) -> DocumentUpload:
        """Send the content by PUT to the address, with the headers given; it is indexed a moment later."""
        return services.documents.upload(caller().tenant, request)

    @app.get("/v1/documents", tags=["documents"], summary="List documents by name")
    def list_documents(
        limit: Annotated[int, Query(ge=1, le=100)] = 50,
        cursor: Annotated[str | None, Query(max_length=2000)] = None,
    ) -> DocumentPage:
        page = services.registry.page(caller().tenant, limit=limit, cursor=cursor)
        return DocumentPage(items=tuple(document_view(one) for one in page.items), cursor=page.cursor)

    @app.get("/v1/documents/<document>", tags=["documents"], summary="Read a document's entry")
    def get_document(document: DocumentPath) -> DocumentView:
        found = services.registry.get(caller().tenant, check_name(unquote(document)))
        if found is None:
            raise NotFound("there is no such document", field="name")
        return document_view(found)

    @app.delete("/v1/documents/<document>", tags=["documents"], summary="Remove a document", status_code=202)
    def delete_document(document: DocumentPath) -> DocumentRemoval:
        name = check_name(unquote(document))
        services.documents.remove(caller().tenant, name)
        return DocumentRemoval(name=name)
