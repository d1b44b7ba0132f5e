"""Frames in what a model reads: text from outside can neither close the frame around it nor open one of its own.

Short, marked-up material (passages, a question, a workflow's inputs, what a judge rates) is escaped as XML is. Results
of tools are pages and code that a model must read as they are: their frame's name has the hash of what it holds, which
nobody can put into the text whose hash it is.
"""

import hashlib
import re
from typing import Final
from xml.sax.saxutils import escape, quoteattr

# What XML 1.0 allows (section 2.2); the rest, such as NUL and lone surrogates, would make a request unreadable.
_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_HASH_CHARACTERS: Final = 16  # 64 bits: to find a text that holds its own takes 2**63 tries


def escape_text(text: str) -> str:
    """Return text as it stands between tags."""
    return escape(_NOT_XML.sub("\ufffd", text))


def quote_attribute(text: str) -> str:
    """Return text as an attribute's value, its quotes included."""
    return quoteattr(_NOT_XML.sub("\ufffd", text))


def fence_text(name: str, text: str, note: str) -> str:
    """Return text, unchanged but for tags of the frame's own name, in a frame whose name it can't know.

    Args:
        name: what the frame is called, such as ``untrusted``.
        text: what it holds; the same text is framed the same, so that a provider's cache serves it.
        note: what the model is told of it.
    """
    inner = re.sub(rf"(?i)<(?=[\s/]*{re.escape(name)})", "&lt;", text)
    digest = hashlib.sha256(inner.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_CHARACTERS]
    return f"<{name}-{digest} note={quoteattr(note)}>\n{inner}\n</{name}-{digest}>"


def imitates_passages(text: str) -> bool:
    """Return whether a text has tags of the frame in which a question stands with its passages."""
    return _PASSAGES.search(text) is not None


def is_framed(template: str) -> bool:
    """Return whether a template has tags, in or beside which what is put in must not pass for one."""
    return _TAG.search(template) is not None


def is_within_tag(template: str, place: int) -> bool:
    """Return whether a place of a template lies inside a tag, so in an attribute."""
    return template.rfind("<", 0, place) > template.rfind(">", 0, place)


_PASSAGES: Final = re.compile(r"<[\s/]*(?:passages?|question|recalled|remembered|summary)(?![\w-])", re.IGNORECASE)
_TAG: Final = re.compile(r"</?[A-Za-z][\w.-]*[^<>]*>")
