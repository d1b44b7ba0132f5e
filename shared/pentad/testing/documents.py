"""Documents of the test's tenant: uploaded as any client uploads them, and indexed when the call returns."""

from typing import Any

import httpx

from pentad.testing.stack.world import Tenant, until

Json = dict[str, Any]
_DELETED = "deleted"


class KitDocuments:
    """The documents of the test's tenant.

    Args:
        tenant: whose.
    """

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant

    def add(self, name: str, text: str, *, media_type: str = "text/markdown") -> Json:
        """Upload a document, wait until it is indexed, and return its entry.

        Raises:
            AssertionError: it could not be read; the message is the reason.
        """
        entry = self._tenant.ingest(name, text, media_type)
        if entry["status"] != "indexed":
            raise AssertionError(f"the document '{name}' is {entry['status']}: {entry['error']}")
        return entry

    def list(self) -> list[Json]:
        """Return the entries of all documents that are there, or could not be read."""
        return [one for one in self._tenant.get("/v1/documents?limit=100")["items"] if one["status"] != _DELETED]

    def delete(self, name: str) -> None:
        """Delete a document, and return when it is gone.

        Raises:
            AssertionError: there is none of this name.
        """
        answer = self._tenant.send("DELETE", f"/v1/documents/{name}")
        if answer.status_code != httpx.codes.ACCEPTED:
            raise AssertionError(f"the document '{name}' was not deleted: {answer.text}")
        until(lambda: (self._tenant.document(name) or {}).get("status") == _DELETED, f"the end of '{name}'")
