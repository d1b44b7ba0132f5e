"""Replay an entry through the deployed loop, and tell where the benchmark's own executor comes to something else."""

import json
from dataclasses import dataclass

from tests.twin.stack.world import Stack
from tests.twin.trajectories.bfcl.conversation import Conversation
from tests.twin.trajectories.bfcl.domain import AGENT
from tests.twin.trajectories.play import Played, play


@dataclass(frozen=True)
class Replayed:
    """What came of an entry.

    Attributes:
        same_state: the records are those that the benchmark's executor leaves, and its judge agrees.
        differences: everything that is not as it should be, in a sentence each.
    """

    same_state: bool
    differences: list[str]


def replay(stack: Stack, conversation: Conversation) -> Replayed:
    """Replay an entry as a tenant of its own."""
    return compared(play(stack, AGENT, conversation.trajectory), conversation)


def compared(played: Played, conversation: Conversation) -> Replayed:
    """Return where what was played differs from what the benchmark's executor comes to."""
    state = _state(played, conversation)
    return Replayed(not state, state + _calls(played, conversation) + _runs(played, conversation))


def _state(played: Played, conversation: Conversation) -> list[str]:
    wanted, stored = conversation.left(), {kind: {key: json.loads(body)} for kind, key, body in played.records}
    # By value: where the documents say float, a tool is given 5.0 for the 5 that the right calls sometimes have.
    found = [f"the state of {kind} differs" for kind in wanted if stored.get(kind) != wanted[kind]]
    found += [f"there are records of {kind}" for kind in stored if kind not in wanted]
    if not found and not conversation.application.agrees(stored):
        found.append("the benchmark's judge finds another state")
    return found


def _calls(played: Played, conversation: Conversation) -> list[str]:
    wanted = conversation.trajectory.calls
    found = []
    for place, (call, made) in enumerate(zip(wanted, played.calls, strict=False), start=1):
        if (made["tool"], made["arguments"]) != (call.tool, call.arguments):
            found.append(f"call {place} is {made['tool']}, not {call.tool}, or has other arguments")
        elif made["result"] != call.result:
            found.append(f"call {place}, {call.tool}, came to {made['result']!r:.200}, not {call.result!r:.200}")
    times = list(played.executions.values())
    if times != [1] * len(wanted):
        found.append(f"of {len(wanted)} calls {len(times)} ran, one of them {max(times, default=0)} times")
    return found


def _runs(played: Played, conversation: Conversation) -> list[str]:
    found = [
        f"run {place} is {run['status']}: {run.get('stop_reason') or run.get('error')}"
        for place, run in enumerate(played.runs, start=1)
        if run["status"] != "succeeded"
    ]
    if len(played.runs) != len(conversation.trajectory.turns):
        found.append(f"{len(played.runs)} of {len(conversation.trajectory.turns)} turns were played")
    found += [f"the model was {what}: {one}" for what, one in _asked(played)]
    return found


def _asked(played: Played) -> list[tuple[str, object]]:
    beyond = [("asked beyond the script", one) for one in played.script["unexpected"]]
    return beyond + [("not asked for a step", one["step"]) for one in played.script["unconsumed"]]
