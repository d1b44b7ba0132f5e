"""Check the options ``approval`` and ``rate_limit`` of a declaration against the tool's own arguments."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError

from pentad.domain.declarations.approval_rules import (
    ApprovalRules,
    Ask,
    AskWhenSum,
    NumberIs,
    TextIs,
)
from pentad.domain.declarations.rates import EXAMPLE, Rate, parse_rates
from pentad.tools.declare.signature import make_declaration_error

ApprovalOption = str | Sequence[Ask | AskWhenSum]
"""``"never"``, ``"always"``, or rules of which one has to ask."""
_RULES: TypeAdapter[tuple[Ask | AskWhenSum, ...]] = TypeAdapter(ApprovalRules)
_FIX = 'use one of never, always, or rules: approval=[Ask(when=over("amount", 50))]'
_WORDS = ("never", "always")
_NUMBERS = ("number", "integer")


def check_approval(where: str, approval: object, schema: Mapping[str, Any]) -> Any:
    """Return the option ``approval`` as it is kept: a word, or a tuple of rules.

    Args:
        where: the tool's place, for the message.
        approval: the option.
        schema: of the tool's arguments.

    Raises:
        ConfigurationError: it is neither, or a rule is about an argument that is not there or of another type.
    """
    if isinstance(approval, str):
        if approval not in _WORDS:
            raise make_declaration_error(where, f"approval={approval!r:.80} is not known", _FIX)
        return approval
    given = [approval] if isinstance(approval, Ask | AskWhenSum) else approval
    if not isinstance(given, Sequence) or not all(isinstance(rule, Ask | AskWhenSum) for rule in given):
        raise make_declaration_error(where, f"approval={approval!r:.80} is neither a rule nor a list of rules", _FIX)
    try:
        rules = _RULES.validate_python(tuple(given))
    except ValidationError as error:
        raise make_declaration_error(where, f"approval is not valid: {error.errors()[0]['msg']}", _FIX) from error
    for path, kinds in _iter_arguments(rules):
        _check_argument(where, schema, path, kinds)
    for rule in rules:
        if isinstance(rule, AskWhenSum) and rule.currency is not None:
            _check_currency(where, schema, rule.currency)
    sums = [rule.sum_of for rule in rules if isinstance(rule, AskWhenSum)]
    if len(set(sums)) < len(sums):
        raise make_declaration_error(where, "approval has two rules over the same sum", "keep the lower limit")
    return rules


def check_rates(where: str, rate_limit: object) -> tuple[Rate, ...]:
    """Return the rates of the option ``rate_limit``.

    Raises:
        ConfigurationError: it is none.
    """
    if rate_limit is None:
        return ()
    if not isinstance(rate_limit, str):
        raise make_declaration_error(where, f"rate_limit={rate_limit!r:.80} is not text", f"write rate_limit={EXAMPLE}")
    try:
        return parse_rates(rate_limit)
    except ValueError as error:
        raise make_declaration_error(
            where, f"rate_limit={rate_limit!r:.80} is not valid: {error}", f"write rate_limit={EXAMPLE}"
        ) from error


def _iter_arguments(rules: Sequence[Ask | AskWhenSum]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield which arguments rules are about, each with the types that it may have."""
    for rule in rules:
        if isinstance(rule, AskWhenSum):
            yield rule.argument, _NUMBERS
            if rule.currency is not None:
                yield rule.currency, ("string",)
            continue
        for condition in (*rule.when, *rule.unless):
            if isinstance(condition, NumberIs):
                yield condition.argument, _NUMBERS
            elif isinstance(condition, TextIs):
                yield condition.argument, ("string",)


def _check_currency(where: str, schema: Mapping[str, Any], path: str) -> None:
    """Refuse a currency of any text: "EUR", "EURO" and "EUR2" would each have a sum of their own.

    Raises:
        ConfigurationError: its values are not listed.
    """
    texts = [one for one in _find_ends(where, schema, path) if _may_be_text(one)]
    if not all("enum" in one or "const" in one for one in texts):
        raise make_declaration_error(
            where,
            f"approval keeps a sum for each '{path}', which may be any text: each spelling would have its own sum",
            'list its values (Literal["EUR", "USD"]), or leave currency out of the rule: then all are one sum',
        )


def _may_be_text(schema: Mapping[str, Any]) -> bool:
    kind = schema.get("type")
    chosen = any(key in schema for key in ("anyOf", "oneOf", "allOf"))
    return "string" in kind if isinstance(kind, list) else kind == "string" or (kind is None and not chosen)


def _find_ends(where: str, schema: Mapping[str, Any], path: str) -> list[Mapping[str, Any]]:
    """Return the schemas that the argument at a path may have.

    Raises:
        ConfigurationError: there is no such argument.
    """
    found: list[Mapping[str, Any]] = [schema]
    for name in path.split("."):
        parts = [_expand(one) for one in found]
        named = {key for some in parts for one in some for key in one.get("properties", {})}
        found = [one["properties"][name] for some in parts for one in some if name in one.get("properties", {})]
        if not found:
            have = ", ".join(f"'{one}'" for one in sorted(named)) or "none"
            raise make_declaration_error(
                where, f"approval asks for '{path}', and the tool has no argument '{name}'", f"name one of: {have}"
            )
    return [one for some in found for one in _expand(some)]


def _check_argument(where: str, schema: Mapping[str, Any], path: str, kinds: tuple[str, ...]) -> None:
    ends = _find_ends(where, schema, path)
    if not any(_has_kind(one, kinds) for one in ends):
        said = ", ".join(sorted({str(one.get("type", "any")) for one in ends}))
        wanted = "a number" if kinds == _NUMBERS else "a text"
        raise make_declaration_error(
            where,
            f"approval compares '{path}', which is of the type {said}, not {wanted.split()[1]}",
            f"compare an argument that is {wanted}",
        )


def _has_kind(schema: Mapping[str, Any], kinds: tuple[str, ...]) -> bool:
    kind = schema.get("type")
    listed = kind if isinstance(kind, list) else [kind]
    if kinds == _NUMBERS and "string" in listed and "pattern" in schema:
        return True  # a Decimal may be written as a text of digits
    if "enum" in schema:
        values = schema["enum"]
        return any(isinstance(one, str) == (kinds == ("string",)) for one in values)
    return any(one in kinds for one in listed)


def _expand(schema: Any, depth: int = 0) -> list[Mapping[str, Any]]:
    """Return the schemas that a value may have: its choices, and what a list holds."""
    if not isinstance(schema, Mapping) or depth > 8:
        return []
    choices = [one for key in ("anyOf", "oneOf", "allOf") for one in schema.get(key) or ()]
    if isinstance(schema.get("items"), Mapping):
        choices.append(schema["items"])
    return [schema, *(found for one in choices for found in _expand(one, depth + 1))]
