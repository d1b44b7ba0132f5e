"""Declare the built-in tools that a human runs, ask_human and escalate; every agent that may ask has them.

A call of one awaits a human and is in no Act state; the answer becomes its result. They are in no catalog, so an agent
can't list them under ``tools``: ``humans.may_ask`` in ``agent.yaml`` gives both.
"""

from collections.abc import Sequence
from typing import Any, Final

from pentad.domain.declarations.agents import AgentSpec, Catalog, ToolSpec
from pentad.domain.errors import ConfigurationError

ASK: Final = "ask_human"
ESCALATE: Final = "escalate"
QUESTION_CHARACTERS: Final = 4000


def _build_schema(name: str, description: str) -> dict[str, Any]:
    text = {"type": "string", "minLength": 1, "maxLength": QUESTION_CHARACTERS, "description": description}
    return {"type": "object", "properties": {name: text}, "required": [name], "additionalProperties": False}


BUILTIN: Final[dict[str, ToolSpec]] = {
    ASK: ToolSpec(
        name=ASK,
        description=(
            "Ask a human one question and wait for the answer. Use it where a fact or a choice is missing that no "
            "other tool and nothing in the conversation can give you, and that you would otherwise have to guess. Ask "
            "for one thing, say why you need it, and name the options where there are some. The human sees only this "
            "question, not the conversation. The result is the human's answer; it may take hours."
        ),
        input_schema=_build_schema(
            "question", "The question, complete in itself, in the language of the conversation."
        ),
        effects="none",
        approval="always",
        idempotent=True,
    ),
    ESCALATE: ToolSpec(
        name=ESCALATE,
        description=(
            "Hand the matter to a human because you should not decide it: it is outside what you are allowed to do, "
            "the stakes are too high, the user asks for a person, or you have tried and cannot get on. Do not use it "
            "to ask a question; use ask_human for that. The human either answers in your place, or tells you how to "
            "go on: that is the result."
        ),
        input_schema=_build_schema(
            "reason", "Why a human has to take over, what was tried, and what is to be decided."
        ),
        effects="none",
        approval="always",
        idempotent=True,
    ),
}
"""By name. ``approval: always``: whoever plans a call without knowing these makes it wait for a human all the same."""


def list_tools(catalog: Catalog, agent: AgentSpec, more: Sequence[ToolSpec] = ()) -> tuple[ToolSpec, ...]:
    """Return all tools that the model is given, the agent's own and the built-in ones, in a stable order.

    Args:
        catalog: the tools.
        agent: the agent.
        more: built-in tools that this turn has beside those.

    Raises:
        ConfigurationError: the agent names a tool that does not exist, or one of its tools has a built-in one's name.
    """
    own = tuple(sorted((*catalog.tools_of(agent), *more), key=lambda tool: tool.name))
    if not agent.humans.may_ask:
        return own
    taken = sorted(BUILTIN.keys() & {tool.name for tool in own})
    if taken:
        raise ConfigurationError(
            f"agent '{agent.name}' has tools with the names of built-in ones: {', '.join(taken)}",
            field="tools",
            fix="rename the tool, or set humans.may_ask to false",
        )
    return tuple(sorted((*own, *BUILTIN.values()), key=lambda tool: tool.name))


def question_of(tool: str, arguments: dict[str, Any]) -> str | None:
    """Return what a call of a built-in tool says to the human, or None where the tool is no built-in one."""
    field = {ASK: "question", ESCALATE: "reason"}.get(tool)
    return None if field is None else str(arguments.get(field, ""))[:QUESTION_CHARACTERS]
