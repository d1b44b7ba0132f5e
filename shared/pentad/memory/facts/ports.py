"""What is asked of the store of facts."""

from typing import Protocol

from pydantic import Field

from pentad.domain.memories.facts import Fact, ForgottenFact, LearnedRange
from pentad.domain.values import FrozenValue, Page

MAX_FACTS = 500
"""Of one user, history included. Of more, the oldest history goes first; what still has no room is refused."""
MAX_FORGOTTEN = 1000
"""Of one user; of more, the oldest go."""
MAX_CHANGES = 90
"""Items of one write: a transaction has at most 100 entries."""


class FactBook(FrozenValue):
    """All that is remembered of a user, as it was read. ``version`` goes up by one with every write."""

    version: int = Field(default=0, ge=0)
    facts: tuple[Fact, ...] = Field(default=(), description="by id")
    forgotten: tuple[ForgottenFact, ...] = ()
    left_out: int = Field(default=0, ge=0, description="facts that the bound has pushed out or refused, ever")


class FactChange(FrozenValue):
    """What one write does to a user's facts, as a whole or not at all."""

    put: tuple[Fact, ...] = ()
    remove: tuple[str, ...] = Field(default=(), description="ids of facts")
    forget: tuple[ForgottenFact, ...] = Field(default=(), description="their facts are removed")
    drop_forgotten: tuple[str, ...] = Field(default=(), description="ids of forgotten facts that the bound pushes out")
    learned: LearnedRange | None = Field(default=None, description="the range that it was learned from")
    left_out: int = Field(default=0, ge=0, description="facts that the bound pushes out or refuses with it")

    @property
    def size(self) -> int:
        """How many items it writes."""
        single = 0 if self.learned is None else 1
        return len(self.put) + len(self.remove) + 2 * len(self.forget) + len(self.drop_forgotten) + single


class FactStore(Protocol):
    """Facts of users. Each call is for one user of one tenant, by key."""

    def read(self, tenant_id: str, user_id: str) -> FactBook:
        """Return all that is remembered of a user; an empty book where nothing is.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def has_fact(self, tenant_id: str, user_id: str, fact_id: str) -> bool:
        """Tell whether a user has a fact of this id."""
        ...

    def write(self, tenant_id: str, user_id: str, change: FactChange, *, expected_version: int) -> bool:
        """Make a change; return False, and change nothing, where another writer was first.

        Args:
            tenant_id: the tenant.
            user_id: the user.
            change: at most `MAX_CHANGES` items.
            expected_version: of the book that the change was made from.

        Raises:
            InvalidInput: the change is too large, or a fact in it is another user's.
            StoreUnavailable: the store did not answer.
        """
        ...

    def find_learned(
        self, tenant_id: str, user_id: str, session_id: str, first_seq: int, last_seq: int, recipe: str
    ) -> LearnedRange | None:
        """Return what was learned from a range by a recipe, or None where it was not read yet."""
        ...

    def list_learned(
        self, tenant_id: str, user_id: str, *, limit: int = 50, cursor: str | None = None
    ) -> Page[LearnedRange]:
        """Return ranges that were read, with the gate's verdicts, by session and place.

        Raises:
            NotFound: the cursor is not one of this list.
        """
        ...
