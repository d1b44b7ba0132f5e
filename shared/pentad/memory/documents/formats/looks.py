"""Tell what a text looks like, whatever it is called. Marks that several types share count for none of them."""

import csv
import io
import re

_HEAD_CHARACTERS = 60_000
_PAGE = re.compile(
    r"\s*+(?:<\?xml[^>]{0,200}>\s*+)?(?:<!--.{0,2000}?-->\s*+){0,5}+<(?:!doctype\s+html|html[\s>])", re.I | re.S
)
_BLOCK = re.compile(
    r"\s*+<(?:p|div|table|ul|ol|h[1-6]|section|article|main|header|body|head|span|br|center|form|meta|style|blockquote)"
    r"(?:\s[^<>]{0,1000})?/?>",
    re.I,
)
_BLOCK_END = re.compile(
    r"</(?:p|div|table|tr|td|th|ul|ol|li|h[1-6]|section|article|main|header|body|head|span|a|b)\s*>", re.I
)
_LEAST_ENDS = 2
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,1000}>|<!doctype", re.I)
_FENCED = re.compile(r"^[ ]{0,3}(```|~~~).*?(?:^[ ]{0,3}\1|\Z)", re.M | re.S)
_MARKDOWN = (
    (3, re.compile(r"^#{1,6}[ \t]+\S", re.M)),
    (2, re.compile(r"\[[^\]\n]{1,300}\]\((?:https?:|[#./\w])[^)\n]{0,500}\)")),
    (3, re.compile(r"^[ \t]*\|?[ \t]*:?-{3,}:?[ \t]*\|[-:| \t]*$", re.M)),
)
_RST = (
    (3, re.compile(r"^[ \t]*\.\.[ ]+[a-zA-Z][\w-]{1,40}::(?:[ \t]|$)", re.M)),
    (3, re.compile(r"^\.\.[ ]+_[^:\n]{1,200}:(?:[ \t]|$)", re.M)),
    (2, re.compile(r"^\.\.[ ]+(?!\.)\S", re.M)),
    (1, re.compile(r":[a-z]{2,20}(?::[a-z]{2,20})?:`[^`\n]{1,200}`")),
    (2, re.compile(r"^\S[^\n]{2,120}\n([~^\"'`#*+])\1{3,}[ \t]*$", re.M)),
)
_ASCIIDOC = (
    (3, re.compile(r"^={1,5}[ \t]+\S", re.M)),
    (3, re.compile(r"^(?:image|include|ifdef|ifndef|toc|video)::[^\[\n]{0,200}\[", re.M)),
    (
        2,
        re.compile(
            r"^\[(?:source|quote|verse|NOTE|TIP|WARNING|IMPORTANT|CAUTION|cols|options|comment)\b[^\]\n]{0,200}\]$",
            re.M,
        ),
    ),
    (2, re.compile(r"^\|===[ \t]*$", re.M)),
    (1, re.compile(r"^:[a-z][\w-]{1,40}:(?:[ \t]|$)", re.M)),
    (1, re.compile(r"^//[^/]", re.M)),
)
_MOST_POINTS = 9
CLEARLY = 3
"""Points from which on a text is clearly written in a markup."""
_DELIMITERS = ";\t|,"
_LEAST_ROWS = 3
_ROWS = 60
_FEW_ROWS = 4
_MOST_ROWS = 0.4
_NO_ROWS = 0.1
_CELL_CHARACTERS = 80
"""Of a cell on average, beyond which lines are sentences."""
_FIELD = re.compile(r"(?:>?From \S|[A-Za-z][A-Za-z0-9-]{0,60}[ \t]*:)")


def take_head(data: bytes) -> str:
    """Return the beginning of a text whose charset is not known: all marks are ASCII."""
    return data[: _HEAD_CHARACTERS * 4].replace(b"\x00", b"")[:_HEAD_CHARACTERS].decode("latin-1").removeprefix("ï»¿")


def is_page(head: str) -> bool:
    """Tell whether a text begins as a page of HTML does."""
    return _PAGE.match(head) is not None


def is_fragment(head: str) -> bool:
    """Tell whether a text is a piece of HTML: it begins with an element, ends with a tag, and closes elements."""
    return (
        _BLOCK.match(head) is not None
        and (len(head) >= _HEAD_CHARACTERS or head.rstrip().endswith(">"))
        and len(_BLOCK_END.findall(head)) >= _LEAST_ENDS
    )


def has_tags(head: str) -> bool:
    """Tell whether there is a tag of HTML."""
    return _TAG.search(head) is not None


def rate_markups(head: str) -> tuple[int, int, int]:
    """Return how much a text looks like Markdown, like reStructuredText and like AsciiDoc, in points.

    What stands in fences is an example more often than not; fences themselves are Markdown's.
    """
    head = head.replace("\r\n", "\n").replace("\r", "\n")
    bare, fences = _FENCED.subn("", head)
    markdown = 3 * min(fences, 1) + _rate(bare, _MARKDOWN)
    return markdown, _rate(bare, _RST), _rate(bare, _ASCIIDOC)


def is_table(head: str, *, least_commas: int = 2) -> bool:
    """Tell whether a text is clearly a CSV: all its lines have as many delimiters, and cells that are no sentences."""
    lines = [line for line in head.replace("\r", "\n").split("\n") if line.strip() and line[0] != "#"][: _ROWS + 1]
    lines = lines[:-1] if len(lines) > _ROWS or len(head) >= _HEAD_CHARACTERS else lines
    if len(lines) < _LEAST_ROWS:
        return False
    for delimiter in _DELIMITERS:
        counts = {_count_outside_quotes(line, delimiter) for line in lines}
        least = least_commas if delimiter == "," else 1
        if len(counts) == 1 and (count := counts.pop()) >= least:
            return sum(map(len, lines)) < _CELL_CHARACTERS * len(lines) * (count + 1)
    return False


def has_columns(head: str) -> bool:
    """Tell whether half of a CSV's rows have as many cells as each other, more than one, or nearly none has any."""
    shares = []
    for delimiter in _DELIMITERS:
        try:
            rows = [row for row in csv.reader(io.StringIO(head), delimiter=delimiter) if any(row)][:_ROWS]
        except csv.Error:
            return True
        widths = [len(row) for row in rows if len(row) > 1]
        shares.append(max((widths.count(one) for one in set(widths)), default=0) / max(len(rows), 1))
        if len(rows) < _FEW_ROWS:
            return True
    return max(shares) >= _MOST_ROWS or max(shares) < _NO_ROWS


def begins_with_field(head: str) -> bool:
    """Tell whether a text begins as a message does, with a field."""
    return _FIELD.match(head.lstrip("\r\n")) is not None


def _rate(text: str, marks: tuple[tuple[int, re.Pattern[str]], ...]) -> int:
    points = 0
    for worth, mark in marks:
        found = sum(1 for _, _ in zip(range(_MOST_POINTS), mark.finditer(text), strict=False))
        points += worth * found
    return points


def _count_outside_quotes(line: str, delimiter: str) -> int:
    if '"' not in line:
        return line.count(delimiter)
    return sum(piece.count(delimiter) for piece in line.split('"')[::2])
