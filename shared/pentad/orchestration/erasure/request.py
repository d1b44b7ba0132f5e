"""Ask for the erasure of a user, or for another look after one."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from pentad.domain.errors import InvalidTransition, NotFound, StoreUnavailable
from pentad.domain.ids import check_id, hash_user, make_id
from pentad.orchestration.erasure.ports import ERASURE_REQUESTED, Erasure, ErasureRequest, ErasureStore
from pentad.orchestration.runs.ports import EventPublisher, RunStore

_PAGES: Final = 5
_PAGE_RUNS: Final = 100
"""The tenant's newest runs are looked at before an answer; the function looks at all of them before it begins."""


class RequestErasure:
    """Begins erasures; a function works them off.

    Args:
        erasures: the receipts.
        runs: the store of runs.
        events: tells the function.
        now: the clock, UTC.
    """

    def __init__(
        self, erasures: ErasureStore, runs: RunStore, events: EventPublisher, *, now: Callable[[], datetime]
    ) -> None:
        self._erasures = erasures
        self._runs = runs
        self._events = events
        self._now = now

    def request(self, tenant_id: str, user_id: str) -> Erasure:
        """Return the receipt of an erasure that begins now, or of the one that is not at its end yet.

        Raises:
            InvalidInput: the user's id is not well formed.
            InvalidTransition: a run of the user is under way.
            StoreUnavailable: a store or the bus did not answer; again is safe.
        """
        check_id("user", user_id)
        user_hash, now = hash_user(user_id), self._now()
        newest = self._erasures.find_newest(tenant_id, user_hash)
        if newest is None or not newest.is_open:
            self._check_runs(tenant_id, user_id)
            begun = Erasure(
                tenant_id=tenant_id,
                erasure_id=make_id("era", now),
                user_hash=user_hash,
                asked_at=now,
                updated_at=now,
            )
            newest = self._save(begun)
        self._publish(newest, user_id)
        return newest

    def get(self, tenant_id: str, user_id: str, erasure_id: str) -> Erasure:
        """Return a receipt.

        Raises:
            NotFound: there is no such one of this user.
            StoreUnavailable: the store did not answer.
        """
        found = self._erasures.get(tenant_id, hash_user(user_id), erasure_id)
        if found is None:
            raise NotFound("no such erasure", field="erasure")
        return found

    def verify(self, tenant_id: str, user_id: str, erasure_id: str) -> Erasure:
        """Let everything be looked at again, and nothing be removed; return the receipt.

        Raises:
            NotFound: there is no such erasure of this user.
            StoreUnavailable: a store or the bus did not answer; again is safe.
        """
        found = self.get(tenant_id, user_id, erasure_id)
        if not found.is_open:
            again = {"status": "asked", "stage": "check", "place": 0, "cursor": None, "left": {}, "only_check": True}
            found = self._save(found.model_copy(update={**again, "open_run_id": None, "updated_at": self._now()}))
        self._publish(found, user_id)
        return found

    def _check_runs(self, tenant_id: str, user_id: str) -> None:
        """Return if none of the newest runs of the tenant is the user's and under way.

        Raises:
            InvalidTransition: one is.
        """
        cursor: str | None = None
        for _ in range(_PAGES):
            page = self._runs.list_page(tenant_id, limit=_PAGE_RUNS, cursor=cursor)
            for run in page.items:
                if run.user_id == user_id and not run.status.ended:
                    raise InvalidTransition(
                        f"the run '{run.run_id}' of the user is under way",
                        field="user",
                        fix="wait until it has ended, or cancel it, then erase the user",
                    )
            cursor = page.cursor
            if cursor is None:
                return

    def _save(self, erasure: Erasure) -> Erasure:
        saved = self._erasures.save(erasure)
        if saved is None:
            raise StoreUnavailable("the erasure is being worked on", retry_after=1)
        return saved

    def _publish(self, erasure: Erasure, user_id: str) -> None:
        request = ErasureRequest(tenant_id=erasure.tenant_id, user_id=user_id, erasure_id=erasure.erasure_id)
        self._events.publish(ERASURE_REQUESTED, request.model_dump(mode="json"))
