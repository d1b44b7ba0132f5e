"""The tool that lists files."""

from typing import Annotated

from pydantic import Field

from pentad.tools.declare import Grant, ToolContext, tool
from pentad.tools.files import actions
from pentad.tools.files.actions import ListedFiles


@tool(
    effects="none",
    permissions=[Grant("files", "read", keys="")],
    rate_limit="600/minute per tenant",
    trusted_output=False,
    timeout_seconds=30,
)
def list_files(
    context: ToolContext,
    folder: Annotated[str, Field(max_length=600, description="such as reports/; all files if left out")] = "",
    after: Annotated[str | None, Field(max_length=600, description="more_after of the answer before")] = None,
) -> ListedFiles:
    """List the files below a folder with size, time and etag, 200 at a time, in the order of their paths."""
    return actions.list_files(context.files, folder, after=after)
