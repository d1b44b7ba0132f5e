"""What the tool runner hands to a tool's function, and what the function answers: both ends use these.

The function decides nothing: it is told what to run and for whom, and says what came of it. It gets no key to the
state of runs, and what it answers is checked and cleaned by the runner before anybody reads it.
"""

import json
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_core import from_json

from pentad.domain.display.unicode_text import replace_halves
from pentad.domain.errors import ConfigurationError, InvalidInput, PolicyDenied, ToolBusy, ToolThrottled
from pentad.domain.taint.sources import MOST_SOURCES, Source
from pentad.domain.values import FrozenValue
from pentad.tools.results.ports import WholePlace

MAX_PAYLOAD_BYTES = 5_500_000
"""Lambda takes and gives 6 MB a payload (AWS Lambda quotas); the rest is left for what is around it."""
MAX_VALUE_BYTES = 2_000_000
"""A result of more bytes is answered as what the model is shown of it; the whole goes to the address in ``whole``."""
NOT_BEGUN: Final = (ToolBusy, ToolThrottled, ConfigurationError, InvalidInput, PolicyDenied)
"""Raised instead of an answer where nothing of the call was done, since no function was there, or none was asked: its
effect is free again, and its next try is as its first."""

Words = Annotated[str, BeforeValidator(lambda given: replace_halves(given) if isinstance(given, str) else given)]
"""What a tool says may be cut in the middle of a character; JSON in UTF-8 can't hold the half."""


class SessionKeys(FrozenValue):
    """Short-lived credentials, bound by the tags of their session to a tool, a tenant and maybe a run."""

    access_key_id: str
    secret_access_key: str = Field(repr=False)
    session_token: str = Field(repr=False)


class HandedCall(FrozenValue):
    """One call as a tool's function gets it."""

    op: Literal["run", "undo"]
    tenant_id: str
    run_id: str
    session_id: str
    user_id: str | None = None
    agent: str
    step: int
    index: int
    effect_key: str
    again: bool = Field(default=False, description="an earlier try was begun, and may have done it")
    arguments: dict[str, Any] = Field(default={}, description="of a run")
    undo: dict[str, Any] | None = Field(default=None, description="of an undo: what the tool kept for it")
    deadline: float = Field(description="time.time() after which nobody waits for the answer")
    keys: SessionKeys | None = Field(default=None, description="to the records and checkpoints that the tool may reach")
    traceparent: str | None = Field(
        default=None, description="the call's span as W3C has it, where the trace is a caller's; else it is derived"
    )
    whole: WholePlace | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="where a result may be put that is too large for the answer",
    )
    tool: str | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="which of a remote server's tools; other functions have one",
    )
    taint: tuple[Source, ...] = Field(
        default=(),
        max_length=MOST_SOURCES,
        exclude_if=lambda value: not value,
        description="sources of text from outside that its writes may hold",
    )
    identity: str | None = Field(default=None, repr=False, description="proves to the gateway for whom the tool asks")


class ToolAnswer(FrozenValue):
    """What a tool's function answers.

    ``value`` is a result, ``text`` one that is too large to be sent as a value, ``rejected`` tells that the arguments
    are not valid and nothing was run, ``again`` that the state should retry, ``error`` what the tool raised, ``undone``
    that the effect was taken back, ``kept`` that the undo function says that it changed nothing.
    """

    kind: Literal["value", "text", "rejected", "again", "error", "undone", "kept"]
    value: Any = None
    text: Words = ""
    masked: int = Field(default=0, ge=0, description="how many values of the text were masked")
    undoable: bool = Field(default=False, description="the function returned Undoable")
    undo: dict[str, Any] | None = None
    untrusted: bool = Field(default=False, description="it holds text from outside, whatever the declaration says")
    sources: tuple[Source, ...] = Field(
        default=(),
        max_length=MOST_SOURCES,
        exclude_if=lambda value: not value,
        description="of text from outside in what the call has read of records",
    )
    error_type: str = Field(default="", description="the class of what was raised")
    callers_fault: bool = Field(
        default=False,
        exclude_if=lambda value: not value,
        description="what was raised says that the call is wrong, or refused, and not that the tool is out of order",
    )
    fix: Words | None = None
    retry_after: float | None = None


def read_answer(data: bytes | str) -> ToolAnswer:
    """Return an answer as it was sent or kept.

    One of a newer version may have fields that this one does not know: they are left out, and since one of them may say
    where the answer's words come from, it counts as text from outside. What nobody may miss is a ``kind`` of its own.

    Raises:
        ValidationError: it is none.
    """
    try:
        return ToolAnswer.model_validate_json(data)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        if any(fault["type"] != "extra_forbidden" or len(fault["loc"]) != 1 for fault in faults):
            raise
    unknown = {fault["loc"][0] for fault in faults}
    known = {name: value for name, value in from_json(data).items() if name not in unknown}
    return ToolAnswer.model_validate(known).model_copy(update={"untrusted": True})


def count_bytes(value: Any) -> int:
    """Return the size of a value as Lambda's runtime writes it, which may escape what is not ASCII."""
    return len(json.dumps(value))
