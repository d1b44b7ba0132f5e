"""Who approves a tool's calls outside of agents, where the author has not said all of it: as the strictest agent."""

from collections.abc import Iterable
from typing import Any

from pentad.domain.declarations.agents import AgentSpec
from pentad.domain.declarations.asking import DEFAULT_GROUP, Approvers


def complete_approvers(tool: str, named: Approvers, agents: Iterable[AgentSpec]) -> dict[str, Any]:
    """Return the fields of `AskingStep` for calls of a tool: what is named, the rest as the strictest agent has it.

    A group that an agent names is stricter than the default one; more who approve are stricter than fewer. Nothing
    approves itself by its time unless that is named.

    Args:
        tool: the tool's name.
        named: what the author says.
        agents: all that there are.

    Raises:
        ValueError: agents that have the tool name several groups, and the author none.
    """
    owners = [agent for agent in agents if tool in agent.tools]
    group = named.group or _find_group(tool, owners)
    quorum = max((one.humans.quorum for one in owners), default=1) if named.quorum is None else named.quorum
    four_eyes = any(one.humans.four_eyes for one in owners) or quorum > 1
    found = {
        "group": group,
        "quorum": quorum,
        "not_requester": four_eyes if named.not_requester is None else named.not_requester,
        "remind_seconds": named.remind_seconds,
        **_find_expiry(named, [one for one in owners if one.humans.group == group]),
    }
    seconds = named.seconds or min((one.approval_seconds for one in owners), default=None)
    return found if seconds is None else found | {"seconds": seconds}


def _find_group(tool: str, owners: list[AgentSpec]) -> str:
    groups = sorted({one.humans.group for one in owners} - {DEFAULT_GROUP})
    if len(groups) > 1:
        raise ValueError(
            f"agents with the tool '{tool}' ask several groups ({', '.join(groups)}): name the one that approves here"
        )
    return groups[0] if groups else DEFAULT_GROUP


def _find_expiry(named: Approvers, askers: list[AgentSpec]) -> dict[str, Any]:
    """Return what happens where nobody decides; agents hand it on only where all of the group do so alike."""
    if named.on_expiry is not None or named.escalate_to:
        said = named.on_expiry or "escalate"
        return {"on_expiry": said, "escalate_to": named.escalate_to}
    ways = {(one.humans.on_expiry, one.humans.escalate_to) for one in askers}
    if len(ways) == 1:
        on_expiry, groups = ways.pop()
        if on_expiry == "escalate":
            return {"on_expiry": on_expiry, "escalate_to": groups}
    return {"on_expiry": "reject", "escalate_to": ()}
