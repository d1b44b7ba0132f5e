"""Paths of files: what is allowed in one, so that a key of the bucket says what a reader sees."""

import unicodedata

from pentad.domain.errors import InvalidInput

MAX_KEY_BYTES = 1_024
"""Of an object's key, with the tenant in front (Amazon S3 user guide, "Naming Amazon S3 objects")."""
_MAX_PART = 200
_MAX_PARTS = 20
_FIX = "write it as folder/name.txt: letters, digits, spaces, and signs such as . _ -"


def check_path(path: str, *, field: str = "path", folder: bool = False) -> str:
    """Return a path that names one file, or a folder, in one way only.

    Args:
        path: such as ``reports/2026/summary.md``; Unicode in its composed form (NFC).
        field: the parameter, for messages.
        folder: a folder, which ends in a slash, or the empty text for all.

    Raises:
        InvalidInput: it has ``..``, an empty part, a sign that is not seen, or is too long.
    """
    text = unicodedata.normalize("NFC", path)
    if folder and not text:
        return ""
    if folder:
        text = text.removesuffix("/")
    parts = text.split("/")
    for part in parts:
        reason = _find_fault(part)
        if reason:
            raise InvalidInput(f"the path {path[:80]!r} {reason}", field=field, fix=_FIX)
    if len(parts) > _MAX_PARTS:
        raise InvalidInput(f"the path has more than {_MAX_PARTS} parts", field=field, fix="use fewer folders")
    return f"{text}/" if folder else text


def _find_fault(part: str) -> str | None:
    if not part:
        return "has an empty part: it begins or ends with '/', or has '//'"
    if part in (".", "..") or part.strip(". ") == "":
        return "has a part of dots or spaces alone"
    if part != part.strip() or part.endswith("."):
        return "has a part that begins or ends with a space, or ends with a dot"
    if len(part) > _MAX_PART:
        return f"has a part of more than {_MAX_PART} characters"
    for sign in part:
        # Control, format, surrogate, private and unassigned signs; separators but the space.
        if unicodedata.category(sign)[0] in "CZ" and sign != " ":
            return f"has the invisible character U+{ord(sign):04X}"
        if sign in '\\:*?"<>|%#':
            return f"has the character {sign!r}"
    return None


def check_key(prefix: str, path: str, *, field: str = "path") -> str:
    """Return the object's key of a checked path.

    Raises:
        InvalidInput: it is longer than S3 takes.
    """
    key = prefix + path
    if len(key.encode()) > MAX_KEY_BYTES:
        raise InvalidInput(
            f"the path has {len(path.encode()):,} bytes, of at most {MAX_KEY_BYTES - len(prefix.encode()):,}",
            field=field,
            fix="use a shorter name",
        )
    return key
