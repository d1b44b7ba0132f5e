"""Policy documents as values: read once, checked fully, matched often."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from twin.iam.conditions import Condition, parse_conditions
from twin.iam.model import Access, ContextValue, PolicyError, Principal, PrincipalKind
from twin.iam.patterns import check_variables, match_arn, match_pattern, resolve_variables

_ELEMENTS: Final = frozenset(
    ("Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition", "Principal", "NotPrincipal")
)


@dataclass(frozen=True, slots=True)
class PrincipalPattern:
    """Whom a statement of a resource policy names: `anyone`, or ARNs and accounts, or services."""

    anyone: bool
    aws: tuple[str, ...]
    services: tuple[str, ...]

    def match(self, principal: Principal, account: str) -> bool:
        """Tell whether it names this principal itself."""
        if self.anyone:
            return True
        if principal.kind is PrincipalKind.SERVICE:
            return principal.service in self.services
        return any(name in (principal.arn, principal.role_arn) or name == "*" for name in self.aws) or (
            principal.unrestricted and self.match_account(account)
        )

    def match_account(self, account: str) -> bool:
        """Tell whether it names the whole account, which leaves the decision to identity policies."""
        return any(name in (account, f"arn:aws:iam::{account}:root") for name in self.aws)


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. Exactly one of actions and not_actions, at most one of resources and not_resources, is set."""

    allow: bool
    actions: tuple[str, ...]
    not_actions: tuple[str, ...]
    resources: tuple[str, ...]
    not_resources: tuple[str, ...]
    conditions: tuple[Condition, ...]
    principal: PrincipalPattern | None
    not_principal: PrincipalPattern | None

    def match(self, access: Access, context: Mapping[str, ContextValue]) -> bool:
        """Tell whether action, resource and conditions match."""
        return (
            self._match_action(access.action)
            and self._match_resource(access, context)
            and all(condition.is_met(context) for condition in self.conditions)
        )

    def _match_action(self, action: str) -> bool:
        if self.not_actions:
            return not any(match_pattern(pattern, action, ignore_case=True) for pattern in self.not_actions)
        return any(match_pattern(pattern, action, ignore_case=True) for pattern in self.actions)

    def _match_resource(self, access: Access, context: Mapping[str, ContextValue]) -> bool:
        if access.any_resource:
            return True
        named = (resolve_variables(pattern, context) for pattern in self.not_resources or self.resources)
        found = any(match_arn(pattern, access.resource) for pattern in named if pattern is not None)
        if self.not_resources:
            return not found
        return not self.resources or found


@dataclass(frozen=True, slots=True)
class Policy:
    """A whole document."""

    statements: tuple[Statement, ...]


def parse_policy(document: str | Mapping[str, Any]) -> Policy:
    """Read a policy document, as JSON text or parsed.

    Raises:
        UnsupportedPolicy: It uses an operator, key or variable that the twin cannot evaluate.
        PolicyError: It is no policy document.
    """
    return _parse_text(document if isinstance(document, str) else json.dumps(document, sort_keys=True))


@lru_cache(maxsize=1024)
def _parse_text(text: str) -> Policy:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise PolicyError(f"a policy document is not JSON: {exc}") from exc
    if not isinstance(document, dict) or "Statement" not in document:
        raise PolicyError("a policy document has no 'Statement'")
    statements = document["Statement"]
    return Policy(tuple(_parse_statement(s) for s in (statements if isinstance(statements, list) else [statements])))


def _parse_statement(statement: Mapping[str, Any]) -> Statement:
    unknown = set(statement) - _ELEMENTS
    if unknown:
        raise PolicyError(f"unknown elements in a policy statement: {', '.join(sorted(unknown))}")
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise PolicyError("'Effect' of a policy statement must be 'Allow' or 'Deny'")
    if ("Action" in statement) == ("NotAction" in statement):
        raise PolicyError("a policy statement must have one of 'Action' and 'NotAction'")
    if "Resource" in statement and "NotResource" in statement:
        raise PolicyError("a policy statement must have at most one of 'Resource' and 'NotResource'")
    return Statement(
        allow=statement["Effect"] == "Allow",
        actions=_parse_texts(statement.get("Action", ())),
        not_actions=_parse_texts(statement.get("NotAction", ())),
        resources=_parse_texts(statement.get("Resource", ()), tags=True),
        not_resources=_parse_texts(statement.get("NotResource", ()), tags=True),
        conditions=parse_conditions(statement.get("Condition", {})),
        principal=_parse_principal(statement.get("Principal")),
        not_principal=_parse_principal(statement.get("NotPrincipal")),
    )


def _parse_texts(value: str | Sequence[str], *, tags: bool = False) -> tuple[str, ...]:
    texts = (value,) if isinstance(value, str) else tuple(value)
    for text in texts:
        check_variables(text, tags=tags)
    return texts


def _parse_principal(value: object) -> PrincipalPattern | None:
    if value is None:
        return None
    if value == "*":
        return PrincipalPattern(True, (), ())
    if not isinstance(value, dict) or set(value) - {"AWS", "Service", "Federated", "CanonicalUser"}:
        raise PolicyError(f"'Principal' must be '*' or an object of AWS and Service, not {value!r}")
    aws = _parse_texts(value.get("AWS", ()))
    return PrincipalPattern("*" in aws, aws, _parse_texts(value.get("Service", ())))
