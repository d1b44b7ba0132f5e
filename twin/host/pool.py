"""Which instances exist, which are free, and when another may start: the bounds of the host live here."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from twin.host.model import FunctionSpec, HostLimits, HostStopped, TooManyRequests
from twin.host.processes.instance import Instance

Create = Callable[[FunctionSpec], Instance]


@dataclass(slots=True)
class _Function:
    idle: list[Instance] = field(default_factory=list)
    in_flight: int = 0


class InstancePool:
    """Instances of all functions. The most recently used idle one serves next, so the others can be reaped."""

    def __init__(self, limits: HostLimits) -> None:
        self._limits = limits
        self._changed = threading.Condition()
        self._functions: dict[str, _Function] = {}
        self._all: set[Instance] = set()
        self._reserved_slots = 0
        self._starting = 0
        self._in_flight = 0
        self._stopped = False

    def enter(self, spec: FunctionSpec) -> None:
        """Count one concurrent execution in.

        Raises:
            TooManyRequests: The function's or the host's concurrency is used up.
            HostStopped: The host is stopping.
        """
        with self._changed:
            if self._stopped:
                raise HostStopped("the function host is stopped")
            function = self._functions.setdefault(spec.name, _Function())
            if spec.reserved_concurrency is not None and function.in_flight >= spec.reserved_concurrency:
                raise TooManyRequests("ReservedFunctionConcurrentInvocationLimitExceeded")
            if self._in_flight >= self._limits.max_processes:
                raise TooManyRequests("ConcurrentInvocationLimitExceeded")
            function.in_flight += 1
            self._in_flight += 1

    def exit(self, spec: FunctionSpec) -> None:
        """Count one concurrent execution out."""
        with self._changed:
            self._functions[spec.name].in_flight -= 1
            self._in_flight -= 1

    def acquire(self, spec: FunctionSpec) -> Instance | None:
        """Take an idle instance, or return None with the right to start one (see `started`).

        Few instances start at once: a burst on a small machine would otherwise start them all slowly, and one
        that becomes idle meanwhile serves the waiting call sooner.

        Raises:
            TooManyRequests: No instance came free in time.
            HostStopped: The host is stopping.
        """
        deadline = time.monotonic() + self._limits.acquire_seconds
        with self._changed:
            function = self._functions.setdefault(spec.name, _Function())
            while not self._stopped:
                # By the object: a function and its published versions differ once the function was updated.
                ready = next((one for one in reversed(function.idle) if one.spec is spec), None)
                if ready is not None:
                    function.idle.remove(ready)
                    return ready
                if self._starting < self._limits.max_starting:
                    evicted = self._make_room()
                    self._starting += 1
                    self._reserved_slots += 1
                    break
                if not self._changed.wait(deadline - time.monotonic()):
                    raise TooManyRequests("ConcurrentInvocationLimitExceeded")
            else:
                raise HostStopped("the function host is stopped")
        if evicted is not None:
            evicted.close()
        return None

    def _make_room(self) -> Instance | None:
        if len(self._all) + self._reserved_slots < self._limits.max_processes:
            return None
        idle = [instance for function in self._functions.values() for instance in function.idle]
        if not idle:
            raise TooManyRequests("ConcurrentInvocationLimitExceeded")
        oldest = min(idle, key=lambda instance: instance.idle_since)
        self._functions[oldest.spec.name].idle.remove(oldest)
        self._all.discard(oldest)
        return oldest

    def settle_slot(self, instance: Instance | None) -> None:
        """Turn the right to start into an instance, or give it back (None)."""
        with self._changed:
            self._reserved_slots -= 1
            if instance is None:
                self._starting -= 1
            else:
                self._all.add(instance)
                if self._stopped:
                    instance.interrupt()
            self._changed.notify_all()

    def finish_start(self) -> None:
        """Say that a start has ended, well or badly."""
        with self._changed:
            self._starting -= 1
            self._changed.notify_all()

    def release(self, instance: Instance) -> None:
        """Give an instance back for the next call."""
        with self._changed:
            if not self._stopped and instance in self._all:
                instance.idle_since = time.monotonic()
                self._functions[instance.spec.name].idle.append(instance)
                self._changed.notify_all()
                return
        self.discard(instance)

    def discard(self, instance: Instance) -> None:
        """Forget an instance and end its process."""
        with self._changed:
            self._all.discard(instance)
            self._changed.notify_all()
        instance.close()

    def forget(self, name: str, *, keep: Callable[[FunctionSpec], bool] = lambda _: False) -> None:
        """End the idle instances of a function, but those whose specification is still in use."""
        self._discard_idle(lambda instance: instance.spec.name == name and not keep(instance.spec))

    def evict_idle(self) -> None:
        """Look after idle instances: read their output, end the old ones, drop the dead ones."""
        old = time.monotonic() - self._limits.idle_seconds
        self._discard_idle(lambda instance: instance.idle_since < old or not instance.is_alive())

    def _discard_idle(self, unwanted: Callable[[Instance], bool]) -> None:
        with self._changed:
            dropped: list[Instance] = []
            for function in self._functions.values():
                verdicts = [(instance, unwanted(instance)) for instance in function.idle]
                function.idle = [instance for instance, drop in verdicts if not drop]
                dropped += [instance for instance, drop in verdicts if drop]
        for instance in dropped:
            self.discard(instance)

    def count_instances(self) -> dict[str, int]:
        """Count the instances of each function."""
        with self._changed:
            counts: dict[str, int] = {}
            for instance in self._all:
                counts[instance.spec.name] = counts.get(instance.spec.name, 0) + 1
            return counts

    def list_pids(self) -> list[int]:
        """Return the ids of the running processes."""
        with self._changed:
            return [instance.pid for instance in self._all if instance.pid is not None]

    def stop(self) -> None:
        """End every instance; calls in flight end with an error."""
        with self._changed:
            self._stopped = True
            everything = list(self._all)
            idle = [instance for function in self._functions.values() for instance in function.idle]
            for function in self._functions.values():
                function.idle = []
            self._changed.notify_all()
        for instance in everything:
            instance.interrupt()
        for instance in idle:
            self.discard(instance)
