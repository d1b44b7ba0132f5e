"""Find the definitions in source code of any language. The text stays as it is."""

import re

from pentad.memory.documents.structure import DEFINITION, ParsedBlock, ParsedText

ENDINGS = frozenset(
    ".py .pyi .js .mjs .cjs .jsx .ts .tsx .java .kt .kts .scala .groovy .go .rs .c .h .cc .cpp .hpp .cs .swift .m .rb "
    ".php .pl .lua .r .jl .sql .sh .bash .ps1 .tf .proto .graphql .dart .ex .exs .erl .hs .clj .vb .pas".split()
)
"""Of names of files that hold source code."""
_ABOVE = re.compile(r"[ \t]*+(?://|#|--|/\*|\*|@|\"\"\"|'''|;;)")
_SIGNATURE_CHARACTERS = 160
_INDENT = re.compile(r"[ \t]*+")


def parse_source(text: str) -> ParsedText:
    """Return the text as it is, and a block for each definition with the comments and decorators above it.

    A block's header holds the first lines of the definitions around it, and its own.
    """
    blocks: list[ParsedBlock] = []
    around: list[tuple[int, str]] = []
    start, header = 0, ""
    comments: int | None = None
    position = 0
    for line in text.splitlines(keepends=True):
        found = DEFINITION.match(line)
        is_above = _ABOVE.match(line) is not None
        if found is not None and not is_above:
            begin = position if comments is None else comments
            if text[start:begin].strip():
                blocks.append(ParsedBlock(start, begin, "code", (), header))
                start = begin
            indent = len(_INDENT.match(line)[0].expandtabs(4))  # type: ignore[index]
            around = [(depth, words) for depth, words in around if depth < indent]
            around.append((indent, line.strip()[:_SIGNATURE_CHARACTERS]))
            header = "\n".join(words for _, words in around[-3:])
        comments = (position if comments is None else comments) if is_above else None
        position += len(line)
    if text[start:].strip():
        blocks.append(ParsedBlock(start, len(text), "code", (), header))
    return ParsedText(text, blocks)
