"""How fast and how much models write, as this process measured it: an attempt's time, and what a cut reply cost."""

import math
import threading
from collections import OrderedDict, deque

from pentad.domain.usage import Usage
from pentad.models.catalog.catalog import ModelEntry

USUAL_TOKENS_PER_SECOND = 50.0
"""Of a model that nothing was measured of, and of which the catalog says nothing."""
USUAL_TOKENS = 4_000
"""Of a long reply, thinking included: some 3,000 words. Few are longer, and the output cap is four times as much: who
waits for what the cap allows waits minutes for a model that hangs."""
START_SECONDS = 5.0
"""Until the first token of a request of usual size, with room to spare."""
_SAMPLES = 32
_ENOUGH = 3
_MIN_TOKENS = 64
"""A shorter reply says more of the time to its first token than of the model's speed."""
_MAX_MODELS = 256


class Speeds:
    """Tokens a second, and tokens, of the latest replies of each model. Safe for threads; bounded."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._measured: OrderedDict[str, deque[float]] = OrderedDict()
        self._written: OrderedDict[str, deque[int]] = OrderedDict()

    def record(self, model: ModelEntry, usage: Usage, seconds: float) -> None:
        """Learn from a reply that took so many seconds."""
        self._note(model, usage.output_tokens)
        if usage.output_tokens < _MIN_TOKENS or seconds <= 0:
            return
        with self._lock:
            kept = self._measured.setdefault(model.name, deque(maxlen=_SAMPLES))
            self._measured.move_to_end(model.name)
            kept.append(usage.output_tokens / seconds)
            while len(self._measured) > _MAX_MODELS:
                self._measured.popitem(last=False)

    def record_cut(self, model: ModelEntry, seconds: float, cap: int) -> None:
        """Learn from an attempt that had no answer after so many seconds: the reply may have been as long as that.

        So a model that writes a longer one than ever gets twice the time at the next attempt, and its cap's in the end.
        """
        self._note(model, self.estimate_written(model, seconds, cap))

    def _note(self, model: ModelEntry, tokens: int) -> None:
        with self._lock:
            kept = self._written.setdefault(model.name, deque(maxlen=_SAMPLES))
            self._written.move_to_end(model.name)
            kept.append(tokens)
            while len(self._written) > _MAX_MODELS:
                self._written.popitem(last=False)

    def get(self, model: ModelEntry) -> float:
        """Return tokens a second: three of four replies were as fast, or what the catalog says while few are known."""
        with self._lock:
            known = sorted(self._measured.get(model.name, ()))
        if len(known) < _ENOUGH:
            return model.tokens_per_second or USUAL_TOKENS_PER_SECOND
        return known[len(known) // 4]

    def compute_seconds(self, model: ModelEntry, output_tokens: int) -> float:
        """Return seconds in which the model writes a long reply: twice its longest of late, within so many tokens."""
        with self._lock:
            longest = max(self._written.get(model.name, ()), default=0)
        return START_SECONDS + min(output_tokens, max(USUAL_TOKENS, 2 * longest)) / self.get(model)

    def estimate_written(self, model: ModelEntry, seconds: float, cap: int) -> int:
        """Return about how many tokens the model has written after so many seconds, its first included."""
        return min(cap, math.ceil(max(0.0, seconds) * self.get(model)))
