"""Token counts and prompt caches, simulated: four characters are a token."""

from __future__ import annotations

import hashlib
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

CHARACTERS_PER_TOKEN = 4
MAX_ENTRIES = 16_384
"""Prefixes remembered by a cache at most; the oldest are forgotten first."""

ANTHROPIC_MIN_TOKENS = 1024
ANTHROPIC_LOOKBACK = 20
"""Blocks before a breakpoint at which Anthropic looks for a cached prefix."""

OPENAI_MIN_TOKENS = 1024
OPENAI_STEP_TOKENS = 128
OPENAI_TTL_SECONDS = 1800.0
_TTL_SECONDS = {"5m": 300.0, "1h": 3600.0}


def count_tokens(text: str) -> int:
    """Return the simulated number of tokens of a text."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)


@dataclass(frozen=True)
class Segment:
    """One cacheable piece of a prompt in order; ``ttl`` is set where it carries a breakpoint."""

    text: str
    ttl: str | None = None


@dataclass(frozen=True)
class CacheUse:
    """How a prompt met the cache, in tokens."""

    read: int = 0
    write_5m: int = 0
    write_1h: int = 0
    write: int = 0


class PrefixCache:
    """Prefix hashes with their expiry; safe under threads."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Start empty.

        Args:
            clock: Returns seconds; only differences matter.
        """
        self._clock = clock
        self._expiry: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._expiry.clear()

    def use_breakpoints(self, scope: str, segments: Sequence[Segment]) -> CacheUse:
        """Apply Anthropic's rules: explicit breakpoints, a minimum length, a look-back of 20 blocks."""
        hashes, ends = _hash_prefixes(scope, [segment.text for segment in segments])
        marks = [i for i, s in enumerate(segments) if s.ttl and ends[i] >= ANTHROPIC_MIN_TOKENS]
        if not marks:
            return CacheUse()
        with self._lock:
            hit = max((i for mark in marks if (i := self._look_back(hashes, mark)) is not None), default=-1)
            read = ends[hit] if hit >= 0 else 0
            hour = max((ends[i] for i in marks if segments[i].ttl == "1h"), default=0)
            for mark in marks:
                self._remember(hashes[mark], _TTL_SECONDS[segments[mark].ttl or "5m"])
        write_1h = max(0, hour - read)
        return CacheUse(read=read, write_1h=write_1h, write_5m=max(0, ends[marks[-1]] - max(read, hour)))

    def use_prefix(self, scope: str, prompt: str) -> CacheUse:
        """Apply OpenAI's rules: the longest known prefix from 1,024 tokens on, in steps of 128."""
        step = OPENAI_STEP_TOKENS * CHARACTERS_PER_TOKEN
        whole = len(prompt) // step
        hashes, ends = _hash_prefixes(scope, [prompt[i * step : (i + 1) * step] for i in range(whole)])
        usable = [i for i in range(whole) if ends[i] >= OPENAI_MIN_TOKENS]
        with self._lock:
            read = max((ends[i] for i in usable if self._is_alive(hashes[i])), default=0)
            for i in usable:
                self._remember(hashes[i], OPENAI_TTL_SECONDS)
        return CacheUse(read=read, write=max(0, ends[usable[-1]] - read) if usable else 0)

    def _look_back(self, hashes: Sequence[str], mark: int) -> int | None:
        """Return the longest cached prefix ending at a mark or shortly before it, and keep it alive."""
        for i in range(mark, max(-1, mark - ANTHROPIC_LOOKBACK), -1):
            if self._is_alive(hashes[i]):
                self._remember(hashes[i], self._expiry[hashes[i]][1])
                return i
        return None

    def _is_alive(self, key: str) -> bool:
        entry = self._expiry.get(key)
        return entry is not None and entry[0] > self._clock()

    def _remember(self, key: str, ttl: float) -> None:
        self._expiry[key] = (self._clock() + ttl, ttl)
        self._expiry.move_to_end(key)
        while len(self._expiry) > MAX_ENTRIES:
            self._expiry.popitem(last=False)


def is_cache_write_billed(model: str) -> bool:
    """Whether an OpenAI model reports cache writes: GPT-5.6 and later do."""
    match = re.match(r"gpt-(\d+)(?:\.(\d+))?", model)
    return bool(match) and (int(match[1]), int(match[2] or 0)) >= (5, 6) if match else False


def _hash_prefixes(scope: str, texts: Sequence[str]) -> tuple[list[str], list[int]]:
    """Return the hash of each prefix and the number of tokens at its end."""
    digest = hashlib.sha256(scope.encode())
    hashes, ends, total = [], [], 0
    for text in texts:
        digest.update(b"\0" + text.encode())
        total += count_tokens(text)
        hashes.append(digest.hexdigest())
        ends.append(total)
    return hashes, ends
