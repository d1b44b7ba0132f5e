"""Let the calls of a tool that says ``parallel=False`` run one after the other: in a session, or about a record."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from pentad.domain import keys
from pentad.domain.canonical import sha256_of
from pentad.domain.declarations.agents import ToolSpec
from pentad.domain.errors import StoreUnavailable, ToolBusy
from pentad.domain.runs import Run, ToolCall
from pentad.tools.runtime.ports import CallOrder

SPARE_SECONDS = 60.0
"""A place that nobody gave back, since its process died, is free so long after the call's time."""
LONGEST_WAIT_SECONDS = 60.0
"""Then the state tries again later."""
_FIRST_SECONDS, _LONGEST_SECONDS = 0.05, 1.0
_RANDOM = random.SystemRandom()  # functions restored from one snapshot must not wait equally long


class OneByOne:
    """Waits for the calls before.

    Args:
        order: says whose turn it is; None: nobody waits.
        sleep: waits some seconds.
        clock: ``time.time``.
    """

    def __init__(
        self,
        order: CallOrder | None,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._order = order
        self._sleep = sleep
        self._clock = clock

    @contextmanager
    def hold(self, spec: ToolSpec, call: ToolCall, run: Run, owner: str, deadline: float) -> Iterator[None]:
        """Run the body while no other call runs that this one has to wait for.

        Args:
            spec: the tool.
            call: the call.
            run: its run.
            owner: the same for each try of the call.
            deadline: ``time.time()`` by which the tool has to have answered.

        Raises:
            ToolBusy: others ran until too little time was left; nothing of this call was begun.
            StoreUnavailable: the store did not answer; nothing of this call was begun.
        """
        if self._order is None or spec.parallel:
            yield
            return
        place = find_place(spec, call, run.session_id)
        self._take(self._order, spec, call.tenant_id, place, owner, deadline - spec.timeout_seconds)
        try:
            yield
        finally:
            with suppress(StoreUnavailable):  # it ends by itself; how the call ended is not to be lost
                self._order.give_back(call.tenant_id, place, owner)

    def _take(self, order: CallOrder, spec: ToolSpec, tenant_id: str, place: str, owner: str, until: float) -> None:
        seconds, number = spec.timeout_seconds + SPARE_SECONDS, 0
        until = min(until, self._clock() + LONGEST_WAIT_SECONDS)
        while not order.take(tenant_id, place, owner, seconds=seconds):
            if self._clock() >= until:
                raise ToolBusy(f"another call of '{spec.name}' is running, and they run one at a time")
            number += 1
            longest = min(_LONGEST_SECONDS, _FIRST_SECONDS * 2 ** min(number, 10))
            self._sleep(_RANDOM.uniform(longest / 2, longest))


def find_place(spec: ToolSpec, call: ToolCall, session_id: str) -> str:
    """Return what calls have in common that wait for each other: the session, or the record that they are about."""
    if spec.per is None:
        return f"{spec.name}{keys.ORDER_OF_SESSION}{session_id}"
    # A number may come as a text: they mean one record.
    default = spec.input_schema.get("properties", {}).get(spec.per, {}).get("default")
    value = call.arguments.get(spec.per, default)
    # By its hash: an argument is a user's word, and may be of any length.
    return f"{spec.name}{keys.ORDER_OF_RECORD}{sha256_of(value if isinstance(value, dict | list) else str(value))}"
