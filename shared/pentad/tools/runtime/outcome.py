"""Run a tool's function, and turn its result or error into one outcome."""

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import ValidationError

from pentad.domain.errors import (
    EffectUncertain,
    InvalidInput,
    LimitReached,
    PentadError,
    PermanentError,
    PolicyDenied,
    ToolFailed,
    ToolUnavailable,
    TransientError,
    iter_leaves,
)
from pentad.tools.declare.context import ToolContext, Undoable
from pentad.tools.declare.declare import Tool
from pentad.tools.results.raised import keep_inside
from pentad.tools.results.shape import Fit, shape_text
from pentad.tools.runtime.handed import MAX_VALUE_BYTES, ToolAnswer, count_bytes
from pentad.tools.runtime.ports import Effect
from pentad.tools.runtime.sanitise import (
    MAX_RESULT_BYTES,
    Cleaner,
    clean_text,
    describe_masked,
    render_result,
    render_value,
    to_json,
    truncate_text,
    undo_data,
)

_MAX_MESSAGE_BYTES = 4_096
"""Of an error, as a model reads it."""
_MAX_ERROR_BYTES = 200_000
"""Of an error as a tool's function tells it: the whole of a compiler's or a test run's is kept, to be read on in."""
MAX_KEPT_BYTES = 100_000
"""Of an answer's value, where it is kept: an item has 400 KB, for the text of a larger one and undo data as well."""
_ANSWERED_BYTES = MAX_RESULT_BYTES - 500
"""Of a result that the tool's own function has made fit: the runner adds its notes and need not cut again."""
_MAX_WORDS = 200_000
"""Characters of what was raised that are cleaned; of a longer one its beginning and its end."""
_MOST_CAUSES = 30
"""Exceptions of a chain or a group that are looked at."""
_CLASS_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,99}")
_UNREADABLE = (json.JSONDecodeError, UnicodeError, ValidationError)
"""ValueErrors of what a tool has read: its arguments were checked before, so a backend sent this."""
_NOT_UNDOABLE = "\n[the effect can't be undone: the tool's undo data can't be kept]"


@dataclass(frozen=True)
class ToolOutcome:
    """What a call came to: text for the model, what undoing it needs, and how many values of it were masked.

    Of one that an earlier try stored, also when it began and was done: by those times effects are undone.
    ``untrusted``: it holds text from outside, whatever the tool's declaration says; ``sources``: of records, whose.
    ``callers_fault``: what was raised says nothing about the tool's health; this is not stored.
    """

    text: str
    is_error: bool = False
    error_type: str | None = None
    undo: dict[str, Any] | None = None
    masked: int = 0
    begun_at: datetime | None = None
    done_at: datetime | None = None
    untrusted: bool = False
    sources: tuple[str, ...] = ()
    callers_fault: bool = False

    def to_stored(self) -> dict[str, Any]:
        """Return the fields that a call and its effect keep of it."""
        return {
            "result": self.text,
            "is_error": self.is_error,
            "error_type": self.error_type,
            "undo": self.undo,
            "masked": self.masked,
            "untrusted": self.untrusted,
            "sources": self.sources,
        }

    @classmethod
    def from_error(cls, error: Exception, limit: int = _MAX_MESSAGE_BYTES) -> "ToolOutcome":
        """Return the outcome of an error: its class name, its message and its fix, sanitised, in ``limit`` bytes."""
        # What a tool did not mean to say may be told to its model's user.
        message = _cut_middle(error.message) if isinstance(error, PentadError) else keep_inside(_read_words(error))
        fix = f" Fix: {error.fix}" if isinstance(error, PentadError) and error.fix else ""
        text = truncate_text(clean_text(f"{type(error).__name__}: {message}{fix}"), limit)
        return cls(text, is_error=True, error_type=type(error).__name__, callers_fault=_is_callers_fault(error))

    @classmethod
    def from_effect(cls, effect: Effect) -> "ToolOutcome":
        """Return the outcome that an earlier try stored."""
        return cls(
            effect.result or "",
            effect.is_error,
            effect.error_type,
            effect.undo,
            effect.masked,
            effect.begun_at,
            effect.done_at,
            effect.untrusted,
            effect.sources,
        )


def _is_callers_fault(error: Exception) -> bool:
    """Tell whether an error says that the call is wrong or refused, by its class or one that this comes from."""
    if isinstance(error, (EffectUncertain, *_UNREADABLE)):
        return False
    return isinstance(error, PermanentError | ValueError)


def _read_words(error: Exception) -> str:
    try:
        return _cut_middle(str(error))
    except Exception:  # a boundary: an error's own words are a tool's code as well
        return "its message can't be read"


def _cut_middle(words: str) -> str:
    if len(words) <= _MAX_WORDS:
        return words
    return f"{words[: _MAX_WORDS // 2]}\n[cut]\n{words[-_MAX_WORDS // 2 :]}"


def make_rejected(error: InvalidInput) -> ToolOutcome:
    """Return the outcome of arguments that are not valid: nothing was run."""
    return ToolOutcome.from_error(error)


def make_uncertain() -> ToolOutcome:
    """Return the outcome of an effect that was begun and may or may not have happened: it is not repeated."""
    return ToolOutcome.from_error(
        EffectUncertain(
            "an earlier try of this call was cut off, so its effect may or may not have happened; it was not repeated",
            fix="check whether it happened before asking again",
        )
    )


def call_function(
    tool: Tool[Any, Any], values: dict[str, Any], context: ToolContext, fit: Fit = shape_text
) -> ToolOutcome:
    """Run the function with validated arguments in this process.

    Args:
        tool: the declared tool.
        values: the arguments.
        context: on whose behalf.
        fit: makes a large result fit.

    Raises:
        TransientError: the tool's backend asks for a retry, which is the state machine's to make.
    """
    answer = run_function(tool, values, context, fit)
    return make_outcome(answer, reversible=tool.undo is not None, safe=tool.spec.safe_output, fit=fit)


def run_function(
    tool: Tool[Any, Any], values: dict[str, Any], context: ToolContext, fit: Fit = shape_text
) -> ToolAnswer:
    """Run the function with validated arguments and return what it came to.

    Args:
        tool: the declared tool.
        values: the arguments.
        context: on whose behalf.
        fit: makes a result fit that is too large for an answer.

    Raises:
        TransientError: the tool's backend asks for a retry.
    """
    given = dict(values)
    if tool.signature.context is not None:
        given[tool.signature.context] = context
    try:
        returned = tool.function(**given)
    except TransientError:
        raise
    except Exception as error:  # a boundary: a tool may raise anything, and the model is told what
        return make_error_answer(_find_refusal(error) or error)
    return _make_answer(tool, returned, fit)


def _find_refusal(error: BaseException) -> PolicyDenied | None:
    """Return the refused connection that a library's error comes from: anyio's is a group, others raise their own.

    An error of ours says itself what there is to say.
    """
    found = [] if isinstance(error, PentadError) else [error]
    for one in found:  # which grows
        if isinstance(one, PolicyDenied):
            return one
        inner = one.exceptions if isinstance(one, BaseExceptionGroup) else ()
        causes = [cause for cause in (*inner, one.__cause__, one.__context__) if cause is not None]
        found += causes[: _MOST_CAUSES - len(found)]
    return None


def shorten_answer(answer: ToolAnswer, safe: Collection[str] = (), fit: Fit = shape_text) -> ToolAnswer:
    """Return an answer that can be kept with a call's writes: a large value as the text that the model reads of it."""
    if answer.kind != "value" or count_bytes(answer.value) <= MAX_KEPT_BYTES:
        return answer
    cleaner = Cleaner(safe)
    text = render_result(answer.value, cleaner, fit, _ANSWERED_BYTES)
    return answer.model_copy(update={"kind": "text", "value": None, "text": text, "masked": cleaner.masked})


def make_error_answer(error: Exception, kind: Literal["error", "rejected"] = "error") -> ToolAnswer:
    """Return the answer that tells an error: its class name, its message and its fix, sanitised and bounded."""
    outcome = ToolOutcome.from_error(error, _MAX_ERROR_BYTES)
    return ToolAnswer(
        kind=kind, text=outcome.text, error_type=str(outcome.error_type), callers_fault=outcome.callers_fault
    )


def _make_answer(tool: Tool[Any, Any], returned: Any, fit: Fit) -> ToolAnswer:
    undoable = isinstance(returned, Undoable)
    try:
        if undoable and tool.undo is None:
            raise ToolFailed("the tool returned Undoable but declares no undo", fix="declare undo=...")
        value = to_json(tool.signature.result.validate_python(returned.result if undoable else returned))
        kind: Literal["value", "text"] = "value" if count_bytes(value) <= MAX_VALUE_BYTES else "text"
        cleaner = Cleaner(tool.spec.safe_output)
        text = render_result(value, cleaner, fit, _ANSWERED_BYTES) if kind == "text" else ""
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the result"
        return make_error_answer(
            ToolFailed(f"the tool ran, but its result does not match its declaration: {field}: {first['msg']}")
        )
    except ToolFailed as error:
        return make_error_answer(_make_unusable(error))
    except Exception as error:  # a boundary: a validator or a serializer of the tool's author may raise anything
        return make_error_answer(
            _make_unusable(ToolFailed(keep_inside(f"{type(error).__name__}: {_read_words(error)}")))
        )
    undo = undo_data(returned.undo) if undoable else None
    return ToolAnswer(
        kind=kind,
        value=value if kind == "value" else None,
        text=text,
        masked=cleaner.masked,
        undoable=undoable,
        undo=undo,
    )


def make_outcome(
    answer: ToolAnswer, *, reversible: bool, safe: Collection[str] = (), fit: Fit = shape_text
) -> ToolOutcome:
    """Return what a call came to, by the word of its function, which is not trusted: cleaned, masked and bounded.

    Args:
        answer: of a run.
        reversible: the tool declares an undo.
        safe: fields of the result that the tool declares as safe: they are not masked.
        fit: makes a result fit for the model, and keeps the whole of it.
    """
    untrusted = answer.untrusted or bool(answer.sources)
    if answer.kind in ("error", "rejected"):
        name = answer.error_type if _CLASS_NAME.fullmatch(answer.error_type) else ToolFailed.__name__
        text = fit(clean_text(answer.text), _MAX_MESSAGE_BYTES)
        # What was raised may hold the words of a record as well.
        return ToolOutcome(
            text,
            is_error=True,
            error_type=name,
            untrusted=untrusted,
            sources=answer.sources,
            callers_fault=answer.callers_fault,
        )
    if answer.kind not in ("value", "text"):
        return ToolOutcome.from_error(ToolFailed(f"the tool's function answered a call with '{answer.kind}'"))
    cleaner = Cleaner(safe)
    try:
        text, value = _clean_answer(answer, cleaner)
    except ToolFailed as error:
        return ToolOutcome.from_error(_make_unusable(error))
    kept = undo_data(answer.undo) if answer.undoable and reversible and answer.undo is not None else None
    # A large result was masked in the tool's own function, which says how often.
    masked = cleaner.masked + max(0, answer.masked if answer.kind == "text" else 0)
    notes = describe_masked(masked) + (_NOT_UNDOABLE if answer.undoable and kept is None else "")
    shown = fit(text, MAX_RESULT_BYTES - len(notes), value) + notes
    return ToolOutcome(shown, undo=kept, masked=masked, untrusted=untrusted, sources=answer.sources)


def make_again_error(answer: ToolAnswer) -> TransientError:
    """Return the error that lets the state retry: one of ours by its name, anything else as `ToolUnavailable`."""
    kinds = {leaf.__name__: leaf for leaf in iter_leaves(TransientError)}
    kind = kinds.get(answer.error_type, ToolUnavailable)
    message = truncate_text(clean_text(answer.text), _MAX_MESSAGE_BYTES)
    error = kind(message or "the tool asks for a retry")
    if not isinstance(error, TransientError):
        return ToolUnavailable(message)
    error.retry_after = answer.retry_after
    return error


def make_undo_error(answer: ToolAnswer) -> PentadError:
    """Return why an undo failed: one of our permanent errors by its name, anything else as `ToolFailed`."""
    kinds = {leaf.__name__: leaf for leaf in iter_leaves(PermanentError) if leaf is not LimitReached}
    kinds["InvalidInput"] = InvalidInput
    message = truncate_text(clean_text(answer.text), _MAX_MESSAGE_BYTES) or "the tool's function gave no reason"
    fix = None if answer.fix is None else truncate_text(clean_text(answer.fix), _MAX_MESSAGE_BYTES)
    return kinds.get(answer.error_type, ToolFailed)(message, fix=fix)


def _clean_answer(answer: ToolAnswer, cleaner: Cleaner) -> tuple[str, Any]:
    """Return the whole text of a result, clean, and what it is the JSON of where that is known."""
    if answer.kind == "text":
        return cleaner.clean(answer.text), None
    if answer.value is None:
        return "done", None
    value = cleaner.clean_value(to_json(answer.value))
    return render_value(value), value


def _make_unusable(error: ToolFailed) -> ToolFailed:
    return ToolFailed(f"the tool ran, but its result can't be used: {error.message}", fix=error.fix)
