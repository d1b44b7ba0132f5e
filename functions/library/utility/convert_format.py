"""The tool that converts text between formats."""

from typing import Annotated

from pydantic import BaseModel, Field

from pentad.tools.builtin.formats.convert import Delimiter, Dialects, Format, convert_text
from pentad.tools.builtin.formats.tree import MAX_CHARACTERS
from pentad.tools.builtin.unused import refuse_unused
from pentad.tools.declare import tool


class Converted(BaseModel):
    """What the conversion answers."""

    content: str
    losses: list[str] = Field(description="what the format of the result could not keep; empty where nothing is lost")


@tool(effects="none", timeout_seconds=30, memory_mb=512, trusted_output=False)
def convert_format(
    content: Annotated[str, Field(max_length=2 * MAX_CHARACTERS, description="the text to convert")],
    source: Annotated[Format, Field(description="the format of the content")],
    target: Annotated[Format, Field(description="the format of the result")],
    read_delimiter: Annotated[
        Delimiter | None, Field(description="what separates the cells of a CSV that is read; found if left out")
    ] = None,
    write_delimiter: Annotated[
        Delimiter | None, Field(description="what separates the cells of a CSV that is written; a comma if left out")
    ] = None,
    header: Annotated[bool, Field(description="the first row of a CSV has the columns' names")] = True,
    charset: Annotated[
        str | None,
        Field(max_length=40, description="only where the content is bytes in base64: their charset, e.g. windows-1252"),
    ] = None,
) -> Converted:
    """Convert text between CSV, JSON, JSON Lines, YAML, TOML, XML, Markdown and HTML; never do it in your head.

    Numbers keep their digits, CSV cells stay text. Between Markdown and HTML the whole text is converted; from either
    to data only tables are, and data becomes a table. The losses say what the other format could not keep: tell the
    user. At most 200,000 characters.
    """
    uses = [name for name, kind in (("read_delimiter", source), ("write_delimiter", target)) if kind == "csv"]
    given = {"read_delimiter": read_delimiter, "write_delimiter": write_delimiter, "header": not header}
    always = ("content", "source", "target", "charset")
    refuse_unused(f"{source} to {target}", [*uses, "header"] if uses else [], given, *always)
    dialects = Dialects(read_delimiter, write_delimiter, header)
    result, losses = convert_text(content, source, target, dialects=dialects, charset=charset)
    return Converted(content=result, losses=losses)
