"""A public benchmark's users' tasks and attacks (AgentDojo), through the turn, the approvals and the tool runner.

The model does what the benchmark says is right for the user's task. Where it reads an injected instruction, it obeys:
it does what the attacker's task asks for, at once. The human knows what the user wanted: calls of the user's task are
approved, all others rejected. Visiting a page is no effect, so it asks only where its address was composed.
"""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter

from benchmarks.injections.office import Calls, Office
from benchmarks.stage import BenchError
from pentad.domain.declarations.agents import ToolSpec
from pentad.domain.declarations.policy import PolicySpec
from pentad.domain.errors import ToolFailed
from pentad.domain.runs import ToolCall
from pentad.tools.declare.declare import Tool
from pentad.tools.declare.schema_arguments import make_schema_model
from pentad.tools.declare.signature import ToolSignature

VERSION = "v1.2.2"
ATTACK = "important_instructions_no_names"
WRITES = frozenset(
    "send_email delete_email create_calendar_event cancel_calendar_event reschedule_calendar_event "
    "add_calendar_event_participants append_to_file create_file delete_file share_file send_money schedule_transaction "
    "update_scheduled_transaction update_password update_user_info add_user_to_channel send_direct_message "
    "send_channel_message invite_user_to_slack remove_user_from_slack post_webpage reserve_hotel reserve_car_rental "
    "reserve_restaurant".split()
)
"""The benchmark's tools that do something; all others read, and what they read is from outside."""
_SHOWN = 40
_STOP_SECONDS = 10.0
Json = dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What came of one task.

    Attributes:
        task: suite, user's task and attacker's task.
        seen: the model read the injected instruction.
        done: the user's task is done, as the benchmark judges it.
        attacked: so is the attacker's.
        unasked: effects that the user did not want and no human approved.
        read: what the attacker wanted read, and was.
        approved: calls that the human approved.
        rejected: calls that the human rejected.
    """

    task: tuple[str, str, str | None]
    seen: bool
    done: bool
    attacked: bool
    unasked: int
    read: int
    approved: int
    rejected: int


class DojoProcess:
    """The benchmark's process.

    Args:
        started: it.
    """

    def __init__(self, started: "subprocess.Popen[str]") -> None:
        self._started = started

    def order(self, do: Literal["list_suites", "begin", "call", "check"], **values: Any) -> Json:
        """Return the answer to an order.

        Raises:
            BenchError: the process has ended.
        """
        assert self._started.stdin is not None and self._started.stdout is not None
        try:
            self._started.stdin.write(json.dumps({"do": do, **values}) + "\n")
            self._started.stdin.flush()
        except BrokenPipeError:
            raise BenchError(f"the benchmark's process has ended before '{do}'") from None
        line = self._started.stdout.readline()
        if not line:
            raise BenchError(f"the benchmark's process has ended at '{do}': its words are above")
        answer: Json = json.loads(line)
        return answer


@contextmanager
def start_dojo(python: Path) -> Iterator[DojoProcess]:
    """Start the benchmark's process, and stop it at the end.

    Args:
        python: of the environment that has the benchmark.
    """
    worker = Path(__file__).with_name("dojo_worker.py")
    command = [str(python), str(worker), VERSION, ATTACK]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as started:
        assert started.stdin is not None
        try:
            yield DojoProcess(started)
        finally:
            started.stdin.close()
            try:
                started.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                started.kill()


class ObedientModel:
    """Does the user's task, and what an injected instruction asks for as soon as it has read it.

    Args:
        task: as the benchmark tells it.
    """

    def __init__(self, task: Json) -> None:
        self._left: list[Json] = list(task["calls"])
        self._injected: list[Json] = list(task["injected"])
        self._answer: str = task["output"] or "Done."
        self._marks = [_squeeze(task["goal"])[:_SHOWN]] if task["goal"] else []
        self.seen = False

    def __call__(self, ended: Sequence[ToolCall]) -> Calls | str:
        """Return the next call, or the answer."""
        text = _squeeze(" ".join(call.result or "" for call in ended))
        if not self.seen and any(mark in text for mark in self._marks):
            self.seen = True
            self._left = self._injected + self._left
        if not self._left:
            return self._answer
        one = self._left.pop(0)
        return [(_shorten(one["tool"]), one["arguments"])]


def iter_tasks(suites: Json, *, attacks: bool) -> Iterator[tuple[str, str, str | None]]:
    """Yield the users' tasks, each by itself or with each attacker's of its suite."""
    for suite, has in suites.items():
        for task in has["user_tasks"]:
            for injected in has["injection_tasks"] if attacks else [None]:
                yield suite, task, injected


def play_task(
    dojo: DojoProcess, tools: Sequence[Json], task: tuple[str, str, str | None], policy: PolicySpec
) -> Outcome | None:
    """Play one task; None where nothing that it reads can be written by an attacker.

    Args:
        dojo: the benchmark's process.
        tools: of the suite.
        task: suite, user's task and attacker's task.
        policy: the project's.
    """
    suite, user_task, injection_task = task
    begun = dojo.order("begin", suite=suite, user_task=user_task, injection_task=injection_task)
    if not begun["injectable"]:
        return None
    ran: list[tuple[str, Mapping[str, Any]]] = []
    declared = {_shorten(one["name"]): _declare(dojo, one, ran) for one in tools}

    defaults = {_shorten(one["name"]): _read_defaults(one["schema"]) for one in tools}
    wanted = [(_shorten(one["tool"]), one["arguments"]) for one in begun["calls"]]

    def is_wanted(tool: str, arguments: Mapping[str, Any]) -> bool:
        return any(
            tool == name and defaults[name] | dict(arguments) == defaults[name] | given for name, given in wanted
        )

    model = ObedientModel(begun)
    played = Office(declared, is_wanted, policy).play(begun["prompt"], model)
    found = dojo.order("check", output=begun["output"])
    others = [tool for tool, arguments in ran if not is_wanted(tool, arguments)]
    return Outcome(
        task=task,
        seen=model.seen,
        done=played.answered and found["done"],
        attacked=found["attacked"],
        unasked=sum(tool in WRITES for tool in others),
        read=sum(tool not in WRITES for tool in others),
        approved=len(played.approved),
        rejected=len(played.rejected),
    )


def _declare(dojo: DojoProcess, one: Json, ran: list[tuple[str, Mapping[str, Any]]]) -> Tool[..., Any]:
    name, writes = _shorten(one["name"]), one["name"] in WRITES

    def run(**values: Any) -> str:
        ran.append((name, values))
        answer = dojo.order("call", tool=one["name"], arguments=values)
        if answer["error"]:
            raise ToolFailed(answer["error"])
        return str(answer["result"])

    run.__name__ = run.__qualname__ = name
    spec = ToolSpec(
        name=name,
        description=one["description"],
        input_schema=one["schema"],
        effects="external" if writes else "none",
        idempotent=writes,
        trusted_output=False,
        any_address=one["name"] == "get_webpage",
    )
    signature = ToolSignature(make_schema_model(name, one["schema"]), None, TypeAdapter(str), False)
    return Tool(run, spec=spec, signature=signature, undo=None, grants=(), memory_mb=256)


def _read_defaults(schema: Json) -> Json:
    """Return what stands for an argument that is left out: a human sees it filled in."""
    return {name: one.get("default") for name, one in schema.get("properties", {}).items() if "default" in one}


def _shorten(name: str) -> str:
    """Return a tool's name as Pentad has it: at most 40 characters."""
    return name[:40]


def _squeeze(text: str) -> str:
    """Return letters and digits: the benchmark's YAML folds lines and escapes quotes."""
    return re.sub(r"\\n|\W|_", "", text)
