"""The tools that the tool runner answers itself: in no catalog and in no agent's list, since any agent may have them.

What they reach is the run's own: its results, and the tools that its agent has anyway.
"""

from typing import Final

from pentad.domain.declarations.agents import FIND_TOOLS, USE_TOOL, Catalog, ToolSpec
from pentad.domain.ids import TOOL_CHARACTERS
from pentad.tools.results.read import READ_RESULT
from pentad.tools.results.read import SPEC as READ_SPEC

MOST_FOUND: Final = 10
FIND_SPEC: Final = ToolSpec(
    name=FIND_TOOLS,
    description=(
        "Find tools by what they do. You have more tools than are listed here: say in a few words what is to be done, "
        "or give a tool's name. Returns the tools that fit best, with their parameters; call them by use_tool."
    ),
    input_schema={
        "type": "object",
        "properties": {
            "query": {
                "type": "string",
                "minLength": 1,
                "maxLength": 500,
                "description": "what the tool does, in English: action and object, such as 'cancel an invoice'",
            },
            "limit": {
                "type": "integer",
                "minimum": 1,
                "maximum": MOST_FOUND,
                "description": "tools at most; 5 where it is left out",
            },
        },
        "required": ["query"],
        "additionalProperties": False,
    },
    effects="none",
    idempotent=True,
)
USE_SPEC: Final = ToolSpec(
    name=USE_TOOL,
    description=(
        "Call a tool that is not listed here, by its name, with the arguments that find_tools has shown for it. "
        "The call is checked and run as that tool's own."
    ),
    input_schema={
        "type": "object",
        "properties": {
            "name": {"type": "string", "minLength": 1, "maxLength": TOOL_CHARACTERS, "description": "the tool's name"},
            "arguments": {"type": "object", "description": "the tool's arguments", "additionalProperties": True},
        },
        "required": ["name", "arguments"],
        "additionalProperties": False,
    },
    # What it does is what the tool does that it names: whoever looks at this one alone has to expect all.
    effects="external",
)
"""Never run: the gateway opens its calls."""
OWN: Final[dict[str, ToolSpec]] = {READ_RESULT: READ_SPEC, FIND_TOOLS: FIND_SPEC}
"""By name."""


def find_spec(catalog: Catalog, name: str) -> ToolSpec | None:
    """Return what is known of a tool, or None where there is none of that name."""
    return OWN.get(name) or catalog.tools.get(name)
