"""What is asked of the store in which corrections wait that users gave of answers."""

from typing import Protocol

from pentad.observability.feedback.ports import GivenCorrection


class CorrectionStore(Protocol):
    """Corrections that wait, among what is kept of their user: they go with all of it."""

    def find(self, tenant_id: str, user_id: str, feedback_id: str) -> GivenCorrection | None:
        """Return the newest version that waits, or None.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def remove(self, correction: GivenCorrection) -> None:
        """Remove it, unless a newer version stands there."""
        ...
