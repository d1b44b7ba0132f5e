"""Read the approval of a remote tool from YAML: a word, or rules with the same conditions as ``@tool`` has.

| in ``mcp.yaml`` | in Python |
|---|---|
| ``{over: amount, limit: 50}``, ``{under: ...}`` | ``Ask(when=over("amount", 50))`` |
| ``{among: currency, words: [EUR]}``, ``{ends_with: to, words: ["@acme.eu"]}`` | ``among``, ``ends_with`` |
| ``{for_users: [ada]}``, ``{for_tenants: [acme]}`` | ``for_users``, ``for_tenants`` |
| ``{has_taint: [documents]}``, ``{has_taint: any}``, ``{unsure: 0.8}`` | ``has_taint``, ``unsure`` |
| ``{when: [CONDITIONS], unless: [CONDITIONS]}`` | ``Ask(when=[...], unless=[...])`` |
| ``{sum: amount, above: 200, per: user, every: day, currency: currency}`` | ``AskWhenSum("amount", above=200, ...)`` |
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, ValidationError

from pentad.domain.declarations.approval_rules import (
    Ask,
    AskWhenSum,
    CallIsFor,
    Condition,
    ContextIsTainted,
    NumberIs,
    TextIs,
    TurnIsUnsure,
)

WORDS: Final = ("never", "always")
_ANY: Final = "any"
_SUM: Final = {"sum", "above", "per", "every", "currency"}
_FORMS: Final = "never, always, or a list of rules such as {over: amount, limit: 50} or {sum: amount, above: 200}"
_WORDS_LIST: Final = "words: [EUR, USD], and numbers, yes and no in quotes"
_LISTS: Final = {
    "for_users": 'for_users: [ada, "1234"]',
    "for_tenants": 'for_tenants: [acme, "1234"]',
    "has_taint": "has_taint: [documents], or has_taint: any",
}
Rule = Ask | AskWhenSum


def read_approval(given: Any) -> str | tuple[Rule, ...] | None:
    """Return the approval that YAML says.

    Raises:
        ValueError: it is none; the message says which rule, and what may stand there.
    """
    if given is None or given in WORDS:
        return str(given) if given is not None else None
    rules = [given] if isinstance(given, Mapping) else given
    if not isinstance(rules, list | tuple) or not rules:
        raise ValueError(f"write {_FORMS}")
    return tuple(one if isinstance(one, Rule) else _read_rule(one) for one in rules)


Approval = Annotated[str | tuple[Rule, ...] | None, BeforeValidator(read_approval)]
"""As `pentad.tools.declare.approval_option.check_approval` takes it."""


def _read_rule(given: Any) -> Rule:
    if not isinstance(given, Mapping):
        raise ValueError(f"{given!r:.80} is no rule: write {_FORMS}")
    try:
        if "sum" in given:
            _refuse_others(given, _SUM)
            said = {name: value for name, value in given.items() if name != "sum"}
            return AskWhenSum(given["sum"], **said | {"above": _read_number(said.get("above"))})
        if "when" in given or "unless" in given:
            _refuse_others(given, {"when", "unless"})
            return Ask(when=_read_conditions(given.get("when")), unless=_read_conditions(given.get("unless")))
        return Ask(when=(_read_condition(given),))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise ValueError(f"the rule {dict(given)!r:.120} is not valid: {place}: {first['msg']}") from None


def _read_conditions(given: Any) -> tuple[Condition, ...]:
    listed = [given] if isinstance(given, Mapping) else [] if given is None else given
    if not isinstance(listed, list | tuple):
        raise ValueError(f"{given!r:.80} is no list of conditions, such as [{{over: amount, limit: 50}}]")
    return tuple(_read_condition(one) for one in listed)


def _read_condition(given: Any) -> Condition:
    if not isinstance(given, Mapping) or not given:
        raise ValueError(f"{given!r:.80} is no condition: write one such as {{over: amount, limit: 50}}")
    kind = next((name for name in _READERS if name in given), None)
    if kind is None:
        raise ValueError(f"{dict(given)!r:.80} is no condition: one has {', '.join(_READERS)}")
    reader, beside = _READERS[kind]
    _refuse_others(given, {kind, *beside})
    found: Condition = reader(kind, given)
    return found


def _read_limit(kind: str, given: Mapping[str, Any]) -> Condition:
    compare: Any = kind
    return NumberIs(argument=given[kind], compare=compare, limit=_read_number(given.get("limit")))


def _read_words(kind: str, given: Mapping[str, Any]) -> Condition:
    compare: Any = kind
    return TextIs(argument=given[kind], compare=compare, words=_list_texts("words", given))


def _read_names(kind: str, given: Mapping[str, Any]) -> Condition:
    return CallIsFor(whom="user" if kind == "for_users" else "tenant", names=_list_texts(kind, given))


def _read_taint(kind: str, given: Mapping[str, Any]) -> Condition:
    return ContextIsTainted(sources=() if given[kind] == _ANY else _list_texts(kind, given))


def _read_confidence(kind: str, given: Mapping[str, Any]) -> Condition:
    return TurnIsUnsure(below=_read_number(given[kind]))


_READERS: Final[Mapping[str, tuple[Any, tuple[str, ...]]]] = {
    "over": (_read_limit, ("limit",)),
    "under": (_read_limit, ("limit",)),
    "among": (_read_words, ("words",)),
    "ends_with": (_read_words, ("words",)),
    "for_users": (_read_names, ()),
    "for_tenants": (_read_names, ()),
    "has_taint": (_read_taint, ()),
    "unsure": (_read_confidence, ()),
}


def _read_number(given: Any) -> Any:
    """Return a number as it was written: YAML's 0.1 is a tenth, and no binary fraction; yes and no are none."""
    if isinstance(given, bool):
        raise ValueError(f"'{str(given).lower()}' is no number: write one such as 50")
    return Decimal(str(given)) if isinstance(given, int | float) else given


def _list_texts(name: str, given: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the texts of a field, which may be one. A number, or YAML's ``no``, is none until it is quoted."""
    found = given.get(name)
    texts = [found] if isinstance(found, str) else found
    if not isinstance(texts, list | tuple) or not texts or not all(isinstance(one, str) for one in texts):
        raise ValueError(
            f"'{name}' in {dict(given)!r:.120} is no text and no list of texts: write {_LISTS.get(name, _WORDS_LIST)}"
        )
    return tuple(texts)


def _refuse_others(given: Mapping[str, Any], known: set[str]) -> None:
    other = next((name for name in given if name not in known), None)
    if other is not None:
        raise ValueError(f"the rule {dict(given)!r:.120} has no '{other}': it has {', '.join(sorted(known))}")
