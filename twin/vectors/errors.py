"""Errors of the local index, in the shape of Pinecone's data plane (google.rpc.Status as JSON)."""

from __future__ import annotations

from typing import Any


class IndexFault(Exception):
    """A request that the index refuses; carries the HTTP status and the gRPC code of the reply."""

    status = 400
    code = 3  # INVALID_ARGUMENT

    def to_payload(self) -> dict[str, Any]:
        """Return the body that Pinecone sends."""
        return {"code": self.code, "message": str(self), "details": []}


class BadRequest(IndexFault):
    """The request is malformed or over a limit."""


class TooLarge(IndexFault):
    """The request is larger than the data plane accepts."""

    code = 11  # OUT_OF_RANGE


class Unauthenticated(IndexFault):
    """The request carries no usable key."""

    status = 401
    code = 16


class Missing(IndexFault):
    """The namespace or the path does not exist."""

    status = 404
    code = 5


class Exists(IndexFault):
    """The namespace exists already."""

    status = 409
    code = 6


class IndexUnusable(RuntimeError):
    """The index file cannot be opened: another process holds it, or it was made with other settings."""
