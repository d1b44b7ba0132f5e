"""Switch moto's interpreter on and repair it; and put everything back."""

import threading
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from moto.core.config import default_user_config
from moto.stepfunctions.parser import utils

from twin.machine import (
    api,
    branches,
    callbacks,
    definitions,
    encoding,
    executions,
    express,
    expressions,
    integrations,
    lifecycle,
    states,
    status,
    versions,
)
from twin.machine.clients import Connect
from twin.machine.patching import Patches

_lock = threading.Lock()
_installed: Patches | None = None


def _switch_on(patches: Patches) -> None:
    former = default_user_config.get("stepfunctions")
    default_user_config["stepfunctions"] = {**(former or {}), "execute_state_machine": True}

    def undo() -> None:
        if former is None:
            default_user_config.pop("stepfunctions", None)
        else:
            default_user_config["stepfunctions"] = former

    patches.on_undo(undo)


def install(connect: Connect, *, time_scale: float = 1.0, routing_seed: int | None = None) -> None:
    """Install the interpreter once per process; a second call does nothing.

    Args:
        connect: Returns a botocore client of a service that acts as a role. The interpreter makes every call of a task
            through it, so the client must neither retry nor time out before the longest task (a Lambda function runs
            for up to 900 seconds), and should leave parameter validation to the service.
        time_scale: Factor on the seconds of Wait states and retries, for tests.
        routing_seed: Makes the choices between the two versions of an alias the same each time.
    """
    global _installed
    with _lock:
        if _installed is not None:
            return
        patches = Patches()
        _switch_on(patches)
        encoding.apply(patches)
        # moto remembers every thread that it ever started.
        patches.replace_everywhere(utils.TMP_THREADS, deque(maxlen=0))
        states.apply(patches)
        lifecycle.apply(patches, time_scale=time_scale)
        expressions.apply(patches)
        branches.apply(patches)
        integrations.apply(patches, connect)
        callbacks.apply(patches)
        definitions.apply(patches)
        executions.apply(patches, routing_seed=routing_seed)
        express.apply(patches)
        versions.apply(patches)
        api.apply(patches)
        _installed = patches


def uninstall() -> None:
    """Stop what runs and undo every patch."""
    global _installed
    with _lock:
        if _installed is None:
            return
        status.listen(None)
        executions.stop_all()
        _installed.undo()
        _installed = None


def count_transitions(events: Iterable[Mapping[str, Any]]) -> int:
    """Count the states that an execution entered. AWS bills each retry as one transition more.

    Args:
        events: Events of GetExecutionHistory.
    """
    return sum(1 for event in events if str(event["type"]).endswith("StateEntered"))
