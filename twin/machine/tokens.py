"""Task tokens: one per attempt, found by token, waited for without polling, and spent once."""

import base64
import secrets
import threading
import time
from collections import OrderedDict
from typing import Any, Final

from moto.core.exceptions import AWSError
from moto.stepfunctions.parser.asl.eval.callback.callback import (
    HeartbeatTimeoutError,
)

from twin.machine.lifecycle import AbandonedError

_SPENT_TOKENS: Final = 50_000
"""Spent tokens remembered, so that a late answer is told apart from a made-up token."""


_TOKEN_BYTES: Final = 96


monotonic = time.monotonic
"""The clock of heartbeats, in seconds; tests put their own here."""


class TaskTimedOutError(AWSError):
    """The token's task has ended: answered, timed out, or its execution is over. AWS uses this name for all three."""

    TYPE = "TaskTimedOut"
    STATUS = 400

    def __init__(self) -> None:
        super().__init__("Task Timed Out: 'Provided task does not exist anymore'")


class InvalidTokenError(AWSError):
    """The token was never issued."""

    TYPE = "InvalidToken"
    STATUS = 400

    def __init__(self) -> None:
        super().__init__("Invalid Token: 'Invalid token'")


class InvalidOutputError(AWSError):
    """The output of a task is not JSON or is too large."""

    TYPE = "InvalidOutput"
    STATUS = 400

    def __init__(self, reason: str) -> None:
        super().__init__(f"Invalid Output: '{reason}'")


class TaskCallback:
    """Where the answer to one token arrives."""

    def __init__(self, machine: str) -> None:
        self.machine = machine
        self._changed = threading.Condition()
        self._outcome: Any = None
        self._beat = monotonic()
        self._heartbeat: float | None = None
        self._left = False

    def answer(self, outcome: Any) -> None:
        """Take the answer; only the first counts.

        Raises:
            TaskTimedOutError: There was one, a heartbeat is overdue, or nobody waits any more.
        """
        with self._changed:
            self._check_open()
            self._outcome = outcome
            self._changed.notify_all()

    def record_heartbeat(self) -> None:
        """Start the heartbeat interval anew.

        Raises:
            TaskTimedOutError: The task has ended, or its heartbeat is overdue.
        """
        with self._changed:
            self._check_open()
            self._beat = monotonic()
            self._changed.notify_all()

    def _check_open(self) -> None:
        late = self._heartbeat is not None and monotonic() >= self._beat + self._heartbeat
        if self._left or late or self._outcome is not None:
            raise TaskTimedOutError

    def close(self) -> None:
        """Stop waiting; later answers are refused."""
        with self._changed:
            self._left = True
            self._changed.notify_all()

    def notify(self) -> None:
        """Wake the waiter to look at its other conditions."""
        with self._changed:
            self._changed.notify_all()

    def wait(self, heartbeat_seconds: float | None, done: Any) -> Any:
        """Wait for the answer, or until `done()` holds, and return the answer or None.

        Raises:
            HeartbeatTimeoutError: No heartbeat arrived in time.
            AbandonedError: The waiting task was stopped or timed out.
        """
        with self._changed:
            self._beat, self._heartbeat = monotonic(), heartbeat_seconds
            while self._outcome is None and not done():
                if self._left:
                    raise AbandonedError
                left = None if heartbeat_seconds is None else self._beat + heartbeat_seconds - monotonic()
                if left is not None and left <= 0:
                    self._left = True
                    raise HeartbeatTimeoutError
                self._changed.wait(left)
            return self._outcome


_lock = threading.Lock()


_live: dict[str, TaskCallback] = {}


_spent: OrderedDict[str, str] = OrderedDict()
"""Spent tokens with their state machines."""


def find_machine_arn(token: str) -> str | None:
    """Return the ARN of the state machine whose task a token stands for, or None for a token that is not known."""
    with _lock:
        endpoint = _live.get(token)
        return endpoint.machine if endpoint is not None else _spent.get(token)


def issue_token(machine: str) -> str:
    """Return a new token for a task of a state machine, given by its ARN."""
    token = base64.b64encode(secrets.token_bytes(_TOKEN_BYTES)).decode()
    with _lock:
        _live[token] = TaskCallback(machine)
    return token


def retire_token(token: str) -> None:
    """Spend a token: its task has ended."""
    with _lock:
        endpoint = _live.pop(token, None)
        _spent[token] = endpoint.machine if endpoint is not None else _spent.get(token, "")
        while len(_spent) > _SPENT_TOKENS:
            _spent.popitem(last=False)
    if endpoint is not None:
        endpoint.close()


def find_endpoint(token: str) -> TaskCallback:
    """Return where the answer to a token arrives.

    Raises:
        InvalidTokenError: The token was never issued.
        TaskTimedOutError: Its task has ended.
    """
    with _lock:
        endpoint = _live.get(token)
        spent = token in _spent
    if endpoint is not None:
        return endpoint
    raise TaskTimedOutError if spent else InvalidTokenError


def forget_tokens() -> None:
    """Forget every token, and end all waiting."""
    with _lock:
        endpoints = list(_live.values())
        _live.clear()
        _spent.clear()
    for endpoint in endpoints:
        endpoint.close()
