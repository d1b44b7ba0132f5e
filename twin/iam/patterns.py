"""Matching of names and ARNs against patterns with `*` and `?`, as IAM does it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from twin.iam.model import UnsupportedPolicy

ARN_SEGMENTS: Final = 6
_ESCAPES: Final = {"${*}": "*", "${?}": "?", "${$}": "$"}
_TOKEN: Final = re.compile(r"\$\{[^}]*\}|\*|\?")


def check_variables(text: str) -> None:
    """Refuse policy variables other than the three escapes.

    Raises:
        UnsupportedPolicy: The text holds one, such as `${aws:PrincipalTag/tenant}`.
    """
    for token in _TOKEN.findall(text):
        if token.startswith("${") and token not in _ESCAPES:
            raise UnsupportedPolicy(f"policy variable {token} is not supported by the local twin: {text!r}")


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
