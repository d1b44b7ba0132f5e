"""``/v1/bulk-ingests``: many documents at once."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from aws_lambda_powertools.event_handler.api_gateway import ApiGatewayResolver
from aws_lambda_powertools.event_handler.openapi.params import Body, Path
from pydantic import Field

from pentad.api.documents import FOLDER_PATTERN, NAME_CHARACTERS, check_name
from pentad.api.identity.caller import Caller
from pentad.api.ports import BulkClaims, BulkIngest, BulkIngestion, BulkStatus, Holder
from pentad.api.routers.serve import serve
from pentad.api.views.view import View
from pentad.domain.errors import ModelThrottled, NotFound, PolicyDenied
from pentad.domain.knowledge import own_documents
from pentad.domain.values import FrozenValue

BULK_ID = r"^[A-Za-z0-9_-]{8,40}$"
_OWNER_DIGITS = 32
_OPEN_SECONDS = 60.0
"""After so long an ingestion that took its place has begun, or its start was cut off."""

BulkPath = Annotated[str, Path(pattern=BULK_ID, description="the id that it was started with")]


class BulkRequest(FrozenValue):
    """The body of ``POST /v1/bulk-ingests``."""

    bulk: str = Field(pattern=BULK_ID, description="an id that you choose: sent again, it is the same ingestion")
    folder: str = Field(
        default="",
        max_length=NAME_CHARACTERS,
        description="of the documents, such as docs; all without one",
        json_schema_extra={"pattern": FOLDER_PATTERN},
    )


class BulkView(View):
    """What is known of a bulk ingestion; each document's own entry says what became of it."""

    bulk: str
    status: BulkStatus = Field(description="done: every document had its turn")
    documents: int = Field(description="below the folder, also those that are in the index already")
    done: int
    failed: int = Field(description="of those done: the next ingestion takes them up")
    running: int
    error: str | None
    started_at: datetime
    ended_at: datetime | None


class BulkStarted(View):
    """A bulk ingestion that has begun."""

    bulk: str


def name_bulk(caller: Caller, bulk_id: str) -> str:
    """Return the name of a caller's ingestion: no other tenant's, and no other user's where it reaches one's only."""
    owner = f"{caller.tenant_id}/{caller.reach or ''}"
    return f"{hashlib.sha256(owner.encode()).hexdigest()[:_OWNER_DIGITS]}-{bulk_id}"


def build_bulk_view(bulk_id: str, found: BulkIngest) -> BulkView:
    """Return the view of an ingestion."""
    return BulkView(bulk=bulk_id, **vars(found))


@dataclass(frozen=True)
class BulkRoutes:
    """Starts bulk ingestions and tells how far they are.

    Attributes:
        bulk: runs them.
        claims: keeps one of them open for each owner and folder.
    """

    bulk: BulkIngestion
    claims: BulkClaims

    def register(self, app: ApiGatewayResolver, caller: Callable[[], Caller]) -> None:
        """Add the routes."""

        @serve(app, summary="Index many documents", status_code=202)
        def start_bulk_ingest(request: Annotated[BulkRequest, Body()]) -> BulkStarted:
            """Bring all that was uploaded below a folder into the index; what is in it as it is costs nothing."""
            who = caller()
            prefix = resolve_prefix(who, request.folder)
            name = name_bulk(who, request.bulk)
            self._check_open(who, prefix, name)
            self.bulk.start(who.tenant_id, name, prefix)
            return BulkStarted(bulk=request.bulk)

        @serve(app, summary="Ask how far a bulk ingestion is")
        def get_bulk_ingest(bulk: BulkPath) -> BulkView:
            return build_bulk_view(bulk, self.bulk.get(name_bulk(caller(), bulk)))

    def _check_open(self, who: Caller, prefix: str, name: str) -> None:
        """Return if no other ingestion of this owner and folder is open.

        Raises:
            ModelThrottled: one is.
            StoreUnavailable: a service did not answer.
        """
        place = hashlib.sha256(f"{who.reach or ''}/{prefix}".encode()).hexdigest()
        holder = self.claims.take(who.tenant_id, place, name)
        if holder is not None and not self._is_open(holder):
            holder = self.claims.take(who.tenant_id, place, name, replaces=holder.name)
        if holder is not None:
            open_name = holder.name.partition("-")[2]
            raise ModelThrottled(
                f"the bulk ingestion '{open_name}' of this folder has not ended",
                retry_after=_OPEN_SECONDS,
                fix=f"ask for it with GET /v1/bulk-ingests/{open_name}, and start another when it has ended",
            )

    def _is_open(self, holder: Holder) -> bool:
        try:
            return self.bulk.get(holder.name).status == "running"
        except NotFound:
            return holder.seconds < _OPEN_SECONDS  # It begins at this moment, or never did.


def resolve_prefix(caller: Caller, folder: str) -> str:
    """Return what the names of a folder's documents begin with; empty for all.

    Raises:
        InvalidInput: the folder is not a relative path.
        PolicyDenied: the caller reaches one user's documents, and these are others.
    """
    stripped = folder.strip("/")
    prefix = f"{check_name(stripped, 'folder')}/" if stripped else ""
    if caller.reach is not None and not prefix.startswith(own_documents(caller.reach)):
        raise PolicyDenied(
            "the credential is one user's, and the folder holds documents of others",
            field="folder",
            fix=f"name a folder that is or is below '{own_documents(caller.reach)}'",
        )
    return prefix
