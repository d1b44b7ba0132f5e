"""Render templates of a workflow's steps: ``{{input}}``, ``{{step}}``, ``{{step.field}}``, ``{{step | other}}``. Pure.

Of several, the first that has a result is put in: where branches lead to different steps.

What is put in is never read as a template again, so no result can refer to another.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from pentad.domain.display.frames import escape_text, imitates_passages, is_framed, is_within_tag

INPUT = "input"
STATUS = "status"
MISSING = "(there is no result: this step did not finish)"
CHARACTERS = 100_000
"""Of a rendered text at most; a message of a run may be no longer."""
_CUT = "[cut here: it is too long]"
_MARKER = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_REFERENCE = re.compile(r"([a-z][a-z0-9_]{0,40})(?:\.([A-Za-z_][A-Za-z0-9_]{0,40}))?")


class Reference(NamedTuple):
    """One ``{{step}}`` or ``{{step.field}}``."""

    step: str
    field: str | None


Lookup = Callable[[Reference], Any]


def _parse_marker(text: str) -> tuple[Reference, ...]:
    """Return what a marker refers to, in order; nothing where it is no reference."""
    matches = [_REFERENCE.fullmatch(part.strip()) for part in text.split("|")]
    return tuple(Reference(match[1], match[2]) for match in matches if match) if all(matches) else ()


def _find_first(text: str, lookup: Lookup) -> Any:
    found = (lookup(reference) for reference in _parse_marker(text))
    return next((value for value in found if value is not None), None)


def find_references(template: Any) -> tuple[Reference, ...]:
    """Return what a template, or any value with templates in its strings, refers to; each once, in order.

    Raises:
        ValueError: something in braces is no reference.
    """
    found: dict[Reference, None] = {}
    for text in _iter_strings(template):
        for match in _MARKER.finditer(text):
            parsed = _parse_marker(match[1])
            if not parsed:
                raise ValueError(
                    f"{match[0]} is not a reference: write {{{{input}}}}, {{{{step}}}} or {{{{step.field}}}}"
                )
            found |= dict.fromkeys(parsed)
    return tuple(found)


def find_problems(template: Any, known: Mapping[str, frozenset[str] | None]) -> tuple[str, ...]:
    """Return what is wrong with a template's references, a sentence each.

    Args:
        template: the template, or a value with templates in its strings.
        known: the steps that come before with the fields of their results; None for a result that is words only.
    """
    try:
        found = find_references(template)
    except ValueError as error:
        return (str(error),)
    wrong = []
    for step, field in found:
        if step == INPUT and field is None:
            continue
        if step not in known:
            there = ", ".join(sorted({INPUT, *known}))
            wrong.append(f"{{{{{step}}}}}: no step '{step}' comes before; there are: {there}")
        elif field is not None and field != STATUS and field not in (known[step] or ()):
            there = ", ".join(sorted({STATUS, *(known[step] or ())}))
            wrong.append(f"{{{{{step}.{field}}}}}: the result of '{step}' has no field '{field}'; it has: {there}")
    return tuple(wrong)


def render(template: str, lookup: Lookup) -> str:
    """Return a template with its references replaced.

    Of a result that is longer than there is room for stay its head and tail, and what is left out is said.

    Args:
        template: the template.
        lookup: returns the value of a reference; None where there is none.
    """
    parts = list(_MARKER.finditer(template))
    room = CHARACTERS - len(template)
    each = max(200, room // max(1, len(parts)))

    def replace_marker(match: re.Match[str]) -> str:
        return _truncate_text(_to_text(_find_first(match[1], lookup)), each) if _parse_marker(match[1]) else match[0]

    return _MARKER.sub(replace_marker, template)


def render_prompt(template: str, lookup: Lookup) -> str:
    """Return what a model is asked: a template with its references replaced, as `render` does.

    In a template with tags, as ``<document>{{input}}</document>``, all that is put in is escaped: no input and no
    result can close the element around it, or pass for another. Where what is put in has tags of the frame in which
    passages are given, it is escaped in any template.
    """
    if not is_framed(template) and not any(imitates_passages(text) for text in _iter_put_in(template, lookup)):
        return render(template, lookup)
    parts = list(_MARKER.finditer(template))
    each = max(200, (CHARACTERS - len(template)) // max(1, len(parts)))

    def replace_marker(match: re.Match[str]) -> str:
        if not _parse_marker(match[1]):
            return match[0]
        text = escape_text(_truncate_text(_to_text(_find_first(match[1], lookup)), each))
        if is_within_tag(template, match.start()):
            text = text.replace('"', "&quot;").replace("'", "&apos;")
        # Escaped it may be longer than there is room for; an entity is not cut in two.
        return text if len(text) <= each else f"{re.sub('&[a-z]{0,4}$', '', text[:each])}\n{_CUT}"

    return _MARKER.sub(replace_marker, template)


def _iter_put_in(template: str, lookup: Lookup) -> Iterator[str]:
    for match in _MARKER.finditer(template):
        if _parse_marker(match[1]):
            yield _to_text(_find_first(match[1], lookup))


def render_value(value: Any, lookup: Lookup) -> Any:
    """Return a value with the templates in its strings rendered; a string that is one reference keeps its type."""
    if isinstance(value, Mapping):
        return {key: render_value(each, lookup) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [render_value(each, lookup) for each in value]
    if not isinstance(value, str):
        return value
    alone = _MARKER.fullmatch(value)
    if alone is None or not _parse_marker(alone[1]):
        return render(value, lookup)
    found = _find_first(alone[1], lookup)
    return MISSING if found is None else found


def _iter_strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _iter_strings(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _iter_strings(each)


def _to_text(value: Any) -> str:
    if value is None:
        return MISSING
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _truncate_text(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    tail = most // 4
    return f"{text[: most - tail]}\n[cut here: {len(text) - most:,} characters are left out]\n{text[-tail:]}"
