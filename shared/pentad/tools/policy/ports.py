"""What rules ask of the store of their sums."""

from decimal import Decimal
from typing import Protocol

from pentad.domain.values import FrozenValue


class SumPlace(FrozenValue):
    """One sum.

    ``rule`` names the tool's rule, ``name`` the rule, whose sum it is, the time and the currency. ``expires_at`` is
    in seconds since the epoch.
    """

    tenant_id: str
    rule: str
    name: str
    expires_at: int


class CallSums(Protocol):
    """Amounts of calls, added up. What one call adds counts once, however often it is tried."""

    def get(self, place: SumPlace) -> Decimal:
        """Return what a sum has come to.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def add(self, place: SumPlace, call_key: str, amount: Decimal, *, at_most: Decimal | None) -> bool:
        """Add a call's amount and return True, also where it was added before; False where that passes the limit.

        Args:
            place: which sum.
            call_key: the call: its effect's key.
            amount: not below zero.
            at_most: what the sum may come to; None where a human has allowed the call.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def give_back(self, place: SumPlace, call_key: str) -> None:
        """Take away what a call has added to the sum, from where it was added; nothing where it added nothing.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...
