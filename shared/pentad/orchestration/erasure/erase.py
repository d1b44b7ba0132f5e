"""Work off the erasure of a user, page by page: survey, remove, check; a crash costs a page, which is visited again."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError

from pentad.domain.errors import InvalidInput, NotFound
from pentad.domain.ids import hash_user
from pentad.observability.ports import Telemetry
from pentad.orchestration.erasure.ports import Erasure, ErasureRequest, ErasureStore, Place

ERASE_SECONDS: Final = 120
"""How long the function may take for one message."""
RECEIVES: Final = 8
"""How often the queue delivers a message that fails before it puts it aside."""
ROUNDS: Final = 12
"""How often an erasure begins anew where its check finds something: with its waits, for about an hour."""
_PAGES: Final = 100_000
_SPARE_SECONDS: Final = 15.0
"""A page is not begun with less time left."""
_FIRST_WAIT, _LONGEST_WAIT = 2, 600


def parse_request(body: Mapping[str, Any]) -> ErasureRequest:
    """Return what an event asks for.

    Args:
        body: the event as EventBridge puts it into the queue, with its detail.

    Raises:
        InvalidInput: it is no such event.
    """
    try:
        return ErasureRequest.model_validate(body.get("detail"))
    except ValidationError as error:
        raise InvalidInput(
            "the event does not name an erasure",
            field="detail",
            fix="send the events of 'pentad.erasure.requested' only",
        ) from error


class EraseUser:
    """Goes on with erasures.

    Args:
        erasures: the receipts.
        places: where users' things are, in the order in which they are visited; runs first.
        telemetry: logs ends.
        now: the clock, UTC.
        timer: ``time.time``, which deadlines are told in.
    """

    def __init__(
        self,
        erasures: ErasureStore,
        places: Sequence[Place],
        telemetry: Telemetry,
        *,
        now: Callable[[], datetime],
        timer: Callable[[], float] = time.time,
    ) -> None:
        self._erasures = erasures
        self._places = places
        self._telemetry = telemetry
        self._now = now
        self._timer = timer

    def run(self, request: ErasureRequest, *, deadline: float) -> int | None:
        """Go on with an erasure until it ends or time is short.

        Args:
            request: whose.
            deadline: ``time.time()`` by which to stop.

        Returns:
            Seconds after which to be called again; None where nothing is left to do, or another worker does it.

        Raises:
            NotFound: there is no such erasure.
            StoreUnavailable: a store did not answer.
        """
        user_hash = hash_user(request.user_id)
        erasure = self._erasures.get(request.tenant_id, user_hash, request.erasure_id)
        if erasure is None:
            raise NotFound("no such erasure", field="erasure")
        for _ in range(_PAGES):
            if not erasure.is_open:
                return None
            if self._timer() > deadline - _SPARE_SECONDS:
                return 0
            before = erasure
            after = self._go_on(before, request.user_id).model_copy(update={"updated_at": self._now()})
            saved = self._erasures.save(after)
            if saved is None:
                # Another message of this erasure is worked on, and it comes again until the end; this one need not.
                self._telemetry.log_event("erasure.overtaken", erasure=erasure.erasure_id)
                return None
            erasure = saved
            self._log_end(erasure)
            if erasure.is_open and erasure.round > before.round:
                return min(_FIRST_WAIT << erasure.round, _LONGEST_WAIT)
        return 0

    def _go_on(self, erasure: Erasure, user_id: str) -> Erasure:
        """Return the erasure after the next page."""
        place = self._places[erasure.place]
        seen = place.visit(erasure.tenant_id, user_id, erasure.cursor, stage=erasure.stage)
        if erasure.stage == "survey" and seen.open_run_id is not None:
            return self._end(erasure, "refused", open_run_id=seen.open_run_id)
        changes: dict[str, Any] = {"status": "running", "cursor": seen.cursor}
        counted = {"remove": "removed", "check": "left"}.get(erasure.stage)
        if counted is not None:
            changes[counted] = dict(sorted((Counter(getattr(erasure, counted)) + Counter(seen.found)).items()))
        if seen.cursor is None:
            # Runs under way are in the first place; no other one is surveyed.
            changes["place"] = len(self._places) if erasure.stage == "survey" else erasure.place + 1
        moved = erasure.model_copy(update=changes)
        return moved if moved.place < len(self._places) else self._turn(moved)

    def _turn(self, erasure: Erasure) -> Erasure:
        """Return the erasure at its next stage, or at its end: every place was visited."""
        start = erasure.model_copy(update={"place": 0, "cursor": None})
        if erasure.stage == "survey":
            return start.model_copy(update={"stage": "remove"})
        if erasure.stage == "remove":
            return start.model_copy(update={"stage": "check", "left": {}})
        checked = start.model_copy(update={"checked_at": self._now()})
        if not erasure.left:
            return self._end(checked, "done")
        if erasure.only_check or erasure.round + 1 >= ROUNDS:
            return self._end(checked, "incomplete")
        return checked.model_copy(update={"stage": "remove", "round": erasure.round + 1})

    def _end(self, erasure: Erasure, status: str, **changes: Any) -> Erasure:
        return erasure.model_copy(update={"status": status, "place": 0, "cursor": None, **changes})

    def _log_end(self, erasure: Erasure) -> None:
        if not erasure.is_open:
            level = "INFO" if erasure.status == "done" else "WARNING"
            left = sum(erasure.left.values())
            self._telemetry.log_event(f"erasure.{erasure.status}", level=level, erasure=erasure.erasure_id, left=left)
