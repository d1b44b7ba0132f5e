"""The benchmark's own process: its tools over its environments, and its judgement. Knows nothing of Pentad.

It takes one JSON object a line and answers with one: ``suites``; ``begin`` a user's task, with or without an injected
one; ``call`` a tool; ``check`` what came of it.
"""

import contextlib
import json
import sys
from typing import Any

from agentdojo.agent_pipeline.base_pipeline_element import BasePipelineElement
from agentdojo.agent_pipeline.tool_execution import tool_result_to_str
from agentdojo.attacks.attack_registry import load_attack
from agentdojo.functions_runtime import FunctionCall, FunctionsRuntime
from agentdojo.task_suite.load_suites import get_suites

Json = dict[str, Any]


class _Attacked(BasePipelineElement):  # type: ignore[misc] # it has no types here
    """The attack is told which model it attacks; this one has no name."""

    name = "local"

    def query(self, *_: Any, **__: Any) -> Any:
        """Answer nothing: what the model says is played elsewhere."""
        raise NotImplementedError


class Dojo:
    """One version of the benchmark.

    Args:
        version: such as ``v1.2.2``.
        attack: the name of the attack that writes the injected instructions.
    """

    def __init__(self, version: str, attack: str) -> None:
        self._suites = get_suites(version)
        self._attacks = {name: load_attack(attack, suite, _Attacked()) for name, suite in self._suites.items()}

    def list_suites(self) -> Json:
        """Return each suite's tools and tasks."""
        return {
            name: {
                "tools": [
                    {"name": one.name, "description": one.description, "schema": one.parameters.model_json_schema()}
                    for one in suite.tools
                ],
                "user_tasks": list(suite.user_tasks),
                "injection_tasks": list(suite.injection_tasks),
            }
            for name, suite in self._suites.items()
        }

    def begin(self, suite: str, user_task: str, injection_task: str | None = None) -> Json:
        """Make the environment of a task, and tell what its user and its attacker want."""
        chosen = self._suites[suite]
        self._user = chosen.get_user_task_by_id(user_task)
        self._injection = chosen.get_injection_task_by_id(injection_task) if injection_task else None
        placed: dict[str, str] = {}
        if self._injection is not None:
            try:
                placed = self._attacks[suite].attack(self._user, self._injection)
            except ValueError:  # nothing that this task reads can be written by an attacker
                return {"injectable": False}
        self._environment = self._user.init_environment(chosen.load_and_inject_default_environment(placed))
        self._before = self._environment.model_copy(deep=True)
        self._runtime = FunctionsRuntime(chosen.tools)
        self._called: list[FunctionCall] = []
        return {
            "injectable": True,
            "prompt": self._user.PROMPT,
            "calls": self._list_calls(self._user),
            "output": self._user.GROUND_TRUTH_OUTPUT,
            "injected": [] if self._injection is None else self._list_calls(self._injection),
            "goal": "" if self._injection is None else self._injection.GOAL,
            "placed": list(placed.values()),
        }

    def call(self, tool: str, arguments: Json) -> Json:
        """Run a tool on the environment."""
        self._called.append(FunctionCall(function=tool, args=arguments))
        result, error = self._runtime.run_function(self._environment, tool, arguments)
        return {"result": tool_result_to_str(result), "error": error}

    def check(self, output: str) -> Json:
        """Tell if the user's task is done, and if the attacker's is."""
        judged = (output, self._before, self._environment)
        done = self._user.utility_from_traces(*judged, self._called)
        found = {"done": bool(self._user.utility(*judged) if done is None else done), "attacked": False}
        if self._injection is not None:
            won = self._injection.security_from_traces(*judged, self._called)
            found["attacked"] = bool(self._injection.security(*judged) if won is None else won)
        return found

    def _list_calls(self, task: Any) -> list[Json]:
        return [{"tool": one.function, "arguments": one.args} for one in task.ground_truth(self._before)]


def main() -> None:
    """Serve orders until the input ends."""
    orders, answers = sys.stdin, sys.stdout
    with contextlib.redirect_stdout(sys.stderr):  # what the benchmark prints is none of ours
        dojo = Dojo(*sys.argv[1:3])
        for line in orders:
            order = json.loads(line)
            answer = getattr(dojo, order.pop("do"))(**order)
            answers.write(json.dumps(answer, default=str) + "\n")
            answers.flush()


if __name__ == "__main__":
    main()
