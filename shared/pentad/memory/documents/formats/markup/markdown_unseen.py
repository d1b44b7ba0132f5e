"""Find what nobody sees of a page that is written in Markdown."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markdown_it.common.utils import normalizeReference

from pentad.memory.documents.formats.markup.unseen import Place, Unseen, cover, cut_out, find_unseen
from pentad.memory.documents.formats.web.html_tokens import TAG, TAG_BEGIN

_NEXT = re.compile(r"[\\`]|<(?=[A-Za-z/!?])")
_RUN = re.compile(r"`+")
_CELL_END = re.compile(r"(?<!\\)\|")
_AUTOLINK = re.compile(r"<(?:[A-Za-z][A-Za-z0-9+.-]{1,31}:|[^\s<>@:/]{1,64}@)[^\s<>]{0,2000}>")
_LABEL = re.compile(r"\[([^\[\]]{1,999})\]")
_FOOTNOTE = re.compile(r"^ {0,3}\[(\^[^\]\s]{1,100})\]:", re.MULTILINE)
_BLANK_LINK = re.compile(
    r"(?<!!)\[[ \t\xa0]{0,20}\]\([^()\s]{0,2000}\s{1,20}(?:\"[^\"]{0,300}+\"|'[^']{0,300}+'|\([^)]{0,300}+\))\s{0,20}\)"
)
_NOTHING = frozenset({"#", "", "<>", "//"})
_ELSEWHERE = (("{/*", "*/}"), ("{{/*", "*/}}"), ("{{% comment", "/comment %}}"), ("{% comment", "endcomment"))
_ELSEWHERE_TOO = (("{::comment}", "{:/comment}"), ("{# ", "#}"), ("%%", "%%"))
"""What Markdown's dialects take for comments: MDX, Hugo, Liquid, kramdown, Jinja, Obsidian."""
_MOST_NAMED = 5
_FRONT_MATTER_KEYS = frozenset(
    "title subtitle date updated lastmod modified created published author authors tag tags category categories layout "
    "slug permalink url aliases draft weight order id lang language locale version sidebar_position sidebar_label "
    "nav_order parent toc type template image icon status license".split()
)
_FRONT_MATTER_LINE = re.compile(r"(?:([\w-]{1,40})\s{0,5}[:=]|\s{0,20}-\s)\s{0,20}(.{0,100})")


@dataclass(frozen=True)
class MarkdownPart:
    """A piece of a text: what it is read as, and where it stands."""

    kind: str
    """``html``, ``row``, ``code``, ``definition`` or ``words``."""
    start: int
    end: int
    label: str = ""
    target: str = ""


def find_unseen_markdown(text: str, parts: Sequence[MarkdownPart]) -> Unseen:
    """Return what readers of the rendered page do not see of a text whose blocks are known.

    Comments (of HTML, and links to nothing that stand for them), what HTML hides, links without words, and targets of
    links that nothing refers to.
    """
    covered = cover(text, _iter_covered(text, parts))
    found = find_unseen(covered)
    definitions = [one for one in parts if one.kind == "definition"]
    bare = cut_out(covered, [(one.start, one.end) for one in definitions])
    used = _find_labels(bare) if definitions or "[^" in bare else frozenset()
    unused = [one for one in definitions if normalizeReference(one.label) not in used]
    found.places += [(one.start, one.end) for one in unused]
    found.comments += sum(one.target in _NOTHING for one in unused)
    if count := sum(one.target not in _NOTHING for one in unused):
        found.notes.append(f"link targets that nothing refers to were left out: {count:,}")
    if blank := [one.span() for one in _BLANK_LINK.finditer(covered)]:
        found.places += blank
        found.notes.append(f"links without words were left out: {len(blank):,}")
    if found.comments:
        found.notes.insert(0, f"comments were left out: {found.comments:,}")
    if lonely := [one[1] for one in _FOOTNOTE.finditer(bare) if normalizeReference(one[1]) not in used]:
        named = ", ".join(lonely[:_MOST_NAMED])
        found.notes.append(f"footnotes to which nothing refers were read, which pages may not show: {named}")
    if count := sum(_count_pairs(bare, *pair) for pair in (*_ELSEWHERE, *_ELSEWHERE_TOO)):
        found.notes.append(f"words were read that some programs take for comments: {count:,} places")
    return found


def find_odd_front_matter(matter: str) -> tuple[str, ...]:
    """Return a doubt about what stands before a page, where it is more than a title, a date and the like."""
    odd: dict[str, None] = {}
    for line in matter.split("\n")[1:]:
        if not line.strip() or line.strip() in ("---", "+++", "..."):
            continue
        found = _FRONT_MATTER_LINE.fullmatch(line)
        if found is None or (found[1] and found[1].lower() not in _FRONT_MATTER_KEYS):
            odd[(found[1] if found else None) or line.strip()[:20]] = None
    if not odd:
        return ()
    return (f"front matter was read, which pages need not show: {', '.join(list(odd)[:_MOST_NAMED])}",)


def _find_labels(text: str) -> frozenset[str]:
    counted: dict[str, int] = {}
    for one in _LABEL.finditer(text):
        defines = one[1].startswith("^") and text[one.end() : one.end() + 1] == ":"
        counted[one[1]] = counted.get(one[1], 0) + (not defines)
    return frozenset(normalizeReference(label) for label, count in counted.items() if count)


def _count_pairs(text: str, opening: str, closing: str) -> int:
    count, position = 0, 0
    while (start := text.find(opening, position)) >= 0:
        end = text.find(closing, start + len(opening))
        if end < 0:
            break
        count += end > start + len(opening)
        position = end + len(closing)
    return count


def _iter_covered(text: str, parts: Sequence[MarkdownPart]) -> Iterator[Place]:
    """Yield, in order, where ``<`` and ``>`` are no HTML: in code, behind a backslash, and in no tag at all."""
    position = 0
    for part in parts:
        if part.start > position:
            yield position, part.start
        if part.kind in ("code", "definition"):
            yield part.start, part.end
        elif part.kind == "row":
            start = part.start
            for cell in _CELL_END.finditer(text, part.start, part.end):
                yield from _iter_covered_words(text, start, cell.start())
                start = cell.end()
            yield from _iter_covered_words(text, start, part.end)
        elif part.kind == "words":
            yield from _iter_covered_words(text, part.start, part.end)
        position = part.end
    yield position, len(text)


def _iter_covered_words(text: str, start: int, end: int) -> Iterator[Place]:
    runs: dict[int, list[int]] | None = None
    missing: set[str] = set()
    while found := _NEXT.search(text, start, end):
        begin = found.start()
        if found[0] == "\\":
            start = begin + 2
            yield begin, min(start, end)
        elif found[0] == "`":
            if runs is None:
                runs = {}
                for run in _RUN.finditer(text, begin, end):
                    runs.setdefault(run.end() - run.start(), []).append(run.start())
            size = _RUN.match(text, begin, end).end() - begin  # type: ignore[union-attr]
            places = runs.get(size, [])
            after = bisect_right(places, begin)
            start = begin + size
            if after < len(places):
                start = places[after] + size
                yield begin, start
        else:
            start = _find_html_end(text, begin, end, missing)
            if start == begin:
                start = begin + 1
                yield begin, start
            elif text.startswith(("<http", "<mailto"), begin) or _AUTOLINK.match(text, begin, end):
                yield begin, start


def _find_html_end(text: str, begin: int, end: int, missing: set[str]) -> int:
    """Return where a tag or comment within words ends; ``begin`` where there is none, so that it is words."""
    if match := _AUTOLINK.match(text, begin, end):
        return match.end()
    for opening, closing in (("<!--", "-->"), ("<![CDATA[", "]]>"), ("<!", ">"), ("<?", "?>")):
        if text.startswith(opening, begin):
            found = text.find(closing, begin + 2, end) if closing not in missing else -1
            if found < 0:
                missing.add(closing)
                return begin
            return found + len(closing)
    if not TAG_BEGIN.match(text, begin, end) or "tag" in missing:
        return begin
    tag = TAG.match(text, begin, end)
    if tag is None:
        missing.add("tag")
        return begin
    return tag.end()
