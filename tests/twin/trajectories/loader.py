"""Read tool-use trajectories in OpenAI's message shape, as public benchmarks record them.

A trajectory is a list of messages: ``system`` (left out: the prompt is the agent's), ``user``, ``assistant`` with or
without ``tool_calls``, and ``tool`` with the result of one call. Each user's message begins a turn, which is one run
here. Files hold one trajectory or several: a list of messages, or objects that have one under ``messages`` or
``traj``; the objects may be in a list, under ``simulations``, or one a line. A call is OpenAI's ``{id, function: {name,
arguments}}`` or flat ``{id, name, arguments}``; its arguments are JSON text or an object.

Beside the messages an object may have ``name``, and ``database``: ``{kind: {key: value}}``, the records before.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Json = dict[str, Any]
CLOSING = "Done."
"""What the model says last where a trajectory ends with a tool's result: a run needs an answer."""


class Malformed(ValueError):
    """A file holds no trajectory; the message says where and why."""


@dataclass(frozen=True)
class Call:
    """One tool call, with the result that was recorded; None where there is none."""

    call_id: str
    tool: str
    arguments: Json
    result: str | None = None


@dataclass(frozen=True)
class Reply:
    """One reply of the model: words, or calls, or both."""

    text: str
    calls: tuple[Call, ...] = ()

    def step(self) -> Json:
        """Return it as a step of the simulator's script."""
        calls = [{"id": call.call_id, "name": call.tool, "arguments": call.arguments} for call in self.calls]
        return {"reply": {"text": self.text, "tool_calls": calls}}


@dataclass(frozen=True)
class UserTurn:
    """What a user said, and the replies until the next."""

    message: str
    replies: tuple[Reply, ...]

    @property
    def calls(self) -> list[Call]:
        """All calls in order."""
        return [call for reply in self.replies for call in reply.calls]


@dataclass(frozen=True)
class Trajectory:
    """A conversation with its tool calls."""

    name: str
    turns: tuple[UserTurn, ...]
    database: dict[str, dict[str, Json]] = field(default_factory=dict)

    @property
    def calls(self) -> list[Call]:
        """All calls in order."""
        return [call for turn in self.turns for call in turn.calls]

    def script(self) -> list[Json]:
        """Return the steps of the simulator's script."""
        return [reply.step() for turn in self.turns for reply in turn.replies]


def load(path: Path) -> list[Trajectory]:
    """Return the trajectories in a file, JSON or JSON lines.

    Raises:
        Malformed: it holds something else.
    """
    text = path.read_text(encoding="utf-8")
    try:
        content = json.loads(text)
    except ValueError:
        try:
            content = [json.loads(line) for line in text.splitlines() if line.strip()]
        except ValueError as error:
            raise Malformed(f"{path.name} is neither JSON nor JSON lines: {error}") from error
    found = [_trajectory(one, f"{path.stem}-{place}") for place, one in enumerate(_entries(content))]
    if not found:
        raise Malformed(f"{path.name} holds no trajectory")
    return found


def _entries(content: Any) -> Iterable[Any]:
    if isinstance(content, Mapping) and "simulations" in content:
        content = content["simulations"]
    if isinstance(content, Mapping) or (isinstance(content, list) and content and "role" in content[0]):
        return [content]
    if not isinstance(content, list):
        raise Malformed("the file holds neither messages nor trajectories")
    return content


def _trajectory(entry: Any, name: str) -> Trajectory:
    if isinstance(entry, list):
        entry = {"messages": entry}
    messages = entry.get("messages") or entry.get("traj")
    if not isinstance(messages, list):
        raise Malformed(f"{name} has no messages")
    name = str(entry.get("name") or entry.get("task_id") or name)
    return Trajectory(name, turns_of(messages, name), entry.get("database") or {})


def turns_of(messages: Sequence[Json], name: str = "the trajectory") -> tuple[UserTurn, ...]:
    """Return the turns of a list of messages.

    Raises:
        Malformed: a role or a call is none that is known.
    """
    results = {_result_id(one): str(one.get("content") or "") for one in messages if one.get("role") == "tool"}
    turns: list[tuple[str, list[Reply]]] = []
    for place, message in enumerate(messages):
        role, text = message.get("role"), str(message.get("content") or "")
        if role == "user":
            turns.append((text, []))
        elif role == "assistant" and turns:
            calls = [_call(one, f"{name}, message {place}", results) for one in message.get("tool_calls") or ()]
            turns[-1][1].append(Reply(text, tuple(calls)))
        elif role not in {"system", "developer", "tool", "assistant"}:
            raise Malformed(f"{name}, message {place}: there is no role {role}")
    return tuple(UserTurn(text, tuple(_closed(replies))) for text, replies in turns if replies and text.strip())


def _result_id(message: Json) -> str:
    return str(message.get("tool_call_id") or message.get("id"))


def _call(raw: Json, where: str, results: Mapping[str, str]) -> Call:
    function = raw.get("function") or raw
    arguments = function.get("arguments")
    try:
        values = json.loads(arguments) if isinstance(arguments, str) and arguments else arguments or {}
    except ValueError as error:
        raise Malformed(f"{where}: the arguments are not JSON: {error}") from error
    if not isinstance(values, dict) or not function.get("name"):
        raise Malformed(f"{where}: a call needs a name, and an object of arguments")
    call_id = str(raw.get("id") or "")
    return Call(call_id, str(function["name"]), values, results.get(call_id))


def _closed(replies: list[Reply]) -> list[Reply]:
    """Return the replies of a turn so that they end with an answer and with no other one."""
    acting = [reply for reply in replies if reply.calls]
    answers = [reply.text for reply in replies if not reply.calls and reply.text.strip()]
    # Benchmarks let a model speak twice before the user does; a run has one answer.
    return [*acting, Reply("\n\n".join(answers) or CLOSING)]
