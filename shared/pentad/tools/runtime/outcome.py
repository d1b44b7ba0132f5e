"""Run a tool's function, and turn its result or error into one outcome."""

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from pentad.domain.errors import EffectUncertain, InvalidInput, PentadError, ToolFailed, TransientError
from pentad.tools.declare.context import ToolContext, Undoable
from pentad.tools.declare.declare import Tool
from pentad.tools.runtime.ports import Effect
from pentad.tools.runtime.sanitise import clean_text, render_result, truncate_text, undo_data

_MAX_MESSAGE_BYTES = 4_096
_NOT_UNDOABLE = "\n[the effect can't be undone: the tool's undo data can't be kept]"


@dataclass(frozen=True)
class ToolOutcome:
    """What a call came to: text for the model, and what undoing it needs."""

    text: str
    is_error: bool = False
    error_type: str | None = None
    undo: dict[str, Any] | None = None

    @classmethod
    def from_error(cls, error: Exception) -> "ToolOutcome":
        """Return the outcome of an error: its class name, its message and its fix, sanitised and bounded."""
        message = error.message if isinstance(error, PentadError) else str(error)
        fix = f" Fix: {error.fix}" if isinstance(error, PentadError) and error.fix else ""
        text = truncate_text(clean_text(f"{type(error).__name__}: {message}{fix}"), _MAX_MESSAGE_BYTES)
        return cls(text=text, is_error=True, error_type=type(error).__name__)

    @classmethod
    def from_effect(cls, effect: Effect) -> "ToolOutcome":
        """Return the outcome that an earlier try stored."""
        return cls(effect.result or "", effect.is_error, effect.error_type, effect.undo)


def make_rejected(error: InvalidInput) -> ToolOutcome:
    """Return the outcome of arguments that are not valid: nothing was run."""
    return ToolOutcome.from_error(error)


def make_uncertain() -> ToolOutcome:
    """Return the outcome of an effect that was begun and may or may not have happened: it is not repeated."""
    return ToolOutcome.from_error(
        EffectUncertain(
            "an earlier try of this call was cut off, so its effect may or may not have happened; it was not repeated",
            fix="look whether it happened before asking for it again",
        )
    )


def call_function(tool: Tool[Any, Any], values: dict[str, Any], context: ToolContext) -> ToolOutcome:
    """Run the function with validated arguments.

    Raises:
        TransientError: the tool's backend asks for a retry, which is the state machine's to make.
    """
    given = dict(values)
    if tool.signature.context is not None:
        given[tool.signature.context] = context
    try:
        returned = tool.function(**given)
    except TransientError:
        raise
    except Exception as error:  # a boundary: a tool may raise anything, and the model is told what
        return ToolOutcome.from_error(error)
    return _make_outcome(tool, returned)


def _make_outcome(tool: Tool[Any, Any], returned: Any) -> ToolOutcome:
    undoable = isinstance(returned, Undoable)
    try:
        if undoable and tool.undo is None:
            raise ToolFailed("the tool returned Undoable but declares no undo", fix="declare undo=...")
        result = tool.signature.result.validate_python(returned.result if undoable else returned)
        text = "done" if result is None else render_result(result)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the result"
        return ToolOutcome.from_error(
            ToolFailed(f"the tool ran, but returned what it does not declare: {field}: {first['msg']}")
        )
    except ToolFailed as error:
        return ToolOutcome.from_error(
            ToolFailed(f"the tool ran, but its result can't be used: {error.message}", fix=error.fix)
        )
    if not undoable:
        return ToolOutcome(text)
    kept = undo_data(returned.undo)
    return ToolOutcome(text, undo=kept) if kept is not None else ToolOutcome(truncate_text(text + _NOT_UNDOABLE))
