"""The tool that reads a file."""

from typing import Annotated

from pydantic import Field

from functions.library.files._files import Path
from pentad.tools.declare import Grant, ToolContext, tool
from pentad.tools.files import actions
from pentad.tools.files.actions import ReadFile


@tool(
    effects="none",
    permissions=[Grant("files", "read", keys="")],
    rate_limit="600/minute per tenant",
    trusted_output=False,
    timeout_seconds=30,
)
def read_file(
    path: Path,
    context: ToolContext,
    start: Annotated[int, Field(ge=0, description="the byte to begin with: next_start of the answer before")] = 0,
    as_base64: Annotated[bool, Field(description="return bytes as base64; for what is not text")] = False,
) -> ReadFile:
    """Read a file, 48 KB at a time. With next_start in the answer, there is more."""
    return actions.read_file(context.files, path, start=start, as_base64=as_base64)
