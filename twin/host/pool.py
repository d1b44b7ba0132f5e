"""Which instances exist, which are free, and when another may start: the bounds of the host live here.

Calls queue in order of arrival, up to the account's concurrency, which counts those that wait. Two kinds of calls have
places of their own:

* Calls of HTTP APIs (`Share.API`): people who look at runs take no process from them, and get none later for them.
* Calls that a function makes (`Share.NESTED`): the caller holds a process while it waits, so a call that waited for
  that process would wait for ever. They go first, and start a process of their own even where the bound is reached.
  What is over the bound is ended as soon as nobody waits for it.

Of the other calls so many run at once as the cores can serve, also where there are more processes: an idle one of each
function saves a cold start, and a burst that used all of them would only make each call slower.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from twin.host.model import FunctionSpec, HostLimits, HostStopped, Share, TooManyRequests
from twin.host.processes.instance import Instance

_ORDER = {Share.NESTED: 0, Share.API: 1, Share.RUNS: 2}


@dataclass(slots=True)
class _Function:
    idle: list[Instance] = field(default_factory=list)
    in_flight: int = 0


@dataclass(slots=True, eq=False)
class QueuePlace:
    """A call's place in the queue, from its arrival to its end; a call that tries again keeps it."""

    spec: FunctionSpec
    share: Share
    number: int
    served: threading.Event = field(default_factory=threading.Event)
    instance: Instance | None = None
    evicted: Instance | None = None


def _rank(place: QueuePlace) -> tuple[int, int]:
    return _ORDER[place.share], place.number


class InstancePool:
    """Instances of all functions. The most recently used idle one serves next, so the others can be reaped."""

    def __init__(self, limits: HostLimits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._functions: dict[str, _Function] = {}
        self._all: dict[Instance, Share] = {}
        self._reserved: Counter[Share] = Counter()
        self._starting: Counter[Share] = Counter()
        self._waiting: list[QueuePlace] = []
        self._running: set[QueuePlace] = set()
        self._in_flight = 0
        self._arrivals = 0
        self._stopped = False

    def enter(self, spec: FunctionSpec, share: Share = Share.RUNS) -> QueuePlace:
        """Count one concurrent execution in and return its place in the queue.

        Raises:
            TooManyRequests: The function's or the host's concurrency is used up.
            HostStopped: The host is stopping.
        """
        with self._lock:
            if self._stopped:
                raise HostStopped("the function host is stopped")
            function = self._functions.setdefault(spec.name, _Function())
            if spec.reserved_concurrency is not None and function.in_flight >= spec.reserved_concurrency:
                raise TooManyRequests("ReservedFunctionConcurrentInvocationLimitExceeded")
            if self._in_flight >= self._limits.concurrency:
                raise TooManyRequests("ConcurrentInvocationLimitExceeded")
            function.in_flight += 1
            self._in_flight += 1
            self._arrivals += 1
            return QueuePlace(spec, share, self._arrivals)

    def exit(self, place: QueuePlace) -> None:
        """Count one concurrent execution out."""
        with self._lock:
            self._functions[place.spec.name].in_flight -= 1
            self._in_flight -= 1
            if place in self._running:
                self._running.remove(place)
                self._serve()

    def acquire(self, place: QueuePlace) -> Instance | None:
        """Take an idle instance, or return None with the right to start one (see `settle_slot`).

        Few instances start at once: a burst on a small machine would otherwise start them all slowly, and one
        that becomes idle meanwhile serves the waiting call sooner.

        Raises:
            TooManyRequests: No instance came free in time.
            HostStopped: The host is stopping.
        """
        with self._lock:
            if self._stopped:
                raise HostStopped("the function host is stopped")
            place.served.clear()
            place.instance = place.evicted = None
            self._waiting.append(place)
            self._serve()
        place.served.wait(self._limits.acquire_seconds)
        with self._lock:
            if not place.served.is_set():
                self._waiting.remove(place)
                raise TooManyRequests("ConcurrentInvocationLimitExceeded")
            if self._stopped and place.instance is None:
                raise HostStopped("the function host is stopped")
        if place.evicted is not None:
            place.evicted.close()
        return place.instance

    def _serve(self) -> None:
        """Give what is free to those who wait, in order; the caller holds the lock."""
        left = []
        for place in sorted(self._waiting, key=_rank):
            if not self._may_run(place):
                left.append(place)
                continue
            # By the object: a function and its published versions differ once the function was updated.
            idle = self._functions[place.spec.name].idle
            place.instance = next((one for one in reversed(idle) if one.spec is place.spec), None)
            if place.instance is not None:
                idle.remove(place.instance)
            elif not self._may_start(place):
                left.append(place)
                continue
            if place.share is Share.RUNS:
                self._running.add(place)
            place.served.set()
        self._waiting = left

    def _may_run(self, place: QueuePlace) -> bool:
        running = self._running
        return place.share is not Share.RUNS or place in running or len(running) < self._limits.max_running

    def _may_start(self, place: QueuePlace) -> bool:
        share = place.share
        if self._starting[share] >= self._limits.max_starting:
            return False
        if share is not Share.NESTED and self._is_full(share):
            place.evicted = self._take_oldest(share)
            if place.evicted is None:
                return False
        self._starting[share] += 1
        self._reserved[share] += 1
        return True

    def _is_full(self, share: Share) -> bool:
        """Tell whether a share's processes are all there; nested calls' processes are the runs' as well."""
        api = share is Share.API
        bound = self._limits.api_processes if api else self._limits.max_processes
        running = sum(1 for one in self._all.values() if (one is Share.API) is api)
        reserved = sum(count for one, count in self._reserved.items() if (one is Share.API) is api)
        return running + reserved >= bound

    def _take_oldest(self, share: Share) -> Instance | None:
        """Take the least recently used idle instance of a share out of the pool."""
        api = share is Share.API
        idle = [one for function in self._functions.values() for one in function.idle]
        idle = [one for one in idle if (self._all[one] is Share.API) is api]
        if not idle:
            return None
        oldest = min(idle, key=lambda instance: instance.idle_since)
        self._functions[oldest.spec.name].idle.remove(oldest)
        del self._all[oldest]
        return oldest

    def settle_slot(self, place: QueuePlace, instance: Instance | None) -> None:
        """Turn the right to start into an instance, or give it back (None)."""
        with self._lock:
            self._reserved[place.share] -= 1
            if instance is None:
                self._starting[place.share] -= 1
            else:
                self._all[instance] = place.share
                if self._stopped:
                    instance.interrupt()
            self._serve()

    def finish_start(self, place: QueuePlace) -> None:
        """Say that a start has ended, well or badly."""
        with self._lock:
            self._starting[place.share] -= 1
            self._serve()

    def release(self, instance: Instance) -> None:
        """Give an instance back for the next call, or end it where there are more than the bound."""
        with self._lock:
            if not self._stopped and instance in self._all:
                instance.idle_since = time.monotonic()
                idle = self._functions[instance.spec.name].idle
                idle.append(instance)
                self._serve()
                if instance not in idle or not self._is_over(self._all[instance]):
                    return
                idle.remove(instance)
        self.discard(instance)

    def _is_over(self, share: Share) -> bool:
        runs = sum(1 for one in self._all.values() if one is not Share.API)
        return share is not Share.API and runs > self._limits.max_processes

    def discard(self, instance: Instance) -> None:
        """Forget an instance and end its process."""
        with self._lock:
            self._all.pop(instance, None)
            self._serve()
        instance.close()

    def forget(self, name: str, *, keep: Callable[[FunctionSpec], bool] = lambda _: False) -> None:
        """End the idle instances of a function, but those whose specification is still in use."""
        self._discard_idle(lambda instance, _: instance.spec.name == name and not keep(instance.spec))

    def evict_idle(self) -> None:
        """Look after idle instances: read their output, end the old ones, drop the dead ones.

        A burst leaves many; all but the most recently used one of each function are given back sooner.
        """
        now = time.monotonic()
        old, spare = now - self._limits.idle_seconds, now - self._limits.spare_seconds

        def is_unwanted(instance: Instance, last: bool) -> bool:
            return instance.idle_since < (old if last else spare) or not instance.is_alive()

        self._discard_idle(is_unwanted)

    def _discard_idle(self, unwanted: Callable[[Instance, bool], bool]) -> None:
        with self._lock:
            dropped: list[Instance] = []
            for function in self._functions.values():
                verdicts = [(one, unwanted(one, one is function.idle[-1])) for one in function.idle]
                function.idle = [instance for instance, drop in verdicts if not drop]
                dropped += [instance for instance, drop in verdicts if drop]
        for instance in dropped:
            self.discard(instance)

    def count_instances(self) -> dict[str, int]:
        """Count the instances of each function."""
        with self._lock:
            return dict(Counter(instance.spec.name for instance in self._all))

    def count_waiting(self) -> int:
        """Count the calls that wait for a process."""
        with self._lock:
            return len(self._waiting)

    def list_pids(self) -> list[int]:
        """Return the ids of the running processes."""
        with self._lock:
            return [instance.pid for instance in self._all if instance.pid is not None]

    def stop(self) -> None:
        """End every instance; calls in flight end with an error."""
        with self._lock:
            self._stopped = True
            everything = list(self._all)
            idle = [instance for function in self._functions.values() for instance in function.idle]
            for function in self._functions.values():
                function.idle = []
            for place in self._waiting:
                place.served.set()
            self._waiting = []
        for instance in everything:
            instance.interrupt()
        for instance in idle:
            self.discard(instance)
