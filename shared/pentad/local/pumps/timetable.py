"""Fire scheduled rules and EventBridge Scheduler schedules when they are due."""

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pentad.local.deploy.deployment import EventRule, RuleTarget, ScheduledTarget
from pentad.local.pumps.clock import ScheduleClock
from pentad.local.pumps.delivery import Delivery
from pentad.local.pumps.inputs import compact, target_input
from pentad.local.pumps.moto_hooks import new_event
from pentad.local.pumps.schedules import Schedule, parse_schedule

_LONGEST_WAIT = 60.0
_STOP_SECONDS = 5.0

Put = Callable[[Delivery], None]


@dataclass
class _Entry:
    """One schedule with its next moment."""

    arn: str
    targets: tuple[RuleTarget, ...]
    schedule: Schedule
    service: str
    next: datetime | None


class Timetable:
    """All schedules of a deployment. `fire_due` does the work; `start` runs it on a thread."""

    def __init__(
        self,
        rules: Iterable[EventRule],
        schedules: Iterable[ScheduledTarget],
        put: Put,
        clock: ScheduleClock,
        place: tuple[str, str],
    ) -> None:
        self._put, self._clock, self._place = put, clock, place
        now = clock.now()
        self._entries = [
            _entry(rule.arn, rule.targets, parse_schedule(rule.schedule, now), "events", now)
            for rule in rules
            if rule.schedule is not None and rule.enabled
        ]
        self._entries += [
            _entry(one.arn, (one.target,), parse_schedule(one.expression, now, one.timezone), "scheduler", now)
            for one in schedules
            if one.enabled
        ]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="timetable", daemon=True)

    def start(self) -> None:
        """Fire schedules as time goes by."""
        if self._entries:
            self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(_STOP_SECONDS)

    def next_moment(self) -> datetime | None:
        """Return when the next schedule fires."""
        return min((entry.next for entry in self._entries if entry.next is not None), default=None)

    def fire_due(self) -> int:
        """Fire what is due now and return how many schedules fired; a missed moment fires once, not often."""
        now = self._clock.now()
        fired = 0
        for entry in self._entries:
            if entry.next is not None and entry.next <= now:
                self._fire(entry)
                entry.next = entry.schedule.after(now)
                fired += 1
        return fired

    def _fire(self, entry: _Entry) -> None:
        source = "aws.events" if entry.service == "events" else "aws.scheduler"
        event = new_event("Scheduled Event", source, {}, [entry.arn], self._place)
        if entry.next is not None:
            event["time"] = entry.next.strftime("%Y-%m-%dT%H:%M:%SZ")
        if entry.service == "scheduler":
            event["detail"] = "{}"
        for target in entry.targets:
            body = target_input(target, event, entry.arn) if entry.service == "events" else _filled(target.input, event)
            self._put(
                Delivery(
                    target=target,
                    body=compact(event) if body is None else body,
                    source_arn=entry.arn,
                    service=f"{entry.service}.amazonaws.com",
                    event_id=event["id"],
                )
            )

    def _run(self) -> None:
        while not self._stop.is_set():
            self.fire_due()
            coming = self.next_moment()
            delay = _LONGEST_WAIT if coming is None else (coming - self._clock.now()).total_seconds()
            # Never longer than a minute: a laptop sleeps, and its clock jumps when it wakes.
            self._stop.wait(min(max(delay, 0.01), _LONGEST_WAIT))


def _filled(text: str | None, event: Mapping[str, Any]) -> str | None:
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


def _entry(arn: str, targets: tuple[RuleTarget, ...], schedule: Schedule, service: str, now: datetime) -> _Entry:
    return _Entry(arn, targets, schedule, service, schedule.after(now))
