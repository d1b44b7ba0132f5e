"""What an exception that was not written for a model keeps to itself: folders, hosts of the inside, short secrets.

A model may repeat its tool's error to a customer. Files keep their names, connections their ports. Every pattern is
bounded, and none begins within what another try has read.
"""

import re
from typing import Final

from pentad.domain.secrets import MASK

HOST: Final = "[host]"
"""Stands for a host or an address."""

_OWN: Final = frozenset({"functions", "shared", "pentad", "layers", "infra", "src", "site-packages", "dist-packages"})
"""Folders that relative paths of deployed code begin with."""
_CODE: Final = (".py", ".pyc", ".pyi", ".so", ".pyd")
_NAMED: Final = re.compile(r"[\w+@~%.-]+\.\w+")
_QUOTED: Final = re.compile(
    r"""(?P<quote>["'`])(?P<path>(?:file:/{1,3}|~?/|[A-Za-z]:[\\/])[^"'`\r\n]{1,1000})(?P=quote)"""
)
# All of a run of characters that paths have, from its beginning.
_RUN: Final = re.compile(r"(?<![\w.+@~%\\/-])(?:file:(?=/)|[A-Za-z]:(?=[\\/]))?[\w.+@~%\\/-]++")
_SHARE: Final = re.compile(r"\\{2,4}[\w.$-]{1,255}\\{1,2}[\w.$-]{1,255}\\")
_HOME: Final = re.compile(
    r"(?<![\w/:.+@~%\\-])(?:[A-Za-z]:)?(?:/|\\{1,2})(?:home|Users)(?:/|\\{1,2})[\w.+@-]{1,64}(?=[\\/])"
)

_SECRET: Final = re.compile(
    r"(?i)((?:password|passwd|passphrase|pwd|secret|token|(?:api|access|secret)[_-]?key)\s?=\s?[\"']?)"
    r"(?!\[masked|(?:none|true|false|null)\b)[^\s\"'&;,)]{1,400}"
)
_OCTET: Final = r"\.\d{1,3}"
_PRIVATE: Final = re.compile(
    rf"(?<![\w.])(?:(?:10|127){_OCTET}|192\.168|169\.254|172\.(?:1[6-9]|2\d|3[01])|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7]))"
    rf"{_OCTET}{_OCTET}(?![\w-])(?!\.\d)"
    r"|(?<![\w:])(?:f[cd][0-9a-fA-F]{2}|fe[89abAB][0-9a-fA-F]):[0-9a-fA-F:]{1,40}(?![\w:])"
)
_INSIDE: Final = re.compile(
    r"(?i)(?<![\w.-])(?:(?:[a-z0-9][a-z0-9-]{0,62}\.){2,8}(?:internal|local)"
    r"|(?:[a-z0-9][a-z0-9-]{0,62}\.){1,8}(?:lan|corp|intranet|localdomain|(?:rds|cache|es)\.amazonaws\.com))(?![\w-])(?!\.\w)"
)
_LEAD: Final = (
    r"(?i)\b((?:host ?name|host|server (?:at|on)|connect(?:ing)? to|connection to|failed to resolve)\s?[=:]?\s?"
)
_HOSTS: Final = (
    re.compile(_LEAD + r"\(?(?P<quote>[\"']))[\w.:-]{1,253}(?=(?P=quote))"),
    re.compile(_LEAD + r")(?!\[)[\w.-]{1,253}(?=:\d{1,5}\b)"),
    re.compile(r"(?i)\b(host(?:name|addr)?=)[\w.:-]{1,253}"),
    re.compile(r"(?<![\w.-])()[\w.-]{1,253}(?=:\d{2,5}: \[Errno)"),
)


def keep_inside(words: str) -> str:
    """Return an exception's words without folders before a file's name, hosts of the inside and short secrets.

    Addresses of the web, paths without a file, and relative paths of what is no code stay as they are.

    Args:
        words: of an exception that is none of ours, in bounds.
    """
    if "/" in words or "\\" in words:
        words = _HOME.sub("~", _RUN.sub(_shorten_run, _QUOTED.sub(_shorten_quoted, words)))
    if "=" in words:
        words = _SECRET.sub(rf"\1{MASK}", words)
    words = _INSIDE.sub(HOST, _PRIVATE.sub(HOST, words))
    for pattern in _HOSTS:
        words = pattern.sub(rf"\1{HOST}", words)
    return words


def _shorten_quoted(match: re.Match[str]) -> str:
    """Return the quoted name of a file whose path holds blanks; any other path is a run, which is looked at next."""
    path = match["path"]
    name = _cut_folders(path)
    if " " not in path or " /" in path or "." not in name.strip("."):
        return match[0]
    return f"{match['quote']}{name}{match['quote']}"


def _shorten_run(match: re.Match[str]) -> str:
    run = match[0]
    name = _cut_folders(run)
    if name == run or not _NAMED.match(name):
        return run
    if run.startswith("//") and match.string[max(0, match.start() - 1) : match.start()] == ":":
        return run  # an address of the web
    path = run.removeprefix("file:")
    if path != run or run[1:2] == ":" or run.startswith("~") or _SHARE.match(run):
        return name
    if run.startswith("/"):
        return name if "/" in run[1:] else run
    first = next((part for part in re.split(r"[\\/]", run) if part not in ("", ".", "..")), "")
    is_code = "\\" not in run and name.rstrip(".").endswith(_CODE)
    return name if first in _OWN or is_code else run


def _cut_folders(path: str) -> str:
    """Return what stands behind the last slash, of either kind."""
    return path[max(path.rfind("/"), path.rfind("\\")) + 1 :]
