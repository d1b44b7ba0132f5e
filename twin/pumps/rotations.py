"""Rotations of secrets: the function is called for each step, one after the other, as Secrets Manager does it."""

import json
import logging
import threading
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from typing import Any

from twin.deploy.deployment import InvokePermission
from twin.moto_patches import secret_versions
from twin.pumps.queues.mapping import InvokeFunction

logger = logging.getLogger(__name__)

SERVICE = "secretsmanager.amazonaws.com"
STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
_JOIN_SECONDS = 5.0
Backend = Callable[[], Any]
"""Returns moto's backend of Secrets Manager."""


class RotationPump:
    """Calls the functions of rotations while it is there.

    A step that fails ends the rotation, whose version stays pending: RotateSecret with the same token goes on with it.

    Args:
        permissions: of functions, as deployed.
        invoke: calls a function and waits.
        backend: see `Backend`.
        account: of secrets.
    """

    def __init__(
        self, permissions: Iterable[InvokePermission], invoke: InvokeFunction, backend: Backend, account: str
    ) -> None:
        self._permissions, self._invoke, self._backend, self._account = permissions, invoke, backend, account
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._stopped = False
        secret_versions.listen(self)

    def check(self, function_arn: str, secret_arn: str) -> str | None:
        """Return why Secrets Manager may not call a function for a secret, or None."""
        name, _, qualifier = function_arn.split(":function:", 1)[-1].partition(":")
        for one in self._permissions:
            if (
                one.function == name
                and (one.qualifier or "") == qualifier
                and one.principal == SERVICE
                and one.source_account in (None, self._account)
                and (one.source_arn is None or fnmatchcase(secret_arn, one.source_arn))
            ):
                return None
        return f"Secrets Manager cannot invoke the specified Lambda function: no permission of {function_arn} lets it"

    def begin(self, function_arn: str, secret_arn: str, token: str, *, trial: bool) -> None:
        """Begin the steps in a thread of their own; a trial has the third only."""
        thread = threading.Thread(
            target=self._rotate, args=(function_arn, secret_arn, token, trial), name="rotation", daemon=True
        )
        with self._lock:
            self._threads = [one for one in self._threads if one.is_alive()]
            self._threads.append(thread)
        thread.start()

    def is_idle(self) -> bool:
        """Tell whether no rotation is under way."""
        with self._lock:
            return not any(thread.is_alive() for thread in self._threads)

    def stop(self) -> None:
        """Begin no further step. Idempotent."""
        secret_versions.listen(None)
        self._stopped = True
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join(_JOIN_SECONDS)

    def _rotate(self, function_arn: str, secret_arn: str, token: str, trial: bool) -> None:
        for step in ("testSecret",) if trial else STEPS:
            if self._stopped:
                return
            event = {"Step": step, "SecretId": secret_arn, "ClientRequestToken": token}
            answer = self._invoke(function_arn, json.dumps(event).encode())
            if answer.error is not None:
                logger.warning("a rotation of %s ended in %s: %s", secret_arn, step, answer.error)
                break
        else:
            secret_versions.finish_rotation(self._backend(), secret_arn, token, trial=trial)
            return
        if trial:
            secret_versions.finish_rotation(self._backend(), secret_arn, token, trial=True)
