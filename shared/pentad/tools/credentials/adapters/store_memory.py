"""Secrets in memory, for tests and for tools that are tried without AWS."""

import threading
import uuid
from collections.abc import Mapping, Sequence

from pentad.domain.errors import ConfigurationError
from pentad.tools.credentials.ports import StoredSecret

_CURRENT = "AWSCURRENT"
_PREVIOUS = "AWSPREVIOUS"


class MemorySecrets:
    """`SecretStore` in memory.

    Args:
        texts: current values by name.
    """

    def __init__(self, texts: Mapping[str, str] | None = None) -> None:
        self._lock = threading.Lock()
        self._versions: dict[str, dict[str, str]] = {}
        self._stages: dict[str, dict[str, str]] = {}
        for name, text in (texts or {}).items():
            self.set(name, text)

    def __repr__(self) -> str:
        """Return how many there are, never what is in them."""
        return f"MemorySecrets({len(self._versions)})"

    def set(self, secret_id: str, text: str) -> str:
        """Store a new current value, as an operator does, and return its version."""
        version_id = str(uuid.uuid4())
        with self._lock:
            self._versions.setdefault(secret_id, {})[version_id] = text
            self._move(secret_id, version_id)
        return version_id

    def read(self, secret_id: str, *, stage: str = _CURRENT, version_id: str | None = None) -> StoredSecret | None:
        """See the port."""
        with self._lock:
            found = version_id or self._stages.get(secret_id, {}).get(stage)
            text = self._versions.get(secret_id, {}).get(found or "")
            return None if found is None or text is None else StoredSecret(text=text, version_id=found)

    def list_stages(self, secret_id: str) -> Mapping[str, Sequence[str]]:
        """See the port."""
        with self._lock:
            self._find(secret_id)
            found: dict[str, list[str]] = {}
            for stage, version_id in self._stages.get(secret_id, {}).items():
                found.setdefault(version_id, []).append(stage)
            return found

    def begin_rotation(self, secret_id: str, token: str) -> None:
        """Make a pending version without a text, as Secrets Manager does before it calls a rotation function."""
        with self._lock:
            self._find(secret_id)
            self._stages[secret_id]["AWSPENDING"] = token

    def add(self, secret_id: str, text: str, *, version_id: str, stage: str) -> bool:
        """See the port."""
        with self._lock:
            versions = self._find(secret_id)
            if versions.setdefault(version_id, text) != text:
                return False
            self._stages.setdefault(secret_id, {})[stage] = version_id
            return True

    def make_current(self, secret_id: str, version_id: str, *, instead_of: str) -> bool:
        """See the port."""
        with self._lock:
            self._find(secret_id)
            if self._stages.get(secret_id, {}).get(_CURRENT) != instead_of:
                return False
            self._move(secret_id, version_id)
            return True

    def _move(self, secret_id: str, version_id: str) -> None:
        stages = self._stages.setdefault(secret_id, {})
        if _CURRENT in stages and stages[_CURRENT] != version_id:
            stages[_PREVIOUS] = stages[_CURRENT]
        stages[_CURRENT] = version_id

    def _find(self, secret_id: str) -> dict[str, str]:
        if secret_id not in self._versions:
            raise ConfigurationError(f"no secret '{secret_id}'", field="secrets", fix="store it")
        return self._versions[secret_id]
