"""Convert a text from one format to another: through a tree, or between Markdown and HTML directly."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pentad.domain.display.unicode_text import replace_halves
from pentad.tools.builtin.formats import csv_text, html_text, json_text, markdown_text, toml_text, xml_text, yaml_text
from pentad.tools.builtin.formats.charset import decode_content
from pentad.tools.builtin.formats.tree import (
    MAX_CHARACTERS,
    MAX_RESULT_CHARACTERS,
    Losses,
    Node,
    make_content_error,
)

Format = Literal["csv", "json", "jsonl", "yaml", "toml", "xml", "markdown", "html"]
Delimiter = Literal["comma", "semicolon", "tab", "pipe"]

_READERS: dict[str, Callable[[str, Losses], Node]] = {
    "json": json_text.read_json,
    "jsonl": json_text.read_json_lines,
    "yaml": yaml_text.read_yaml,
    "toml": toml_text.read_toml,
    "xml": xml_text.read_xml,
    "markdown": markdown_text.read_markdown,
    "html": html_text.read_html,
}
_WRITERS: dict[str, Callable[[Node, Losses], str]] = {
    "json": json_text.write_json,
    "jsonl": json_text.write_json_lines,
    "yaml": yaml_text.write_yaml,
    "toml": toml_text.write_toml,
    "xml": xml_text.write_xml,
    "markdown": markdown_text.write_markdown,
    "html": html_text.write_html,
}


@dataclass(frozen=True)
class Dialects:
    """How CSV is read and written.

    Args:
        read: what separates cells of the content; None finds it.
        write: what separates cells of the result; None is a comma.
        header: the first row has the columns' names.
    """

    read: Delimiter | None = None
    write: Delimiter | None = None
    header: bool = True


def convert_text(
    content: str, source: Format, target: Format, *, dialects: Dialects = Dialects(), charset: str | None = None
) -> tuple[str, list[str]]:
    """Return a content in another format, and what the conversion could not keep.

    Args:
        content: the text; with a charset, bytes in base64.
        source: its format.
        target: the format of the result.
        dialects: how CSV is read and written.
        charset: of the bytes.

    Raises:
        InvalidInput: the content is not of its format, or passes a bound; ``fix`` says what to do.
    """
    if len(content) > MAX_CHARACTERS * 2:
        raise _make_size_error(len(content))
    text = (decode_content(content, charset) if charset else content).removeprefix("\ufeff")
    if len(text) > MAX_CHARACTERS:
        raise _make_size_error(len(text))
    if source == target and source in ("markdown", "html"):
        raise make_content_error(f"it is already {source}", "name another format", "target")
    losses = Losses()
    result = replace_halves(_convert(replace_halves(text), source, target, dialects, losses))
    if len(result) > MAX_RESULT_CHARACTERS:
        raise make_content_error(
            f"the result has {len(result):,} characters, of at most {MAX_RESULT_CHARACTERS:,}", "convert a part of it"
        )
    return result, losses.notes


def _make_size_error(length: int) -> Exception:
    return make_content_error(f"it has {length:,} characters, of at most {MAX_CHARACTERS:,}", "convert a part of it")


def _convert(text: str, source: Format, target: Format, dialects: Dialects, losses: Losses) -> str:
    if source == "markdown" and target == "html":
        return markdown_text.write_html_of_markdown(text, losses)
    if source == "html" and target == "markdown":
        return html_text.write_markdown_of_html(text, losses)
    if source == "csv":
        root = csv_text.read_csv(text, losses, delimiter=dialects.read, header=dialects.header)
    else:
        root = _READERS[source](text, losses)
    if target == "csv":
        return csv_text.write_csv(root, losses, delimiter=dialects.write, header=dialects.header)
    return _WRITERS[target](root, losses)
