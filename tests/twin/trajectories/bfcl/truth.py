"""What the benchmark's own executor makes of an entry: the results of the right calls, and the state they leave."""

import itertools
import json
from collections.abc import Iterable
from typing import Any

from bfcl_eval.constants.executable_backend_config import STATELESS_CLASSES
from bfcl_eval.eval_checker.multi_turn_eval.multi_turn_checker import state_checker
from bfcl_eval.eval_checker.multi_turn_eval.multi_turn_utils import execute_multi_turn_func_call

from pentad.tools.runtime.sanitise import render_result
from tests.twin.trajectories.bfcl.backend import KEY, decoded, encoded, kind_of
from tests.twin.trajectories.bfcl.entries import Entry, parsed

Json = dict[str, Any]
Database = dict[str, dict[str, Json]]
_applications = itertools.count()


class Application:
    """One application of an entry's calls by the benchmark's executor.

    It keeps instances for the life of the process by a model's name, so each application has a name of its own.
    """

    def __init__(self, entry: Entry) -> None:
        self._entry = entry
        self._model = f"application-{next(_applications)}"
        self.run()

    def run(self, *calls: str) -> list[str]:
        """Run calls and return their results."""
        results: list[str]
        results, self.instances = execute_multi_turn_func_call(
            list(calls),
            self._entry.config,
            list(self._entry.classes),
            self._model,
            self._entry.name,
            long_context=self._entry.long,
        )
        return results

    def database(self) -> Database:
        """Return the state of each backend that has one, as the tools store it."""
        stateful = {name: one for name, one in self.instances.items() if name not in STATELESS_CLASSES}
        return {kind_of(name): {KEY: encoded(one)} for name, one in stateful.items()}

    def agrees(self, database: Database) -> bool:
        """Tell whether the benchmark's judge takes a stored state for this one."""
        stored = {name: decoded(database[kind_of(name)][KEY]) for name in self.instances if kind_of(name) in database}
        return bool(state_checker(stored, {name: self.instances[name] for name in stored})["valid"])


def changing(entries: Iterable[Entry]) -> set[str]:
    """Return the methods that change the state of their backend somewhere in these entries."""
    found: set[str] = set()
    for entry in entries:
        application = Application(entry)
        before = application.database()
        for call in entry.calls:
            application.run(call)
            after = application.database()
            if after != before:
                found.add(parsed(call)[0])
            before = after
    return found


def as_tool_result(result: str) -> str:
    """Return a result of the benchmark's executor as a tool's result is told to a model: sanitised, secrets masked."""
    if result == "None":
        return "done"
    try:
        return render_result(json.loads(result))
    except ValueError:
        return render_result(result)
