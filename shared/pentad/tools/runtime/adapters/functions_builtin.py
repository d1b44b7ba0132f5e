"""Answer calls of built-in tools in the tool runner's own process; all others go to the tools' functions."""

from collections.abc import Callable, Mapping

from pentad.domain.errors import InvalidInput, PentadError, TransientError
from pentad.tools.runtime.handed import HandedCall, ToolAnswer
from pentad.tools.runtime.ports import ToolFunctions

Answer = Callable[[HandedCall], ToolAnswer]
"""Answers a call; it raises what the model is to be told of."""


class BuiltinFunctions:
    """`ToolFunctions` with some that run here.

    Args:
        others: reaches the tools' functions.
        answers: by the built-in tool's name.
    """

    def __init__(self, others: ToolFunctions, answers: Mapping[str, Answer]) -> None:
        self._others = others
        self._answers = answers

    def call(self, tool: str, handed: HandedCall, *, function: str | None) -> ToolAnswer:
        """See `ToolFunctions`."""
        answer = self._answers.get(tool)
        if answer is None:
            return self._others.call(tool, handed, function=function)
        try:
            return answer(handed)
        except InvalidInput as error:
            return _tell_error("rejected", error)
        except TransientError as error:
            return _tell_error("again", error).model_copy(update={"retry_after": error.retry_after})
        except PentadError as error:
            return _tell_error("error", error)


def _tell_error(kind: str, error: PentadError) -> ToolAnswer:
    name, fix = type(error).__name__, f" Fix: {error.fix}" if error.fix else ""
    text = error.message if kind == "again" else f"{name}: {error.message}{fix}"
    return ToolAnswer.model_validate({"kind": kind, "text": text, "error_type": name, "fix": error.fix})
