"""Versions of state machines and functions: which there are, which are in use, and deleting those that are not.

Nothing deletes them by itself: a run may go on with its version for as long as a human takes to answer.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pentad.domain.declarations.release_mark import parse_comment

_NUMBER = re.compile(r"(:function:[\w-]+):\d+")
_FUNCTION_VERSION = re.compile(r"arn:[\w-]+:lambda:[\w-]+:\d+:function:[\w-]+:\d+")


@dataclass(frozen=True)
class MachineVersion:
    """One version of one state machine.

    Attributes:
        arn: the version.
        created: when it was published.
        weight: the share of new runs that it gets, in percent.
        running: whether an execution of it runs; None where that cannot be told: Express executions are not listed.
        changed: what of the machine's own differs from the version before: ``prompt``, ``settings``, ``states``. Empty
            where nothing does: it was published for shared code, or for another agent. None: there is none before it.
    """

    arn: str
    created: datetime
    weight: int
    running: bool | None
    changed: tuple[str, ...] | None = None

    @property
    def machine(self) -> str:
        """The machine's name."""
        return self.arn.split(":")[6]

    @property
    def number(self) -> int:
        """The version's number."""
        return int(self.arn.rpartition(":")[2])


class Versions:
    """The versions of one deployment.

    Args:
        states: a Step Functions client.
        functions: a Lambda client.
        prefix: what the names of its machines and functions begin with.
    """

    def __init__(self, states: Any, functions: Any, prefix: str) -> None:
        self._states, self._functions, self._prefix = states, functions, prefix

    def list_versions(self) -> list[MachineVersion]:
        """Return the versions of all machines, by name and then the newest first."""
        found = []
        for machine in self._list_machines():
            weights = self._read_weights(machine["stateMachineArn"])
            before: str | None = None
            versions = sorted(self._iter_versions(machine["stateMachineArn"]), key=_read_number)
            for one in versions:
                arn = str(one["stateMachineVersionArn"])
                running = None if machine["type"] == "EXPRESS" else self._is_running(arn)
                after = str(self._states.describe_state_machine(stateMachineArn=arn)["definition"])
                changed = None if before is None else compare_definitions(before, after)
                found.append(MachineVersion(arn, one["creationDate"], weights.get(arn, 0), running, changed))
                before = after
        return sorted(found, key=lambda one: (one.machine, -one.number))

    def find_unused_machines(self, *, keep: int) -> list[MachineVersion]:
        """Return the versions that no alias leads to and no execution runs, less the newest ones of each machine.

        Args:
            keep: so many of each machine stay whatever they are, for a way back.
        """
        unused: list[MachineVersion] = []
        seen: dict[str, int] = {}
        for one in self.list_versions():
            seen[one.machine] = seen.get(one.machine, 0) + 1
            if seen[one.machine] > keep and not one.weight and not one.running:
                unused.append(one)
        return unused

    def find_unused_functions(self, *, without: list[MachineVersion]) -> list[str]:
        """Return the ARNs of published functions that no definition and no alias names; the newest of each stays.

        Args:
            without: versions of machines that will be gone.
        """
        gone = {one.arn for one in without}
        named = self._find_named_functions(gone)
        unused = []
        for function in self._list_functions():
            name = function["FunctionName"]
            for page in self._functions.get_paginator("list_aliases").paginate(FunctionName=name):
                named |= {f"{function['FunctionArn']}:{one['FunctionVersion']}" for one in page["Aliases"]}
            pages = self._functions.get_paginator("list_versions_by_function").paginate(FunctionName=name)
            numbers = [int(one["Version"]) for page in pages for one in page["Versions"] if one["Version"].isdigit()]
            older = sorted(numbers)[:-1]
            unused += [arn for number in older if (arn := f"{function['FunctionArn']}:{number}") not in named]
        return unused

    def delete(self, machines: list[MachineVersion], functions: list[str]) -> None:
        """Delete versions: the machines' first, so that nothing names a function that is gone."""
        for one in machines:
            self._states.delete_state_machine_version(stateMachineVersionArn=one.arn)
        for arn in functions:
            name, _, number = arn.rpartition(":")
            self._functions.delete_function(FunctionName=name, Qualifier=number)

    def _list_machines(self) -> Iterator[dict[str, Any]]:
        for page in self._states.get_paginator("list_state_machines").paginate():
            yield from (one for one in page["stateMachines"] if one["name"].startswith(self._prefix))

    def _list_functions(self) -> Iterator[dict[str, Any]]:
        for page in self._functions.get_paginator("list_functions").paginate():
            yield from (one for one in page["Functions"] if one["FunctionName"].startswith(self._prefix))

    def _iter_versions(self, machine: str) -> Iterator[dict[str, Any]]:
        token: dict[str, str] = {}
        while True:
            page = self._states.list_state_machine_versions(stateMachineArn=machine, **token)
            yield from page["stateMachineVersions"]
            if not page.get("nextToken"):
                return
            token = {"nextToken": page["nextToken"]}

    def _read_weights(self, machine: str) -> dict[str, int]:
        weights: dict[str, int] = {}
        for alias in self._states.list_state_machine_aliases(stateMachineArn=machine)["stateMachineAliases"]:
            described = self._states.describe_state_machine_alias(stateMachineAliasArn=alias["stateMachineAliasArn"])
            for route in described["routingConfiguration"]:
                weights[route["stateMachineVersionArn"]] = int(route["weight"])
        return weights

    def _is_running(self, version: str) -> bool:
        page = self._states.list_executions(stateMachineArn=version, statusFilter="RUNNING", maxResults=1)
        return bool(page["executions"])

    def _find_named_functions(self, gone: set[str]) -> set[str]:
        """Return the function versions that definitions name: those of the versions that stay, and the unpublished."""
        named: set[str] = set()
        for machine in self._list_machines():
            arns = [machine["stateMachineArn"]]
            arns += [one["stateMachineVersionArn"] for one in self._iter_versions(machine["stateMachineArn"])]
            for arn in arns:
                if arn not in gone:
                    definition = self._states.describe_state_machine(stateMachineArn=arn)["definition"]
                    named |= set(_FUNCTION_VERSION.findall(definition))
        return named


def compare_definitions(before: str, after: str) -> tuple[str, ...]:
    """Return what of a machine's own differs between two versions; the functions' version numbers do not count."""
    parts = [json.loads(_NUMBER.sub(r"\1", text)) for text in (before, after)]
    comments = [str(part.pop("Comment", "")) for part in parts]
    marks = [parse_comment(comment) for comment in comments]
    changed = [name for name in marks[1] if marks[0].get(name) not in (None, marks[1][name])]
    if parts[0] != parts[1]:
        changed.append("states")
    return tuple(changed)


def _read_number(version: dict[str, Any]) -> int:
    return int(str(version["stateMachineVersionArn"]).rpartition(":")[2])
