"""Tools for the runtime's tests; each notes in ``ran`` that it ran."""

import math
from typing import Annotated, Any

from pydantic import BaseModel, Field

from pentad.domain.errors import ToolFailed, ToolThrottled, ToolUnavailable
from pentad.tools.declare.declare import Grant, ToolContext, Undoable, tool

ran: list[str] = []
failures: list[BaseException] = []


def _maybe_fail() -> None:
    if failures:
        raise failures.pop(0)


@tool(effects="none")
def echo(text: Annotated[str, Field(max_length=100_000, description="words")], times: int = 1) -> str:
    """Say it again."""
    ran.append("echo")
    _maybe_fail()
    return text * times


SIGNED = "https://files.example/a.pdf?X-Amz-Expires=300&X-Amz-Signature=" + "0f" * 32


@tool(effects="external", idempotent=True, safe_output=["link"])
def share(pad: int = 0) -> dict[str, str]:
    """Share a file: its link is signed."""
    ran.append("share")
    return {"link": SIGNED, "log": f"GET {SIGNED}", "pad": "é" * pad}


@tool(effects="none", trusted_output=False)
def fetch(context: ToolContext) -> dict[str, Any]:
    """Fetch something."""
    return {
        "tenant": context.tenant,
        "session": context.session,
        "user": context.user,
        "left": context.remaining_seconds(),
    }


def unsend(data: dict[str, Any], context: ToolContext) -> None:
    """Take it back."""
    _maybe_fail()
    ran.append(f"unsend {data['to']}")


@tool(effects="external", undo=unsend)
def send(to: str) -> Undoable[str]:
    """Send something; not idempotent."""
    ran.append("send")
    _maybe_fail()
    return Undoable(f"sent to {to}", undo={"to": to})


@tool(effects="internal", undo=unsend, idempotent=True, approval="always")
def store(to: str) -> Undoable[str]:
    """Store something; idempotent."""
    ran.append("store")
    _maybe_fail()
    return Undoable(f"stored for {to}", undo={"to": to})


@tool(effects="none")
def bad_json() -> Any:
    """Return what is not JSON."""
    return {"x": math.nan}


class Answer(BaseModel):
    """A typed result."""

    total: int


@tool(effects="none")
def mistyped() -> Answer:
    """Return something else than declared."""
    return {"total": "many"}  # type: ignore[return-value]


@tool(effects="none", permissions=[Grant("records", "read", keys="NOTE")])
def reader(kind: str, context: ToolContext) -> list[str]:
    """Read records of a kind."""
    return [record.key for record in context.table("records").query(kind)]


@tool(effects="none")
def ungranted(context: ToolContext) -> str:
    """Use a table without a grant."""
    return str(context.table("records").get("NOTE", "x"))


@tool(effects="internal", undo=unsend)
def huge_undo() -> Undoable[str]:
    """Return more undo data than can be kept."""
    return Undoable("did it", undo={"to": "x" * 40_000})


FAILED = ToolFailed("the backend said no", fix="ask it nicely")
THROTTLED = ToolThrottled("slow down")
UNAVAILABLE = ToolUnavailable("no answer")
