"""The tool that writes a file."""

from typing import Annotated

from pydantic import Field

from functions.library.files._files import Etag, Path
from pentad.tools.declare import Grant, ToolContext, Undoable, tool
from pentad.tools.files import actions
from pentad.tools.files.actions import MAX_WRITE_CHARACTERS, FileToRestore, IfExists, WrittenFile


def restore(data: FileToRestore, context: ToolContext) -> None:
    """Put back what was there before, if what was written is still there."""
    actions.restore_file(context.files, data)


@tool(
    effects="internal",
    permissions=[Grant("files", "readwrite", keys="")],
    rate_limit="120/minute per user, 10000/day per tenant",
    # What it answers is the call's own words: the path, and sizes.
    trusted_output=True,
    undo=restore,
    # What a call has written carries a mark of it: a second try finds it.
    idempotent=True,
    timeout_seconds=30,
)
def write_file(
    path: Path,
    content: Annotated[str, Field(max_length=MAX_WRITE_CHARACTERS, description="text, or bytes as base64")],
    context: ToolContext,
    if_exists: Annotated[IfExists, Field(description="what to do if there is such a file")] = "fail",
    if_etag: Etag = None,
    as_base64: Annotated[bool, Field(description="the content is base64 of bytes")] = False,
) -> Undoable[WrittenFile]:
    """Write a file. One that is there is replaced only on demand, and its old content can be brought back.

    To change a file, read it first and give its etag: then nobody else's change is lost.
    """
    done, kept = actions.write_file(
        context.files,
        path,
        content,
        if_exists=if_exists,
        as_base64=as_base64,
        if_etag=if_etag,
        effect=context.effect_key,
    )
    return Undoable(done, undo=kept.model_dump())
