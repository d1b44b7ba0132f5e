r"""Keep halves of surrogate pairs out: JSON can carry them as an escape, and no store, wire or log takes them.

A model that is cut inside an emoji writes ``"\ud83d"``. Such a half stands for no character, so the replacement
character takes its place, as Unicode recommends (The Unicode Standard, section 3.9, U+FFFD substitution).
"""

import re

_HALF = re.compile("[\ud800-\udfff]")
# An escaped backslash, a whole pair, or a half: only the last is replaced.
_ESCAPES = re.compile(
    r"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)


def mend_escapes(json_text: str) -> str:
    """Return JSON in which an escape of half a pair is one of U+FFFD; whole pairs and other escapes stay."""
    return _ESCAPES.sub(lambda found: r"\ufffd" if found["half"] else found[0], json_text)


def replace_halves(text: str) -> str:
    """Return text that every encoder takes: two halves that follow each other are joined, a lone one is U+FFFD."""
    if _HALF.search(text) is None:
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
