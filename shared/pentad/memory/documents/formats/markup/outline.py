"""Collect the blocks of a text that stays as it is."""

from collections.abc import Iterator

from pentad.memory.documents.structure import Kind, ParsedBlock


def iter_paragraphs(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the lines of each paragraph, and where it begins. Blank lines part them."""
    position, start = 0, 0
    lines: list[str] = []
    for line in text.splitlines(keepends=True):
        if line.strip():
            start = start if lines else position
            lines.append(line)
        elif lines:
            yield start, lines
            lines = []
        position += len(line)
    if lines:
        yield start, lines


def open_section(path: list[tuple[int, str]], level: int, title: str) -> list[tuple[int, str]]:
    """Return a path of headings with another one, which ends those of its level and below."""
    return [*((above, name) for above, name in path if above < level), (level, title)]


def add_block(blocks: list[ParsedBlock], start: int, lines: list[str], kind: Kind, path: list[tuple[int, str]]) -> int:
    """Add lines as a block, and return where they end."""
    end = start + sum(map(len, lines))
    blocks.append(ParsedBlock(start, end, kind, tuple(title for _, title in path)))
    return end
