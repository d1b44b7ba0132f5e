"""Choose which tools' definitions a model is sent, and which it finds by words: many must not eat the context. Pure.

Where the definitions take more than their share of the model's window, the model is sent two tools in their place:
`find_tools` returns definitions as results, and `use_tool` calls what was found. So what is found stands at the end of
the conversation, and not one byte of the prefix changes that the provider has in its cache. Nothing of it depends on
the conversation: an agent's model is sent the same tools in every turn of every run of one deployment.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from pentad.domain.declarations.agents import FIND_TOOLS, USE_TOOL, AgentSpec, Catalog, ToolSpec
from pentad.domain.knowledge import SEARCH_KNOWLEDGE
from pentad.domain.reading.json_text import read_json
from pentad.domain.runs import Piece, Run, ToolCall
from pentad.domain.usage import estimate_tokens
from pentad.tools.builtin.humans import BUILTIN, list_tools
from pentad.tools.offer.own import FIND_SPEC, OWN, USE_SPEC
from pentad.tools.results.read import READ_RESULT

_ALWAYS: Final = frozenset({SEARCH_KNOWLEDGE, *BUILTIN})
_NAMES_SHARE: Final = 4
"""A fourth of the room at most is for the names of what can be found."""
_MOST_CHARACTERS: Final = 15_000
"""Of a description, with the names in it."""


@dataclass(frozen=True)
class Offer:
    """What the model may call.

    Args:
        sent: the tools whose definitions it is sent, in a stable order.
        deferred: those that it finds by words.
    """

    sent: tuple[ToolSpec, ...]
    deferred: tuple[ToolSpec, ...] = ()

    @property
    def callable(self) -> tuple[ToolSpec, ...]:
        """All tools that a call may name once the gateway has opened it."""
        return tuple(tool for tool in (*self.sent, *self.deferred) if tool.name != USE_TOOL or not self.deferred)


def estimate_tool(tool: ToolSpec) -> int:
    """Return the estimated tokens of a tool's definition."""
    return estimate_tokens(tool.name + tool.description + json.dumps(tool.input_schema, ensure_ascii=False))


def choose_offer(tools: Sequence[ToolSpec], room: int | None, keep: Collection[str] = ()) -> Offer:
    """Return which of the tools are sent.

    Args:
        tools: all that the agent has, in a stable order.
        room: the estimated tokens that definitions may take; None for all that they take.
        keep: names of those that are sent in any case.
    """
    if room is None or sum(map(estimate_tool, tools)) <= room:
        return Offer(tuple(tools))
    kept = [tool for tool in tools if tool.name in keep or tool.name in _ALWAYS]
    deferred = tuple(tool for tool in tools if tool not in kept)
    sent = sorted((*kept, _name_deferred(deferred, room), USE_SPEC), key=lambda tool: tool.name)
    return Offer(tuple(sent), deferred)


def offer_tools(catalog: Catalog, agent: AgentSpec, *, reads: bool = False) -> Offer:
    """Return what an agent's model may call.

    Args:
        catalog: the tools, and which agents have too many.
        agent: the agent.
        reads: a result of the run was cut, so it has `read_result`; an agent that finds its tools can always find it.

    Raises:
        ConfigurationError: see `list_tools`.
    """
    room = catalog.tool_room.get(agent.name)
    more = (OWN[READ_RESULT],) if reads or room is not None else ()
    return choose_offer(list_tools(catalog, agent, more), room, agent.context.keep_tools)


def describe_tools(catalog: Catalog, agent: AgentSpec) -> Piece | None:
    """Return what an agent's tools are in its context, for the run's manifest; None where it has none."""
    offer = offer_tools(catalog, agent)
    if not offer.sent:
        return None
    tokens = sum(map(estimate_tool, offer.sent))
    if not offer.deferred:
        return Piece(kind="tools", count=len(offer.sent), tokens=tokens, reason="all the agent's tools")
    saved = sum(map(estimate_tool, offer.deferred))
    room = catalog.tool_room[agent.name]
    return Piece(
        kind="tools",
        count=len(offer.sent),
        tokens=tokens,
        reason=f"all would take {tokens + saved:,} tokens, of {room:,}: the others are found by words",
        signals={"deferred_tokens": saved},
        left_out=len(offer.deferred),
    )


def _name_deferred(deferred: Sequence[ToolSpec], room: int) -> ToolSpec:
    """Return `find_tools` with the names of what it finds, where there is room for them."""
    told = f"{FIND_SPEC.description} There are {len(deferred)} more"
    named = f"{told}: {', '.join(tool.name for tool in deferred)}."
    fits = len(named) <= _MOST_CHARACTERS and estimate_tokens(named) <= room // _NAMES_SHARE
    return FIND_SPEC.model_copy(update={"description": named if fits else f"{told}."})


def find_loaded_tools(calls: Iterable[ToolCall]) -> set[str]:
    """Return the names of the tools whose definitions `find_tools` has shown in a run."""
    found: set[str] = set()
    for call in calls:
        if call.tool != FIND_TOOLS or call.is_error or call.result is None:
            continue
        try:
            told = read_json(call.result).get("tools", ())
        except (ValueError, AttributeError):
            continue  # cut, or of another version
        found |= {str(tool["name"]) for tool in told if "parameters" in tool}
    return found


def with_loaded_tools(run: Run, calls: Iterable[ToolCall]) -> Run:
    """Return a run whose manifest says how many tools it has loaded so far, where they are found by words."""
    manifest = run.manifest
    if manifest is None or not any(piece.kind == "tools" and piece.left_out for piece in manifest.pieces):
        return run
    loaded = {"loaded": float(len(find_loaded_tools(calls)))}
    pieces = tuple(
        piece.model_copy(update={"signals": piece.signals | loaded}) if piece.kind == "tools" else piece
        for piece in manifest.pieces
    )
    return run.model_copy(update={"manifest": manifest.model_copy(update={"pieces": pieces})})
