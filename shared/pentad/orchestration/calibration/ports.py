"""What calibration asks of the store of humans' verdicts."""

from typing import Protocol

from pentad.domain.values import Page
from pentad.orchestration.calibration.human_verdicts import HumanVerdict


class VerdictStore(Protocol):
    """What humans decided of turns: closed reviews, and approvals."""

    def list_page(self, tenant_id: str, *, limit: int = 50, cursor: str | None = None) -> Page[HumanVerdict]:
        """Return verdicts on turns that were rated, the newest first; a page may have fewer than there are.

        Raises:
            NotFound: the cursor is not one of this list.
            StoreUnavailable: the store did not answer.
        """
        ...
