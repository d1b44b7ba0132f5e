"""The tool that deletes a file."""

from functions.library.files._files import Etag, Path
from pentad.tools.declare import Grant, ToolContext, Undoable, tool
from pentad.tools.files import actions
from pentad.tools.files.actions import FileToRestore


def restore(data: FileToRestore, context: ToolContext) -> None:
    """Bring the file back, if there is none of its name."""
    actions.restore_file(context.files, data)


@tool(
    effects="internal",
    permissions=[Grant("files", "readwrite", keys="")],
    approval="always",
    rate_limit="120/minute per user, 10000/day per tenant",
    # What it answers is the call's own words: the path, and sizes.
    trusted_output=True,
    undo=restore,
    # A second try would find no file, and could not tell whose deletion that was.
    idempotent=False,
    timeout_seconds=30,
)
def delete_file(path: Path, context: ToolContext, if_etag: Etag = None) -> Undoable[str]:
    """Delete a file. A human decides first; for 30 days it can be brought back."""
    done, kept = actions.delete_file(context.files, path, if_etag=if_etag)
    return Undoable(done, undo=kept.model_dump())
