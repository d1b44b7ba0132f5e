"""Matching of names and ARNs against patterns with `*` and `?`, as IAM does it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from twin.iam.model import ContextValue, UnsupportedPolicy

ARN_SEGMENTS: Final = 6
_ESCAPES: Final = {"${*}": "*", "${?}": "?", "${$}": "$"}
_TOKEN: Final = re.compile(r"\$\{[^}]*\}|\*|\?")
_TAG: Final = re.compile(r"\$\{(aws:PrincipalTag/[\w+=.@-]{1,128})\}", re.IGNORECASE)
"""The variables that the twin resolves: the tags of the caller's session."""
_SPECIAL: Final = re.compile(r"[*?$]")


def check_variables(text: str, *, tags: bool = False) -> None:
    """Refuse policy variables other than the three escapes and, with `tags`, tags of the caller's session.

    Raises:
        UnsupportedPolicy: The text holds another, such as `${aws:username}`.
    """
    for token in _TOKEN.findall(text):
        if token.startswith("${") and token not in _ESCAPES and not (tags and _TAG.fullmatch(token)):
            raise UnsupportedPolicy(f"policy variable {token} is not supported by the local twin: {text!r}")


def resolve_variables(text: str, context: Mapping[str, ContextValue]) -> str | None:
    """Return the text with the caller's tags in the place of variables; None where the caller has no such tag.

    What a tag holds is never a wildcard. IAM user guide, "IAM policy elements: Variables and tags": a variable that
    has no value matches nothing.

    Args:
        text: a resource or a condition's value.
        context: the condition context, keys in lower case.
    """
    for variable in _TAG.findall(text):
        value = context.get(variable.lower())
        if not isinstance(value, str):
            return None
        text = text.replace(f"${{{variable}}}", _SPECIAL.sub(lambda found: f"${{{found.group()}}}", value))
    return text


def expand_escapes(text: str) -> str:
    """Replace the escapes by what they stand for, for operators that know no wildcards."""
    for escape, character in _ESCAPES.items():
        text = text.replace(escape, character)
    return text


@lru_cache(maxsize=8192)
def _build_regex(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    parts: list[str] = []
    position = 0
    for match in _TOKEN.finditer(pattern):
        parts.append(re.escape(pattern[position : match.start()]))
        token = match.group()
        parts.append({"*": ".*", "?": "."}.get(token) or re.escape(_ESCAPES.get(token, token)))
        position = match.end()
    parts.append(re.escape(pattern[position:]))
    return re.compile("".join(parts), re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def match_pattern(pattern: str, value: str, *, ignore_case: bool = False) -> bool:
    """Tell whether a value matches a pattern with `*` and `?`."""
    return _build_regex(pattern, ignore_case).fullmatch(value) is not None


def match_arn(pattern: str, value: str) -> bool:
    """Tell whether an ARN matches a pattern; a wildcard does not reach over the first five colons.

    `*` alone matches everything; parts missing at the end of a pattern match anything (IAM user guide, "Resource").
    """
    if pattern == "*":
        return True
    patterns, values = pattern.split(":", ARN_SEGMENTS - 1), value.split(":", ARN_SEGMENTS - 1)
    if patterns[0] != "arn" or len(values) != ARN_SEGMENTS:
        return match_pattern(pattern, value)
    patterns += ["*"] * (ARN_SEGMENTS - len(patterns))
    return all(match_pattern(part, given) for part, given in zip(patterns, values, strict=True))
