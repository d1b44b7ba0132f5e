"""The notes tool: an action with an effect, shown to a human first, done once, and undone on demand."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from pentad.domain.canonical import sha256_of
from pentad.domain.errors import ToolFailed
from pentad.domain.ids import derive_id
from pentad.tools.declare import Grant, ToolContext, Undoable, tool

KIND = "NOTE"


class SavedNote(BaseModel):
    """What the model is told of a saved note."""

    note: str
    title: str
    saved: bool = True


class NoteToRemove(BaseModel):
    """What undoing needs: the note, and the hash of it as it was saved. No words of the user."""

    note: str
    digest: str


def remove(data: NoteToRemove, context: ToolContext) -> None:
    """Remove a note that nobody has changed since it was saved; one that is gone is no error.

    Raises:
        ToolFailed: it was changed since; nothing is removed.
    """
    notes = context.table("records")
    stored = notes.get(KIND, data.note)
    if stored is None:
        return
    if sha256_of(stored) != data.digest or notes.delete(KIND, data.note, if_value=stored) == "changed":
        raise ToolFailed("the note was changed since it was saved", fix="remove it by hand if it must go")


@tool(
    effects="external",
    permissions=[Grant("records", "readwrite", keys=KIND)],
    approval="always",
    undo=remove,
    idempotent=True,
    timeout_seconds=15,
)
def notes(
    title: Annotated[str, Field(min_length=1, max_length=200, description="what the note is about, in a few words")],
    text: Annotated[str, Field(min_length=1, max_length=10_000, description="the note itself")],
    context: ToolContext,
) -> Undoable[SavedNote]:
    """Save a note for the user. A human is shown the title and the text first and decides; it can be undone later."""
    # The id comes from the effect key, so running again after a crash finds the note of the first try.
    note = derive_id("note", context.effect_key)
    value: dict[str, Any] = {
        "title": title,
        "text": text,
        "created_at": context.now().isoformat(timespec="microseconds"),
        "run": context.run,
        "session": context.session,
        "user": context.user,
    }
    table = context.table("records")
    if not table.put(KIND, note, value, if_absent=True):
        value = table.get(KIND, note) or value
    return Undoable(SavedNote(note=note, title=title), undo={"note": note, "digest": sha256_of(value)})
