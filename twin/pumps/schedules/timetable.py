"""Fire scheduled rules and EventBridge Scheduler schedules when they are due."""

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from twin.deploy.deployment import EventRule, RuleTarget
from twin.moto_patches.hooks import build_event
from twin.pumps.delivery import Delivery
from twin.pumps.inputs import build_input, dump_json
from twin.pumps.schedules.clock import ScheduleClock
from twin.pumps.schedules.expressions import Schedule, parse_schedule
from twin.pumps.schedules.stored import ScheduledTarget

_LONGEST_WAIT = 60.0
_STOP_SECONDS = 5.0

Put = Callable[[Delivery], None]
IsEnabled = Callable[[EventRule], bool]


class Scheduler(Protocol):
    """Where EventBridge Scheduler's schedules are kept."""

    def read(self) -> Iterable[ScheduledTarget]:
        """Return all schedules."""

    def delete(self, schedule: ScheduledTarget) -> None:
        """Delete one that has completed."""


@dataclass
class _Entry:
    """One schedule with its next moment; `of` is Scheduler's, or `rule` EventBridge's."""

    arn: str
    targets: tuple[RuleTarget, ...]
    schedule: Schedule
    service: str
    next: datetime | None
    of: ScheduledTarget | None = None
    rule: EventRule | None = None


class Timetable:
    """All schedules of a twin. `fire_due` does the work; `start` runs it on a thread.

    The rules are those of the deployment, and whether one is enabled is asked when it is due; Scheduler's schedules are
    read again by `refresh`.
    """

    def __init__(
        self,
        rules: Iterable[EventRule],
        scheduler: Scheduler,
        put: Put,
        clock: ScheduleClock,
        place: tuple[str, str],
        is_enabled: IsEnabled,
    ) -> None:
        self._scheduler, self._put, self._clock, self._place = scheduler, put, clock, place
        self._is_enabled = is_enabled
        now = clock.now()
        self._rules = [_make_rule_entry(rule, rule.schedule, now) for rule in rules if rule.schedule is not None]
        self._scheduled: dict[str, _Entry] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="timetable", daemon=True)
        self.refresh()

    def start(self) -> None:
        """Fire schedules as time goes by."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stopped = True
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join(_STOP_SECONDS)

    def refresh(self) -> None:
        """Take over what Scheduler holds now; what has not changed keeps its next moment."""
        with self._lock:
            now, before = self._clock.now(), self._scheduled
            self._scheduled = {
                one.arn: entry
                if (entry := before.get(one.arn)) is not None and entry.of == one
                else _make_scheduled_entry(one, now)
                for one in self._scheduler.read()
                if one.enabled
            }
        self._wake.set()

    def next_moment(self) -> datetime | None:
        """Return when the next schedule fires."""
        with self._lock:
            return min((entry.next for entry in self._list_entries() if entry.next is not None), default=None)

    def fire_due(self, now: datetime | None = None) -> int:
        """Fire what is due and return how many schedules fired; a missed moment fires once, not often.

        Args:
            now: a time to come, as if it were that; None for the clock's.
        """
        # Delivered without the lock: a delivery may call an API whose change asks for a `refresh`.
        due = self._take_due(now or self._clock.now())
        for entry, moment in due:
            self._fire(entry, moment)
        return len(due)

    def _take_due(self, now: datetime) -> list[tuple[_Entry, datetime]]:
        found = []
        with self._lock:
            for entry in self._list_entries():
                if entry.next is not None and entry.next <= now:
                    if entry.rule is None or self._is_enabled(entry.rule):
                        found.append((entry, entry.next))
                    entry.next = entry.schedule.next_after(now)
                    self._delete_completed(entry)
        return found

    def _list_entries(self) -> list[_Entry]:
        return [*self._rules, *self._scheduled.values()]

    def _delete_completed(self, entry: _Entry) -> None:
        if entry.next is None and entry.of is not None and entry.of.fleeting:
            del self._scheduled[entry.arn]
            self._scheduler.delete(entry.of)

    def _fire(self, entry: _Entry, moment: datetime) -> None:
        source = "aws.events" if entry.service == "events" else "aws.scheduler"
        event = build_event("Scheduled Event", source, {}, [entry.arn], self._place)
        event["time"] = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        if entry.service == "scheduler":
            event["detail"] = "{}"
        for target in entry.targets:
            body = (
                build_input(target, event, entry.arn)
                if entry.service == "events"
                else _expand_input(target.input, event)
            )
            self._put(
                Delivery(
                    target=target,
                    body=dump_json(event) if body is None else body,
                    source_arn=entry.arn,
                    service=f"{entry.service}.amazonaws.com",
                    event_id=event["id"],
                )
            )

    def _run(self) -> None:
        while not self._stopped:
            self._wake.clear()
            self.fire_due()
            coming = self.next_moment()
            delay = _LONGEST_WAIT if coming is None else (coming - self._clock.now()).total_seconds()
            # Never longer than a minute: a laptop sleeps, and its clock jumps when it wakes.
            self._wake.wait(min(max(delay, 0.01), _LONGEST_WAIT))


def _expand_input(text: str | None, event: Mapping[str, Any]) -> str | None:
    """Return a schedule's input with what Scheduler knows in the place of its context attributes.

    Source: "Adding context attributes" of the EventBridge Scheduler user guide. Every try has the first one's number.
    """
    if text is None:
        return None
    known = {
        "schedule-arn": event["resources"][0],
        "scheduled-time": event["time"],
        "execution-id": event["id"],
        "attempt-number": "1",
    }
    for name, value in known.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return text


def _make_entry(arn: str, targets: tuple[RuleTarget, ...], schedule: Schedule, service: str, now: datetime) -> _Entry:
    return _Entry(arn, targets, schedule, service, schedule.next_after(now))


def _make_rule_entry(rule: EventRule, expression: str, now: datetime) -> _Entry:
    entry = _make_entry(rule.arn, rule.targets, parse_schedule(expression, now), "events", now)
    entry.rule = rule
    return entry


def _make_scheduled_entry(one: ScheduledTarget, now: datetime) -> _Entry:
    entry = _make_entry(one.arn, (one.target,), parse_schedule(one.expression, now, one.timezone), "scheduler", now)
    entry.of = one
    return entry
