"""The effect ledger in a dictionary: for tests and for trying a tool without AWS."""

from collections.abc import Callable
from threading import Lock

from pentad.domain.errors import InvalidTransition
from pentad.tools.runtime.ports import Effect


class MemoryEffects:
    """Effects in a dictionary.

    Args:
        ended: tells whether a run has ended, by its tenant and id; none ends where it is left out.
    """

    def __init__(self, ended: Callable[[str, str], bool] = lambda tenant, run: False) -> None:
        self._effects: dict[tuple[str, str, str], Effect] = {}
        self._lock = Lock()
        self._ended = ended

    def begin(self, effect: Effect, *, in_open_run: bool = False) -> Effect | None:
        """See `EffectStore`."""
        with self._lock:
            if in_open_run and _key_of(effect) not in self._effects and self._ended(effect.tenant_id, effect.run_id):
                raise InvalidTransition("the run has ended: no further call runs in it", field="run")
            earlier = self._effects.setdefault(_key_of(effect), effect)
            return None if earlier is effect else earlier

    def find(self, tenant_id: str, run_id: str, key: str) -> Effect | None:
        """See `EffectStore`."""
        return self._effects.get((tenant_id, run_id, key))

    def finish(self, effect: Effect) -> None:
        """See `EffectStore`."""
        with self._lock:
            earlier = self._effects.get(_key_of(effect))
            if earlier is None or earlier.status != "done":
                self._effects[_key_of(effect)] = effect

    def release(self, effect: Effect) -> None:
        """See `EffectStore`."""
        with self._lock:
            earlier = self._effects.get(_key_of(effect))
            if earlier is not None and earlier.status == "begun":
                del self._effects[_key_of(effect)]


def _key_of(effect: Effect) -> tuple[str, str, str]:
    return effect.tenant_id, effect.run_id, effect.effect_key
