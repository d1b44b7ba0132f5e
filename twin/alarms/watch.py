"""Keep the metrics of a running twin, evaluate its alarms once a minute, and tell their topics."""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol, get_args

from twin.alarms.alarms import Actions, CompositeAlarm, MetricAlarm
from twin.alarms.emf import Measured, read_line
from twin.alarms.evaluation import State
from twin.alarms.metric_store import MINUTE, MetricKey, MetricStore
from twin.alarms.rules import Suppression, evaluate_rule, list_alarms
from twin.host.model import LogEvent

logger = logging.getLogger(__name__)

Sample = Callable[[float, float], Sequence[Measured]]
"""Returns what a service measured between two times, in seconds since the epoch."""


class AlarmTarget(Protocol):
    """Where states and messages go: CloudWatch's API and SNS."""

    def set_state(self, name: str, state: State, reason: str) -> None:
        """Have DescribeAlarms tell an alarm's state."""

    def publish(self, topic_arn: str, subject: str, message: str, alarm_arn: str) -> None:
        """Send a message to a topic."""

    def format_arn(self, alarm: str) -> str:
        """Return the ARN of an alarm."""


class AlarmWatch:
    """The metrics and alarms of one deployment.

    Attributes:
        store: the metrics.
        target: where states and messages go.
    """

    def __init__(
        self,
        metric_alarms: Mapping[str, MetricAlarm],
        composite_alarms: Mapping[str, CompositeAlarm],
        target: AlarmTarget,
        *,
        samples: Sequence[Sample] = (),
    ) -> None:
        """Make the watch; `start` begins it.

        Args:
            metric_alarms: by name; read anew at each evaluation, so that an update of the stacks counts.
            composite_alarms: by name.
            target: where states and messages go.
            samples: what services measure without a log line.
        """
        self.store = MetricStore()
        self._metric_alarms, self._composite_alarms = metric_alarms, composite_alarms
        self.target, self._samples = target, samples
        self._states: dict[str, State] = {}
        self._suppressions: dict[str, Suppression] = {}
        self._kept_back: dict[str, tuple[State, State, str]] = {}
        self._sampled = time.time()
        self._stopped = threading.Event()
        self._evaluating = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="alarms", daemon=True)

    def start(self) -> None:
        """Evaluate from now on, each minute."""
        self._thread.start()

    def stop(self) -> None:
        """End. Idempotent."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(5.0)
        if self.store.refused:
            logger.warning("%d values of metrics were not kept: there were too many metrics", self.store.refused)

    def on_log_lines(self, group: str, stream: str, events: Sequence[LogEvent]) -> None:
        """Take the metrics of a function's log lines."""
        for event in events:
            self.take(read_line(event.message))

    def take(self, measured: Iterable[Measured]) -> None:
        """Keep values."""
        for key, value, at in measured:
            self.store.add(key, value, at)

    def on_put_metrics(self, namespace: str, data: Sequence[Mapping[str, Any]]) -> None:
        """Take the data of a PutMetricData: values with counts, or the mean of a set of statistics so many times."""
        for one in data:
            dimensions = {each["Name"]: each["Value"] for each in one.get("Dimensions") or ()}
            key = MetricKey.of(namespace, one["MetricName"], dimensions)
            given = one.get("Timestamp")
            at = given.timestamp() if isinstance(given, datetime) else time.time()
            for value, times in _list_values(one):
                self.store.add(key, value, at, times)

    def on_set_state(self, name: str, state: str, reason: str) -> None:
        """Take a SetAlarmState: its actions are told at once, and the next evaluation turns the alarm back."""
        alarm, composite = self._metric_alarms.get(name), self._composite_alarms.get(name)
        found = alarm or composite
        known = next((one for one in get_args(State) if one == state), None)
        if found is not None and known is not None:
            with self._evaluating:
                self._turn(name, found.actions, known, reason, time.time(), composite)

    def find_state(self, name: str) -> State:
        """Return an alarm's state: INSUFFICIENT_DATA where it has not been evaluated, or there is none."""
        return self._states.get(name, "INSUFFICIENT_DATA")

    def evaluate(self, now: float | None = None) -> None:
        """Take what services measured, evaluate every alarm, and tell the topics.

        Args:
            now: seconds since the epoch; the time that it is where None.
        """
        with self._evaluating:
            at = time.time() if now is None else now
            self.take_samples()
            for alarm in list(self._metric_alarms.values()):
                self._evaluate_alarm(alarm, at)
            for composite in self._order_composites():
                on = evaluate_rule(composite.rule, self.find_state)
                why = f"the rule {'holds' if on else 'does not hold'}: {composite.rule}"
                self._turn(composite.name, composite.actions, "ALARM" if on else "OK", why, at, composite)

    def _evaluate_alarm(self, alarm: MetricAlarm, at: float) -> None:
        try:
            verdict = alarm.evaluate(self.store.read, at)
        except ValueError as error:  # its expression has no meaning for these values; other alarms go on
            logger.warning("the alarm %s can't be evaluated: %s", alarm.name, error)
            return
        if verdict.state is not None:
            self._turn(alarm.name, alarm.actions, verdict.state, verdict.reason, at)

    def take_samples(self) -> None:
        """Take what services measured since the last time."""
        since, self._sampled = self._sampled, time.time()
        for sample in self._samples:
            self.take(sample(since, self._sampled))

    def _order_composites(self) -> list[CompositeAlarm]:
        """Return the composite alarms, each after those that its rule and its suppressor look at; a ring is left out.

        CloudWatch stops evaluating a ring, too.
        """
        left = dict(self._composite_alarms)
        ordered: list[CompositeAlarm] = []
        while left:
            ready = [one for one in left.values() if not _list_needed(one) & left.keys()]
            if not ready:
                logger.warning("the composite alarms %s look at each other: not evaluated", ", ".join(sorted(left)))
                break
            for one in ready:
                ordered.append(left.pop(one.name))
        return ordered

    def _turn(
        self, name: str, actions: Actions, state: State, reason: str, at: float, composite: CompositeAlarm | None = None
    ) -> None:
        before = self.find_state(name)
        turned = state != before or name not in self._states
        if turned:
            self._states[name] = state
            self.target.set_state(name, state, reason)
        if composite is not None and composite.suppressor is not None:
            self._tell_unless_suppressed(composite, before, state, reason, turned=state != before, at=at)
        elif state != before:
            self._tell(name, actions, before, state, reason, at)

    def _tell_unless_suppressed(
        self, composite: CompositeAlarm, before: State, state: State, reason: str, *, turned: bool, at: float
    ) -> None:
        """Tell, or keep the message until the suppressor lets it pass; what has passed meanwhile is told no more."""
        suppressor = composite.suppressor
        if suppressor is None:
            return
        suppression = self._suppressions.setdefault(composite.name, Suppression(suppressor))
        why = suppression.decide(state, self.find_state(suppressor.name), turned=turned, now=at)
        if turned:
            told = self._kept_back.pop(composite.name, (before, before, ""))[0]
            if told != state:  # Else nobody was told that it had changed.
                self._kept_back[composite.name] = (told, state, reason)
        if why is None and composite.name in self._kept_back:
            was, now_is, because = self._kept_back.pop(composite.name)
            self._tell(composite.name, composite.actions, was, now_is, because, at)
        elif why == "ALARM" and state != "ALARM":
            self._kept_back.pop(composite.name, None)

    def _tell(self, name: str, actions: Actions, before: State, state: State, reason: str, at: float) -> None:
        arn = self.target.format_arn(name)
        message = {
            "AlarmName": name,
            "AlarmDescription": self._find_description(name),
            "AWSAccountId": arn.split(":")[4],
            "AlarmArn": arn,
            "NewStateValue": state,
            "NewStateReason": reason,
            "OldStateValue": before,
            "StateChangeTime": datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000",
            "Region": arn.split(":")[3],
        }
        for topic in actions.find(state):
            try:
                self.target.publish(topic, f'{state}: "{name}"'[:100], json.dumps(message), arn)
            except Exception:  # boundary: a topic that takes nothing must not end the watch
                logger.exception("the alarm %s could not tell %s", name, topic)

    def _find_description(self, name: str) -> str:
        one: Any = self._metric_alarms.get(name) or self._composite_alarms.get(name)
        return str(one.description) if one is not None else ""

    def _run(self) -> None:
        while not self._stopped.wait(MINUTE):
            try:
                self.evaluate()
            except Exception:  # boundary: one evaluation that fails must not end the next
                logger.exception("the alarms could not be evaluated")


def _list_values(datum: Mapping[str, Any]) -> list[tuple[float, float]]:
    if datum.get("Values"):
        counts = datum.get("Counts") or [1] * len(datum["Values"])
        return [(float(value), float(count)) for value, count in zip(datum["Values"], counts, strict=False)]
    if datum.get("StatisticValues"):
        given = {name: float(value) for name, value in datum["StatisticValues"].items()}
        rest, middle = given["SampleCount"] - 2, given["Sum"] - given["Minimum"] - given["Maximum"]
        if rest < 0:
            return [(given["Sum"], given["SampleCount"])]
        ends = [(given["Minimum"], 1.0), (given["Maximum"], 1.0)]
        return [*ends, (middle / rest, rest)] if rest else ends
    return [(float(datum.get("Value", 0)), 1.0)]


def _list_needed(one: CompositeAlarm) -> set[str]:
    return list_alarms(one.rule) | ({one.suppressor.name} if one.suppressor else set())
