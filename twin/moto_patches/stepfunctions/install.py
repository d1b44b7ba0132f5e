"""Switch moto's interpreter on and repair it; and put everything back."""

import threading
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any, Final

from moto.core.config import default_user_config

from twin.host.model import LogSink
from twin.machine import clients, executions, lifecycle, status
from twin.machine.clients import Connect
from twin.machine.operations import execution_logs
from twin.moto_patches.patching import Patches
from twin.moto_patches.stepfunctions.api import executions as api_executions
from twin.moto_patches.stepfunctions.api import (
    express,
    map_runs,
    operations,
    redrive,
    state_tests,
    tokens,
    validation,
    versions,
)
from twin.moto_patches.stepfunctions.engine import definitions, environment, history, json_text, programs, worker
from twin.moto_patches.stepfunctions.engine import executions as engine_executions
from twin.moto_patches.stepfunctions.language import (
    assign,
    attempts,
    choice,
    errors,
    jsonata,
    map,
    parallel,
    result_path,
    states,
    strings,
    timeouts,
    waits,
)
from twin.moto_patches.stepfunctions.tasks import callbacks, functions, services

#: JSON first: what is replaced everywhere must be loaded, and nothing may keep moto's own.
_MODULES: Final[tuple[ModuleType, ...]] = (
    json_text,
    *(states, assign, result_path, choice, errors, attempts, timeouts, waits, jsonata, map, parallel, strings),
    *(environment, history, programs, definitions, engine_executions, worker),
    *(services, functions, callbacks),
    *(express, versions, operations, map_runs, redrive, state_tests, tokens, validation),
)

_lock = threading.Lock()
_installed: Patches | None = None


def _switch_on(patches: Patches) -> None:
    former = default_user_config.get("stepfunctions")
    default_user_config["stepfunctions"] = {**(former or {}), "execute_state_machine": True}

    def restore() -> None:
        if former is None:
            default_user_config.pop("stepfunctions", None)
        else:
            default_user_config["stepfunctions"] = former

    patches.on_undo(restore)


def install(
    connect: Connect, *, time_scale: float = 1.0, routing_seed: int | None = None, logs: LogSink | None = None
) -> None:
    """Install the interpreter once per process; a second call does nothing.

    Args:
        connect: Returns a botocore client of a service that acts as a role. The interpreter makes every call of a task
            through it, so the client must neither retry nor time out before the longest task (a Lambda function runs
            for up to 900 seconds), and should leave parameter validation to the service.
        time_scale: Factor on the seconds of Wait states and retries, for tests.
        routing_seed: Makes the choices between the two versions of an alias the same each time.
        logs: Where machines with a logging configuration log their executions; None for nowhere.
    """
    global _installed
    with _lock:
        if _installed is not None:
            return
        patches = Patches()
        _switch_on(patches)
        lifecycle.set_time_scale(time_scale)
        clients.use(connect)
        execution_logs.use(logs)
        patches.on_undo(lambda: execution_logs.use(None))
        patches.on_undo(lambda: clients.use(None))
        for module in _MODULES:
            module.apply(patches)
        api_executions.apply(patches, routing_seed=routing_seed)
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
    """Count the states that an execution entered. AWS bills each retry and redrive as one transition more.

    Args:
        events: Events of GetExecutionHistory.
    """
    return sum(1 for event in events if str(event["type"]).endswith(("StateEntered", "ExecutionRedriven")))
