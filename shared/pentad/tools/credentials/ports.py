"""What credentials ask of the store of secrets, and of what a kind of secret does as it is rotated."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from pydantic import Field

from pentad.domain.values import FrozenValue


class StoredSecret(FrozenValue):
    """A version of a secret."""

    text: str = Field(repr=False)
    version_id: str


class SecretStore(Protocol):
    """Versions of secrets, of which one is the current one. No method repeats a request that failed."""

    def read(self, secret_id: str, *, stage: str = "AWSCURRENT", version_id: str | None = None) -> StoredSecret | None:
        """Return a version, or None where there is no such secret or version, or it has no text.

        Args:
            secret_id: name or ARN.
            stage: the version that has this label.
            version_id: the version of this id, in the place of the label.

        Raises:
            ConfigurationError: it may not be read.
            StoreUnavailable: the store did not answer.
        """
        ...

    def list_stages(self, secret_id: str) -> Mapping[str, Sequence[str]]:
        """Return the labels of each version that has any, by the version's id.

        Raises:
            ConfigurationError: there is no such secret, or it may not be looked at.
            StoreUnavailable: the store did not answer.
        """
        ...

    def add(self, secret_id: str, text: str, *, version_id: str, stage: str) -> bool:
        """Store a version under a label that no other version needs, and tell whether it is this text.

        Args:
            secret_id: name or ARN.
            text: of the version.
            version_id: an UUID; the same id with the same text changes nothing.
            stage: the label; never AWSCURRENT, which only moves.

        Raises:
            ConfigurationError: it may not be written, or there is no such secret.
            StoreUnavailable: the store did not answer.
        """
        ...

    def make_current(self, secret_id: str, version_id: str, *, instead_of: str) -> bool:
        """Move the label AWSCURRENT to a version, and tell whether it was at the other one until then.

        Raises:
            ConfigurationError: it may not be written, or there is no such secret.
            StoreUnavailable: the store did not answer.
        """
        ...


class Rotator(Protocol):
    """What a kind of secret does in the steps."""

    def make(self, current: str, field: str) -> str:
        """Return a new value.

        Args:
            current: the value that is current, as it is stored.
            field: of its JSON object, that holds what is made anew.

        Raises:
            ConfigurationError: the current value has no such field.
        """
        ...

    def set(self, pending: str, current: str, previous: str | None) -> None:
        """Let the service take the pending value; nothing where it does already.

        Raises:
            ConfigurationError: neither of the values is accepted, or they are of different services.
            ToolUnavailable: the service did not answer.
        """
        ...

    def test(self, value: str) -> None:
        """Use the service with a value.

        Raises:
            ConfigurationError: it is not accepted.
            ToolUnavailable: the service did not answer.
        """
        ...
