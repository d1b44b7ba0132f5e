"""Render notebooks (Jupyter), which are JSON, cell by cell: words, code, and what the code wrote."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pentad.domain.errors import InvalidInput
from pentad.memory.documents.formats.builder import TextBuilder
from pentad.memory.documents.formats.markup.markdown import parse_markdown
from pentad.memory.documents.formats.records import list_keys, load_json
from pentad.memory.documents.formats.web.html import parse_html
from pentad.memory.documents.structure import CODES, ParsedText, clean

_OUTPUT_CHARACTERS = 20_000
"""Of one output: a log of a training run can be longer than all cells."""
_COUNTED = re.compile(r"(.+: )([0-9,]+)( words)?")
_UNREAD = frozenset({"application/javascript", "application/vnd.jupyter.widget-state+json"})
"""Programs, and what only they read."""
_TEXTS = ("text/plain", "text/latex", "application/json")
_MOST_NAMED = 5


def parse_notebook(text: str) -> ParsedText:
    """Return a notebook's cells: Markdown with its headings, code, and what the code wrote: tables, text and errors.

    Pictures, widgets and what is longer than 20,000 characters in one output are left out, with a doubt.

    Raises:
        InvalidInput: it is no notebook.
    """
    doubled = dict[str, None]()
    value = load_json(text, doubled)
    cells = _find_cells(value)
    if cells is None:
        raise InvalidInput("the notebook has no cells", field="document", fix="save it in version 4")
    reader = _NotebookReader()
    for cell in cells:
        reader.take(cell)
    if doubled:  # a cell has one source: which of them was meant, nobody knows
        reader.out.notes.append(
            f"keys that stand more than once in an object, read as they stand first: {list_keys(doubled)}"
        )
    return reader.finish()


def _find_cells(value: Any) -> list[Any] | None:
    """Return the cells; those of version 3 are in sheets."""
    if not isinstance(value, dict):
        return None
    if isinstance(value.get("cells"), list):
        return list(value["cells"])
    sheets = value.get("worksheets")
    if not isinstance(sheets, list):
        return None
    found = [one["cells"] for one in sheets if isinstance(one, dict) and isinstance(one.get("cells"), list)]
    return [cell for cells in found for cell in cells]


class _NotebookReader:
    """Collects cells, and counts what is not read of them."""

    def __init__(self) -> None:
        self.out = TextBuilder()
        self._notes: list[str] = []
        self._unread: Counter[str] = Counter()
        self._cut = self._odd = self._folded = 0

    def take(self, cell: Any) -> None:
        """Take the next cell."""
        source = _join(cell.get("source", cell.get("input", ""))) if isinstance(cell, dict) else None
        if source is None:
            self._odd += 1
            return
        kind = cell.get("cell_type")
        self._folded += _is_folded(cell.get("metadata"))
        self._unread["pictures"] += _count_attached(cell.get("attachments"))
        if kind == "heading":
            level = cell.get("level")
            self.out.add_heading(level if isinstance(level, int) else 1, source)
        elif kind == "markdown":
            self._add_parsed(parse_markdown(clean(source)), is_markdown=True)
        else:
            self.out.add(source, "code" if kind == "code" else "text")
            outputs = cell.get("outputs")
            for output in outputs if isinstance(outputs, list) else ():
                self._add_output(output)

    def finish(self) -> ParsedText:
        """Return the text, with each doubt once."""
        notes = list(_merge(self._notes))
        if self._cut:
            notes.append(f"outputs of code were cut after {_OUTPUT_CHARACTERS:,} characters: {self._cut:,}")
        if self._odd:
            notes.append(f"cells or outputs that have another form were not read: {self._odd:,}")
        if self._folded:
            notes.append(f"cells were read that pages may hide: {self._folded:,}")
        named = [f"{count:,} {what}" for what, count in self._unread.most_common(_MOST_NAMED) if count]
        if named:
            notes.append(f"what cells show besides text was not read: {', '.join(named)}")
        self.out.notes = [*notes, *self.out.notes]
        return self.out.finish()

    def _add_output(self, output: Any) -> None:
        if not isinstance(output, dict):
            self._odd += 1
            return
        if "traceback" in output or output.get("output_type") in ("error", "pyerr"):
            lines = output.get("traceback")
            trace = "\n".join(map(str, lines)) if isinstance(lines, list) else ""
            name = f"{output.get('ename', '')}: {output.get('evalue', '')}"
            self._add_code(trace if name in trace else f"{trace}\n{name}")
            return
        data = output.get("data", output)
        if not isinstance(data, dict):
            self._odd += 1
            return
        self._add_data({_name_kind(kind): value for kind, value in data.items()} | _take_text(output))

    def _add_data(self, data: Mapping[str, Any]) -> None:
        """Add the richest form of an output that is text; the others say the same."""
        page, markdown = _join(data.get("text/html")), _join(data.get("text/markdown"))
        added = False
        if page:
            added = self._add_parsed(parse_html(clean(page)[: _OUTPUT_CHARACTERS * 10]))
            self._cut += len(page) > _OUTPUT_CHARACTERS * 10
        elif markdown:
            added = self._add_parsed(parse_markdown(clean(markdown)))
        for kind in _TEXTS:
            words = data.get(kind)
            if not added and words:
                added = self._add_code(str(words) if isinstance(words, dict) else _join(words) or "")
        for kind in data:
            if kind.startswith(("image/", "video/", "audio/")):
                self._unread["pictures" if kind[0] == "i" else "films and sounds"] += 1
            elif kind == "application/pdf" or (kind.startswith("application/vnd.") and kind not in _UNREAD):
                self._unread[kind[:60]] += 1

    def _add_code(self, words: str) -> bool:
        words = CODES.sub("", words)
        self._cut += len(words) > _OUTPUT_CHARACTERS
        self.out.add(words[:_OUTPUT_CHARACTERS], "code")
        return bool(words.strip())

    def _add_parsed(self, found: ParsedText, *, is_markdown: bool = False) -> bool:
        self._notes += found.notes
        for block in found.blocks:
            words = found.text[block.start : block.end].strip()
            if block.kind == "heading" and is_markdown:
                self.out.open_section(len(words) - len(words.lstrip("#")) or 1, block.path[-1])
            kind = block.kind if is_markdown or block.kind != "heading" else "text"
            self.out.add(words, kind, header=block.header)
        return bool(found.blocks)


def _merge(notes: Iterable[str]) -> Iterator[str]:
    """Yield each note once; what several count is added up."""
    counts: dict[tuple[str, str], int] = {}
    for note in notes:
        found = _COUNTED.fullmatch(note)
        key = (found[1], found[3] or "") if found else (note, "")
        counts[key] = counts.get(key, 0) + (int(found[2].replace(",", "")) if found else 0)
    for (words, unit), count in counts.items():
        yield f"{words}{count:,}{unit}" if count else words


def _take_text(output: Mapping[str, Any]) -> dict[str, Any]:
    """Return the text of a stream, or of an output of version 3, which has no kinds of media."""
    return {"text/plain": output["text"]} if output.get("text") else {}


def _name_kind(kind: str) -> str:
    """Return a kind of media; version 3 has names of its own."""
    names = {"html": "text/html", "latex": "text/latex", "png": "image/png", "jpeg": "image/jpeg", "svg": "image/svg"}
    return names.get(kind, kind)


def _is_folded(metadata: Any) -> bool:
    """Tell whether a cell is marked as one to fold or to leave out of a page."""
    if not isinstance(metadata, dict):
        return False
    jupyter, tags = metadata.get("jupyter"), metadata.get("tags")
    folded = isinstance(jupyter, dict) and (jupyter.get("source_hidden") or jupyter.get("outputs_hidden"))
    tagged = isinstance(tags, list) and any(str(one).lower().startswith(("hide", "remove")) for one in tags)
    return bool(folded or tagged or metadata.get("hide_input") or metadata.get("collapsed"))


def _count_attached(attachments: Any) -> int:
    return len(attachments) if isinstance(attachments, dict) else 0


def _join(value: Any) -> str | None:
    """Return a text, which may stand in lines; None of anything else."""
    if isinstance(value, list):
        return "".join(map(str, value))
    return value if isinstance(value, str) else None
