"""Objects in a dictionary."""

import hashlib
import threading

from pentad.domain.errors import NotFound
from pentad.memory.objects.ports import ObjectHead


class MemoryObjects:
    """Objects of one bucket, without versions of the past."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._objects: dict[str, tuple[ObjectHead, bytes]] = {}

    def get_head(self, key: str) -> ObjectHead | None:
        """Return what stands under the key now, or None."""
        with self._lock:
            entry = self._objects.get(key)
        return entry[0] if entry else None

    def get(self, key: str, *, version: str | None = None) -> bytes:
        """Return an object's content.

        Raises:
            NotFound: no such object, or it has another version now.
        """
        with self._lock:
            entry = self._objects.get(key)
        if entry is None:
            raise NotFound("no such object")
        if version not in (None, entry[0].version):
            raise NotFound("the object has another version now")
        return entry[1]

    def put(
        self, key: str, data: bytes, *, media_type: str = "application/octet-stream", key_id: str | None = None
    ) -> None:
        """Store an object, replacing what stood there; ``key_id`` is that of the API key of an upload."""
        version = hashlib.sha256(data).hexdigest()[:32]
        head = ObjectHead(key=key, version=version, bytes=len(data), media_type=media_type, key_id=key_id)
        with self._lock:
            self._objects[key] = (head, data)

    def delete(self, key: str) -> None:
        """Remove an object; one that is not there is no error."""
        with self._lock:
            self._objects.pop(key, None)

    def list_keys(self) -> list[str]:
        """Return all keys, sorted."""
        with self._lock:
            return sorted(self._objects)
