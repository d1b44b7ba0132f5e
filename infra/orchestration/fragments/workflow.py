"""What all parts of a workflow ask of it: a free name, a step's number, ARNs, and where to note a mistake."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from constructs import Construct
from pydantic import ValidationError

from infra.config import Stage
from infra.orchestration.fragments.arns import Arns
from infra.orchestration.fragments.exports import Known, find_export_problems
from infra.orchestration.names import machine_arn
from pentad.domain.declarations.agents import AgentSpec
from pentad.domain.declarations.policy import PolicySpec
from pentad.domain.declarations.workflows import AnyStep
from pentad.domain.errors import ConfigurationError
from pentad.tools.declare.discovery import AnyTool

_PROBLEMS_SHOWN = 10
_NAME = r"[a-z][a-z0-9_]{0,60}"
"""Of any part, those that fragments make of others' names included: states' names, and fields in JSONata."""


class Workflow(Construct):
    """A workflow as its parts know it; `infra.orchestration.fragments.flow.Flow` builds them.

    Attributes:
        title: its name.
        file: the file that it is written in, for messages.
        agents: the agents there are.
        tools: the tools there are.
        policy: policy.yaml: which tools may ask a human.
        used_agents: those that steps name.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        file: Path,
        stage: Stage,
        agents: Mapping[str, AgentSpec],
        tools: Mapping[str, AnyTool],
        policy: PolicySpec | None = None,
    ) -> None:
        super().__init__(scope, f"workflow-{name}")
        self.title = name
        self.file = file
        self.agents, self.tools = agents, tools
        self.policy = policy or PolicySpec()
        self.used_agents: list[str] = []
        self._stage = stage
        self._steps: dict[str, AnyStep] = {}
        self._names: set[str] = set()
        self._problems: list[str] = []
        self._arns = Arns()

    def take(self, name: str) -> str:
        """Return a name that is free, and take it.

        Raises:
            ConfigurationError: another part has it, or it is no name.
        """
        if not re.fullmatch(_NAME, name):
            raise self._wrong(name, "name", f"'{name}' is not a name: use lower case letters, digits and underscores")
        if name in self._names:
            raise self._wrong(name, "name", f"another part of the workflow has the name '{name}': use another")
        self._names.add(name)
        return name

    def arn(self, function: str) -> str:
        """Return the ARN of a function, known when the template is written: gateway, workflow, deliver, tool:NAME."""
        return self._arns.get_token(function)

    def machine(self, agent: str) -> str:
        """Return the ARN of an agent's state machine."""
        return machine_arn(self, self._stage, self.agents[agent].machine)

    def bind(self, arns: Mapping[str, str]) -> None:
        """Say what the functions' ARNs are."""
        self._arns.bind(arns)

    def problem(self, part: str, field: str, sentence: str) -> None:
        """Note what is wrong with a part; `spec` tells all of it at once."""
        self._problems.append(f"{part}: {field}: {sentence}")

    def check_exported(
        self,
        part: str,
        field: str,
        step: str,
        name: str,
        known: Known,
        values: Sequence[str | int | bool],
        *,
        number: bool = False,
    ) -> None:
        """Note what is wrong with a part that looks at a field of a result.

        Args:
            part: the part.
            field: its field that names the other.
            step: whose result.
            name: the result's field.
            known: the results there are.
            values: those that the part compares it with.
            number: it has to be one.
        """
        for sentence in find_export_problems(self._steps.get(step), step, name, known, values, number=number):
            self.problem(part, field, sentence)

    def _step(self, kind: Any, name: str, fields: Mapping[str, Any]) -> Any:
        try:
            spec = kind(name=name, number=len(self._steps) + 1, **fields)
        except ValidationError as error:
            one = error.errors()[0]
            raise self._wrong(name, ".".join(map(str, one["loc"])), one["msg"].removeprefix("Value error, ")) from error
        if name in self._steps:
            raise self._wrong(name, "name", f"another step has the name '{name}': use another")
        self._steps[name] = spec
        return spec

    def _free(self, stem: str) -> str:
        return next(name for count in range(1, 1000) if (name := f"{stem}_{count}") not in self._names)

    def _wrong(self, part: str, field: str, sentence: str) -> ConfigurationError:
        return self._error([f"{part}: {field}: {sentence}"])

    def _error(self, found: Sequence[str]) -> ConfigurationError:
        shown = "; ".join(found[:_PROBLEMS_SHOWN])
        return ConfigurationError(f"{self.file}: {shown}", field="workflow", fix="correct the file")
