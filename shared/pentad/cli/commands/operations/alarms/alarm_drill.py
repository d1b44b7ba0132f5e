"""Play each alarm's fault to the alarms of a twin, and see that it goes on, tells one topic once, and goes off again.

Time is played: a day passes in a second. What is played is the signal of a fault, as functions and services report it;
or, of a fault that the twin was really given (`faults`), what was measured of it, minute after minute.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pentad.observability.alarms.faults import FAULTY, HEALTHY

if TYPE_CHECKING:
    from pentad.cli.commands.operations.alarms.faults.world import MeasuredFault
    from twin.alarms.alarms import CompositeAlarm, MetricAlarm
    from twin.alarms.metric_store import MetricKey
    from twin.alarms.statistics import Bucket
    from twin.alarms.watch import AlarmTarget, AlarmWatch

_MINUTE = 60
_HISTORY_MINUTES = 26 * 60
_RUNS = 3
"""Of a metric's values in a minute: as many runs, requests or calls as a small stage has."""
_LOAD_MINUTES, _LOOK_MINUTES = 60, 5
_AGE = "ApproximateAgeOfOldestMessage"
_LOOKS = 30
"""How often alarms are looked at while the longest of an alarm's periods passes."""
Take = Callable[[], list[tuple[str, str, str]]]
"""Returns what topics were told since: a topic's name, the alarm, its state."""


@dataclass(frozen=True)
class DrilledAlarm:
    """What became of one alarm.

    Attributes:
        name: the alarm's.
        on_minutes: how long its fault was there before it went on; None if it did not.
        off_minutes: how long the fault had been over before it went off; None if it did not.
        pages: what paged meanwhile, by alarm.
        tickets: what opened a ticket meanwhile, by alarm.
        problem: what is wrong; None if all is as it should be.
    """

    name: str
    on_minutes: int | None
    off_minutes: int | None
    pages: tuple[str, ...]
    tickets: tuple[str, ...]
    problem: str | None


@dataclass(frozen=True)
class DrilledFault:
    """What became of a fault that a twin was really given.

    Attributes:
        name: the fault's.
        kind: what users lose.
        says: what was done.
        raised: the alarms that it had to raise, and did.
        others: further alarms that it raised.
        pages: what paged, by alarm.
        tickets: what opened a ticket, by alarm.
        problem: what is wrong; None if all is as it should be.
    """

    name: str
    kind: str
    says: str
    raised: tuple[str, ...]
    others: tuple[str, ...]
    pages: tuple[str, ...]
    tickets: tuple[str, ...]
    problem: str | None


class AlarmDrill:
    """The drill of a deployment's alarms.

    Args:
        metric_alarms: by name.
        composite_alarms: by name.
        target: where states and messages go.
        take: what topics were told.
        now: when the drill begins, in seconds since the epoch.
        only: the ends of the names of those to drill; all where there is none.

    Attributes:
        names: of the metric alarms to drill.

    Raises:
        ValueError: there is no alarm of such a name.
    """

    def __init__(
        self,
        metric_alarms: "Mapping[str, MetricAlarm]",
        composite_alarms: "Mapping[str, CompositeAlarm]",
        target: "AlarmTarget",
        take: Take,
        now: float,
        *,
        only: tuple[str, ...] = (),
    ) -> None:
        self.names = sorted(one for one in metric_alarms if not only or one.endswith(only))
        if not self.names:
            raise ValueError(f"no alarm is named {' or '.join(only)}: {', '.join(sorted(metric_alarms))} are there")
        self._metric_alarms, self._composite_alarms = metric_alarms, composite_alarms
        self._target, self._take, self._now = target, take, int(now // _MINUTE) * _MINUTE

    def find_noise(self) -> list[str]:
        """Return the alarms that are on after a healthy day: there should be none."""
        watch, _ = self._start_watch(self._metric_alarms)
        self._take()
        return sorted(self._list_on(watch))

    def find_noise_of(self, load: "Mapping[MetricKey, Bucket]") -> list[str]:
        """Return the alarms that go on in an hour in which each minute is as one of a healthy stage was measured."""
        watch, at = self._start_watch(self._metric_alarms)
        found: set[str] = set()
        for _ in range(0, _LOAD_MINUTES, _LOOK_MINUTES):
            for _ in range(_LOOK_MINUTES):
                _add(watch, load, at)
                at += _MINUTE
            watch.evaluate(at)
            found |= set(self._list_on(watch))
        self._take()
        return sorted(found)

    def _list_on(self, watch: "AlarmWatch") -> list[str]:
        every = (*self._metric_alarms, *self._composite_alarms)
        return [name for name in every if watch.find_state(name) == "ALARM"]

    def run(self) -> Iterator[DrilledAlarm]:
        """Yield what became of each metric alarm, by name."""
        for name in self.names:
            yield self._drill(name)

    def run_fault(self, measured: "MeasuredFault") -> DrilledFault:
        """Play what was measured of a fault, and of the stage after it was mended, to all alarms that look at it."""
        wanted = tuple(sorted(name for name in self._metric_alarms if measured.fault.is_to_raise(name)))
        affected = self._list_affected(frozenset(measured.faulty))
        if measured.fault.silences:  # what does not come is not among what was measured
            affected |= {name: self._metric_alarms[name] for name in wanted}
        missing = [name for name in wanted if name not in affected]
        if missing:
            return self._end_fault(measured, (), (), f"nothing was measured of {', '.join(missing)}")
        watch, at = self._start_watch(affected)
        self._take()
        on, at = self._play(watch, at, measured.faulty, wanted, "ALARM")
        others = tuple(name for name in affected if name not in wanted and watch.find_state(name) == "ALARM")
        raised = tuple(name for name in wanted if name in on)
        told = self._take()
        off, _ = self._play(watch, at, measured.mended, raised, "OK")
        problem = None
        if len(raised) < len(wanted):
            problem = f"it did not raise {', '.join(name for name in wanted if name not in raised)}"
        elif len(off) < len(raised):
            problem = f"{', '.join(name for name in raised if name not in off)} did not go off again"
        return self._end_fault(measured, raised, others, problem, told)

    def _end_fault(
        self,
        measured: "MeasuredFault",
        raised: tuple[str, ...],
        others: tuple[str, ...],
        problem: str | None,
        told: list[tuple[str, str, str]] | None = None,
    ) -> DrilledFault:
        pages, tickets = _pick(told or [], "pages"), _pick(told or [], "tickets")
        fault, above = measured.fault, [one for name in raised for one in self._list_above(name)]
        paging = any("pages" in topic for one in above for topic in one.actions.alarm)
        if problem is None and (len(pages) > 1 or (paging and not pages)):
            problem = f"one fault should page once, and paged {len(pages)} times"
        elif problem is None and not pages and not tickets:
            problem = "nobody was told"
        return DrilledFault(fault.name, fault.kind, fault.says, raised, others, pages, tickets, problem)

    def _play(
        self, watch: "AlarmWatch", at: int, signals: "Mapping[MetricKey, Bucket]", names: tuple[str, ...], state: str
    ) -> tuple[set[str], int]:
        """Repeat measured signals by the minute; return which of some alarms came to a state, and the time then."""
        looked_at = [self._metric_alarms[name] for name in names]
        looked_at += [part for name in names for part in self._list_parts(self._list_above(name))]
        minutes = [_count_minutes(one) for one in looked_at] or [1]
        # As often as the quickest needs: a band has learned what is usual long before a day is over.
        needed, step = max(minutes), max(1, min(minutes) // _LOOKS)
        reached: set[str] = set()
        last = needed + 20
        for minute in range(1, needed + 20 + 6 * step):
            _add(watch, signals, at, older=_MINUTE * (minute - 1))
            at += _MINUTE
            if minute % step:
                continue
            watch.evaluate(at)
            reached |= {name for name in names if watch.find_state(name) == state}
            if len(reached) == len(names):
                last = min(last, minute + 6 * step)  # a symptom waits for its cause
            if minute >= last:
                break
        return reached, at

    def _start_watch(self, metric_alarms: "Mapping[str, MetricAlarm]") -> "tuple[AlarmWatch, int]":
        """Return a watch over some alarms that has seen a healthy day, and the time that it is."""
        from twin.alarms.watch import AlarmWatch

        watch = AlarmWatch(metric_alarms, self._composite_alarms, self._target)
        history, at = _find_histories(metric_alarms), self._now
        for minute in range(_HISTORY_MINUTES):
            remaining = _HISTORY_MINUTES - minute
            # What no alarm would look back at when the watch begins is left out.
            seen = (key for key, looked_back in history.items() if remaining <= looked_back)
            _report(watch, at, seen, frozenset(), minute)
            at += _MINUTE
        watch.evaluate(at)
        return watch, at

    def _drill(self, name: str) -> DrilledAlarm:
        alarm = self._metric_alarms[name]
        if not any(one.key is not None and one.key.name in FAULTY for one in alarm.queries):
            return DrilledAlarm(name, None, None, (), (), "no fault is known that would raise it")
        faulty = frozenset(one.key for one in alarm.queries if one.key is not None)
        affected = self._list_affected(faulty)
        metrics = _find_histories(affected)
        watch, at = self._start_watch(affected)
        self._take()
        on, at = self._pass_time(watch, metrics, alarm, at, faulty, "ALARM")
        off = None
        if on is not None:
            off, at = self._pass_time(watch, metrics, alarm, at, frozenset(), "OK")
        told = self._take()
        pages, tickets = _pick(told, "pages"), _pick(told, "tickets")
        return DrilledAlarm(name, on, off, pages, tickets, self._find_problem(name, on, off, pages, tickets))

    def _pass_time(
        self,
        watch: "AlarmWatch",
        metrics: "Collection[MetricKey]",
        alarm: "MetricAlarm",
        at: int,
        faulty: "frozenset[MetricKey]",
        state: str,
    ) -> tuple[int | None, int]:
        """Return after how many minutes an alarm is in a state and has told so, and the time that it is then."""
        above = self._list_above(alarm.name)
        needed = max(_count_minutes(one) for one in (alarm, *self._list_parts(above)))
        step = max(1, needed // _LOOKS)
        reached, extra = None, 0
        for minute in range(1, needed + 20):
            _report(watch, at, metrics, faulty, minute)
            at += _MINUTE
            if minute % step:
                continue
            watch.evaluate(at)
            told = bool(alarm.actions.alarm) or any(watch.find_state(one.name) == state for one in above)
            if reached is None and told and watch.find_state(alarm.name) == state:
                reached, extra = minute, minute + 6 * step  # a symptom waits for its cause
            if reached is not None and minute >= extra:
                break
        return reached, at

    def _find_problem(
        self, name: str, on: int | None, off: int | None, pages: tuple[str, ...], tickets: tuple[str, ...]
    ) -> str | None:
        if on is None:
            return "it did not go into ALARM"
        if off is None:
            return "it did not go back to OK"
        paging = any("pages" in topic for one in self._list_above(name) for topic in one.actions.alarm)
        if len(pages) > 1 or (paging and not pages):
            return f"one fault should page once, and paged {len(pages)} times"
        if not paging and not tickets:
            return "nobody was told"
        return None

    def _list_affected(self, faulty: "frozenset[MetricKey]") -> "dict[str, MetricAlarm]":
        """Return the alarms that look at a faulty metric: the others stay as they are after a healthy day."""
        return {
            name: one for name, one in self._metric_alarms.items() if any(query.key in faulty for query in one.queries)
        }

    def _list_parts(self, composites: "list[CompositeAlarm]") -> "list[MetricAlarm]":
        """Return the metric alarms that have to be on for all of some composite alarms to be."""
        from twin.alarms.rules import list_alarms

        names = {name for one in composites if " AND " in one.rule for name in list_alarms(one.rule)}
        return [self._metric_alarms[name] for name in sorted(names & self._metric_alarms.keys())]

    def _list_above(self, name: str) -> "list[CompositeAlarm]":
        """Return the composite alarms that an alarm is part of, also by others."""
        from twin.alarms.rules import list_alarms

        found = [one for one in self._composite_alarms.values() if name in list_alarms(one.rule)]
        causes = [one for one in found if not one.name.endswith("-causes")]
        return causes + [above for one in causes for above in self._list_above(one.name)]


def _count_minutes(alarm: "MetricAlarm") -> int:
    """Return how many minutes pass at most until an alarm is on."""
    return alarm.period * (alarm.periods + 3) // _MINUTE


def _add(watch: "AlarmWatch", signals: "Mapping[MetricKey, Bucket]", at: int, *, older: int = 0) -> None:
    """Have a minute be as it was measured; what waited then is older by so many seconds."""
    for key, bucket in signals.items():
        for value in bucket.values:
            watch.store.add(key, value + (older if key.name == _AGE and value > 0 else 0), at)


def _report(
    watch: "AlarmWatch", at: int, metrics: "Iterable[MetricKey]", faulty: "frozenset[MetricKey]", minute: int
) -> None:
    """Have each metric report a minute."""
    for key in metrics:
        value = FAULTY.get(key.name, HEALTHY.get(key.name)) if key in faulty else HEALTHY.get(key.name)
        if value is not None:
            swing = 1 + 0.1 * (minute // 60 % 4) if value > 1e6 else 1  # what costs is never quite the same
            watch.store.add(key, value * swing, at, _RUNS)


def _find_histories(metric_alarms: "Mapping[str, MetricAlarm]") -> "dict[MetricKey, int]":
    """Return how many minutes alarms look back, by metric; one with a band learns from a day."""
    found: dict[MetricKey, int] = {}
    for alarm in metric_alarms.values():
        minutes = _HISTORY_MINUTES if alarm.band else _count_minutes(alarm)
        for one in alarm.queries:
            if one.key is not None:
                found[one.key] = max(found.get(one.key, 0), minutes)
    return found


def _pick(told: list[tuple[str, str, str]], topic: str) -> tuple[str, ...]:
    return tuple(alarm for where, alarm, state in told if where.endswith(topic) and state == "ALARM")
