"""Composite alarms: their rules, and when an alarm that is on may tell somebody. Pure.

Source: "Creating a composite alarm" and "Composite alarm action suppression" of the CloudWatch user guide.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from twin.alarms.evaluation import State

_TOKEN = re.compile(r'\s*(\(|\)|"[^"]*"|[^\s()"]+)')
_STATES: Mapping[str, State] = {"ALARM": "ALARM", "OK": "OK", "INSUFFICIENT_DATA": "INSUFFICIENT_DATA"}
_MOST_CHARACTERS = 10_240
_MOST_DEPTH = 50


def evaluate_rule(rule: str, find_state: Callable[[str], State]) -> bool:
    """Tell whether a rule holds.

    Args:
        rule: such as ``ALARM("a") AND NOT ALARM(b)``; alarms by name or ARN.
        find_state: returns the state of the alarm of a name.

    Raises:
        ValueError: it is no rule.
    """
    return _RuleParser(rule, find_state).parse()


def list_alarms(rule: str) -> set[str]:
    """Return the names of the alarms that a rule looks at.

    Raises:
        ValueError: it is no rule.
    """
    found: set[str] = set()

    def note(name: str) -> State:
        found.add(name)
        return "OK"

    evaluate_rule(rule, note)
    return found


class _RuleParser:
    """NOT binds most, then AND, then OR. All of a rule is read, also where its outcome is known before."""

    def __init__(self, rule: str, find_state: Callable[[str], State]) -> None:
        if len(rule) > _MOST_CHARACTERS:
            raise ValueError(f"a rule has {_MOST_CHARACTERS} characters at most")
        self._rule, self._find_state = rule, find_state
        self._tokens = [found[1] for found in _TOKEN.finditer(rule)]
        self._place = self._depth = 0

    def parse(self) -> bool:
        result = self._read_or()
        if self._place < len(self._tokens):
            raise self._fail(f"{self._tokens[self._place]!r} stands where it should end")
        return result

    def _fail(self, why: str) -> ValueError:
        return ValueError(f"the alarm rule {self._rule!r}: {why}")

    def _take(self, *wanted: str) -> str | None:
        if self._place < len(self._tokens) and self._tokens[self._place].upper() in wanted:
            self._place += 1
            return self._tokens[self._place - 1].upper()
        return None

    def _read_or(self) -> bool:
        self._depth += 1
        if self._depth > _MOST_DEPTH:
            raise self._fail("it is nested too deeply")
        result = self._read_and()
        while self._take("OR"):
            other = self._read_and()
            result = result or other
        self._depth -= 1
        return result

    def _read_and(self) -> bool:
        result = self._read_not()
        while self._take("AND"):
            other = self._read_not()
            result = result and other
        return result

    def _read_not(self) -> bool:
        if self._take("NOT"):
            return not self._read_not()
        if self._take("("):
            result = self._read_or()
            self._expect(")")
            return result
        word = self._take("TRUE", "FALSE", *_STATES)
        if word is None:
            raise self._fail("a state such as ALARM(name), TRUE or FALSE is missing")
        if word in ("TRUE", "FALSE"):
            return word == "TRUE"
        self._expect("(")
        if self._place >= len(self._tokens):
            raise self._fail("the name of an alarm is missing")
        name = self._tokens[self._place].strip('"')
        self._place += 1
        self._expect(")")
        return self._find_state(name.rpartition(":alarm:")[2] or name) == _STATES[word]

    def _expect(self, token: str) -> None:
        if self._take(token) is None:
            raise self._fail(f"{token!r} is missing")


@dataclass(frozen=True)
class Suppressor:
    """The alarm that keeps another's actions back.

    Attributes:
        name: of the alarm.
        wait_seconds: how long an alarm that goes on waits for it to go on too.
        extension_seconds: how long actions are kept back after it has gone off.
    """

    name: str
    wait_seconds: float
    extension_seconds: float


@dataclass
class Suppression:
    """Whether the actions of one composite alarm are kept back.

    Attributes:
        suppressor: by which alarm.
    """

    suppressor: Suppressor
    _waiting_until: float | None = None
    _extended_until: float | None = None
    _was_on: bool = False

    def decide(self, state: State, suppressor_state: State, *, turned: bool, now: float) -> str | None:
        """Return why an alarm's actions are kept back now: ``ALARM``, ``WaitPeriod``, ``ExtensionPeriod``; or None.

        Args:
            state: of the composite alarm.
            suppressor_state: of the suppressor.
            turned: the composite alarm has just changed its state.
            now: seconds of any clock.
        """
        on = suppressor_state == "ALARM"
        if self._was_on and not on:
            self._extended_until = now + self.suppressor.extension_seconds
        self._was_on = on
        if turned and state == "ALARM" and not on:
            self._waiting_until = now + self.suppressor.wait_seconds
        if on:
            self._waiting_until = self._extended_until = None
            return "ALARM"
        if self._extended_until is not None and now < self._extended_until:
            return "ExtensionPeriod"
        if state == "ALARM" and self._waiting_until is not None and now < self._waiting_until:
            return "WaitPeriod"
        return None
