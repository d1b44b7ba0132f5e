"""What span is open here, and W3C's `traceparent`, by which it is told to others and read of them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

HEADER = "traceparent"
"""The name of the HTTP header, of the SQS message attribute and of the field of an event's detail."""
_FORM = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)
_LONGEST = 200


@dataclass(frozen=True)
class TraceContext:
    """A span's place.

    Args:
        trace_id: 32 hex digits.
        span_id: 16 hex digits.
    """

    trace_id: str
    span_id: str

    @property
    def header(self) -> str:
        """As `traceparent` has it. The flag says that it is kept: each span of ours is a log line."""
        return f"00-{self.trace_id}-{self.span_id}-01"


def parse_traceparent(text: object) -> TraceContext | None:
    """Return what a `traceparent` says; None where it is not valid, as W3C's Trace Context has it: then it is ignored.

    A version that came later than 00 may have more fields. Ids of zeros are not valid, nor is version ff.
    """
    found = _FORM.fullmatch(text) if isinstance(text, str) and len(text) <= _LONGEST else None
    if found is None or found[1] == "ff" or (found[1] == "00" and found[5]):
        return None
    if not int(found[2], 16) or not int(found[3], 16):
        return None
    return TraceContext(found[2], found[3])


_open: ContextVar[TraceContext | None] = ContextVar("pentad_open_span", default=None)
_invocation: list[TraceContext] = []
"""The place of the invocation, for threads that it starts; a Lambda instance serves one at a time."""


def get_open_place() -> TraceContext | None:
    """Return the innermost span that is open here; the invocation's place where none is; None outside of both."""
    found = _open.get()
    if found is not None:
        return found
    return _invocation[-1] if _invocation else None


def read_traceparent() -> str | None:
    """Return the `traceparent` for what is sent from here; None where nothing is open."""
    found = get_open_place()
    return None if found is None else found.header


@contextmanager
def enter_place(place: TraceContext) -> Iterator[None]:
    """Let a span be what is open, in this context."""
    token = _open.set(place)
    try:
        yield
    except GeneratorExit:
        raise  # Nobody closed it, and it is collected at any later time: what is open there is another's.
    except BaseException:
        _open.reset(token)
        raise
    _open.reset(token)


def enter_invocation(place: TraceContext | None) -> None:
    """Set the place of the invocation, or None at its end, and leave behind what was never closed."""
    _open.set(None)
    _invocation[:] = [] if place is None else [place]
