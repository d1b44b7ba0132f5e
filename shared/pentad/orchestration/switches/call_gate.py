"""Stop calls of models and embeddings that are no turn of a run: of OpenAI's clients, graphs, ingestion, memories.

A turn reads the switches itself, of all its tools at once. These calls read those of the tenant and the agent, and a
process remembers for `KEPT_SECONDS` what it has read: so a graph or a document with many calls costs a request of the
store in so many seconds, and a switch holds for all calls after that time.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from pentad.domain.errors import PolicyDenied
from pentad.domain.models import CallContext
from pentad.orchestration.switches.ports import Switch, SwitchStore

KEPT_SECONDS = 5.0
_REMEMBERED = 1_000


@dataclass
class CallGate:
    """Lets calls through, or says that an operator has stopped them.

    Args:
        store: where switches are kept.
        clock: seconds that only grow.
    """

    store: SwitchStore
    clock: Callable[[], float] = time.monotonic
    _read: dict[tuple[str, str | None], tuple[float, Switch | None]] = field(default_factory=dict)

    def check(self, behalf: CallContext) -> None:
        """Return if a call may be made now.

        Args:
            behalf: for whom.

        Raises:
            PolicyDenied: an operator has switched everything, the tenant or the agent off.
            StoreUnavailable: the store did not answer.
        """
        switch = self._find_switch((behalf.tenant_id, behalf.agent))
        if switch is not None:
            raise PolicyDenied(switch.sentence, fix="ask the operator, or try again later")

    def _find_switch(self, place: tuple[str, str | None]) -> Switch | None:
        now = self.clock()
        known = self._read.get(place)
        if known is not None and now - known[0] < KEPT_SECONDS:
            return known[1]
        switches, _ = self.store.read(*place, ())
        found = min(switches, key=lambda one: one.scope != "all", default=None)
        if len(self._read) >= _REMEMBERED:
            self._read.clear()
        self._read[place] = (now, found)
        return found
