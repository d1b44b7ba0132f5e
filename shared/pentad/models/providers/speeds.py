"""How fast models write, as this process measured it: what an attempt's time is made of, and what a cut reply cost."""

import math
import threading
from collections import OrderedDict, deque

from pentad.domain.usage import Usage
from pentad.models.catalog.catalog import ModelEntry

USUAL_TOKENS_PER_SECOND = 50.0
"""Of a model that nothing was measured of, and of which the catalog says nothing."""
START_SECONDS = 5.0
"""Until the first token of a request of usual size, with room to spare."""
_SAMPLES = 32
_ENOUGH = 3
_MIN_TOKENS = 64
"""A shorter reply says more of the time to its first token than of the model's speed."""
_MAX_MODELS = 256


class Speeds:
    """Tokens a second of the latest replies of each model. Safe for threads; bounded."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._measured: OrderedDict[str, deque[float]] = OrderedDict()

    def record(self, model: ModelEntry, usage: Usage, seconds: float) -> None:
        """Learn from a reply that took so many seconds."""
        if usage.output_tokens < _MIN_TOKENS or seconds <= 0:
            return
        with self._lock:
            kept = self._measured.setdefault(model.name, deque(maxlen=_SAMPLES))
            self._measured.move_to_end(model.name)
            kept.append(usage.output_tokens / seconds)
            while len(self._measured) > _MAX_MODELS:
                self._measured.popitem(last=False)

    def get(self, model: ModelEntry) -> float:
        """Return tokens a second: three of four replies were as fast, or what the catalog says while few are known."""
        with self._lock:
            known = sorted(self._measured.get(model.name, ()))
        if len(known) < _ENOUGH:
            return model.tokens_per_second or USUAL_TOKENS_PER_SECOND
        return known[len(known) // 4]

    def compute_seconds(self, model: ModelEntry, output_tokens: int) -> float:
        """Return seconds in which the model can write so many tokens."""
        return START_SECONDS + output_tokens / self.get(model)

    def estimate_written(self, model: ModelEntry, seconds: float, cap: int) -> int:
        """Return about how many tokens the model has written after so many seconds, its first included."""
        return min(cap, math.ceil(max(0.0, seconds) * self.get(model)))
