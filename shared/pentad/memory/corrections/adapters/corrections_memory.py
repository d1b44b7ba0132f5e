"""Corrections in a dictionary."""

from pentad.observability.feedback.ports import GivenCorrection


class MemoryCorrections:
    """A `CorrectionStore`; ``waiting`` has the corrections by tenant, user and feedback."""

    def __init__(self) -> None:
        self.waiting: dict[tuple[str, str, str], GivenCorrection] = {}

    def add(self, correction: GivenCorrection) -> None:
        """Let a correction wait, in the place of an earlier version."""
        self.waiting[correction.tenant_id, correction.user_id, correction.feedback_id] = correction

    def find(self, tenant_id: str, user_id: str, feedback_id: str) -> GivenCorrection | None:
        """See `CorrectionStore`."""
        return self.waiting.get((tenant_id, user_id, feedback_id))

    def remove(self, correction: GivenCorrection) -> None:
        """See `CorrectionStore`."""
        place = (correction.tenant_id, correction.user_id, correction.feedback_id)
        if self.waiting.get(place) == correction:
            del self.waiting[place]
