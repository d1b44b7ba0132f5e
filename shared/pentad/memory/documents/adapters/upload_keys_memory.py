"""Revoked keys in memory: for tests and the library without AWS."""

from collections.abc import Iterable


class MemoryUploadKeys:
    """A `pentad.memory.documents.ports.UploadKeys`.

    Args:
        revoked: tenants and key ids.
    """

    def __init__(self, revoked: Iterable[tuple[str, str]] = ()) -> None:
        self.revoked = set(revoked)

    def is_revoked(self, tenant_id: str, key_id: str) -> bool:
        """See the port."""
        return (tenant_id, key_id) in self.revoked
