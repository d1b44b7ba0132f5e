"""Condition blocks of policies: the operators used in practice, and the keys the twin can tell the truth about.

An operator or key that is not known here is an error when the policy is read, never silently true.
Source: IAM user guide, "IAM JSON policy elements: Condition operators" and "multiple context keys or values".
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from twin.iam.model import ContextValue, PolicyError, UnsupportedPolicy
from twin.iam.patterns import check_variables, expand_escapes, match_arn, match_pattern, resolve_variables

Test = Callable[[str, str], bool]
"""Takes the policy's value and the request's."""


def _match_bool(wanted: str, given: str) -> bool:
    return wanted.lower() == given.lower()


def _build_number_test(compare: Callable[[float, float], bool]) -> Test:
    def test(wanted: str, given: str) -> bool:
        try:
            return compare(float(given), float(wanted))
        except ValueError:
            return False

    return test


def _parse_time(text: str) -> datetime:
    if text.isdigit():
        return datetime.fromtimestamp(int(text), UTC)
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _build_date_test(compare: Callable[[datetime, datetime], bool]) -> Test:
    def test(wanted: str, given: str) -> bool:
        try:
            return compare(_parse_time(given), _parse_time(wanted))
        except ValueError:
            return False

    return test


def _is_in_network(wanted: str, given: str) -> bool:
    try:
        return ipaddress.ip_address(given) in ipaddress.ip_network(wanted, strict=False)
    except ValueError:
        return False


_TESTS: Final[Mapping[str, Test]] = {
    "StringEquals": lambda wanted, given: expand_escapes(wanted) == given,
    "StringEqualsIgnoreCase": lambda wanted, given: expand_escapes(wanted).lower() == given.lower(),
    "StringLike": match_pattern,
    "ArnEquals": match_arn,
    "ArnLike": match_arn,
    "Bool": _match_bool,
    "IpAddress": _is_in_network,
    "NumericEquals": _build_number_test(lambda given, wanted: given == wanted),
    "NumericLessThan": _build_number_test(lambda given, wanted: given < wanted),
    "NumericLessThanEquals": _build_number_test(lambda given, wanted: given <= wanted),
    "NumericGreaterThan": _build_number_test(lambda given, wanted: given > wanted),
    "NumericGreaterThanEquals": _build_number_test(lambda given, wanted: given >= wanted),
    "DateEquals": _build_date_test(lambda given, wanted: given == wanted),
    "DateLessThan": _build_date_test(lambda given, wanted: given < wanted),
    "DateLessThanEquals": _build_date_test(lambda given, wanted: given <= wanted),
    "DateGreaterThan": _build_date_test(lambda given, wanted: given > wanted),
    "DateGreaterThanEquals": _build_date_test(lambda given, wanted: given >= wanted),
}
_NEGATED: Final[Mapping[str, str]] = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NotIpAddress": "IpAddress",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
}

KNOWN_KEYS: Final = frozenset(
    key.lower()
    for key in (
        "aws:CurrentTime",
        "aws:EpochTime",
        "aws:PrincipalAccount",
        "aws:PrincipalArn",
        "aws:PrincipalIsAWSService",
        "aws:PrincipalServiceName",
        "aws:RequestedRegion",
        "aws:ResourceAccount",
        "aws:SecureTransport",
        "aws:SourceAccount",
        "aws:SourceArn",
        "aws:SourceIp",
        "aws:SourceOwner",
        "aws:TagKeys",
        "aws:ViaAWSService",
        "cloudwatch:namespace",
        "dynamodb:EnclosingOperation",
        "dynamodb:LeadingKeys",
        "dynamodb:ReturnValues",
        "dynamodb:Select",
        "events:detail-type",
        "events:source",
        "kms:CallerAccount",
        "kms:EncryptionContextKeys",
        "kms:ViaService",
        "lambda:FunctionArn",
        "s3:delimiter",
        "s3:max-keys",
        "s3:prefix",
        "s3:ResourceAccount",
        "s3:TlsVersion",
        "s3:VersionId",
        "s3:x-amz-acl",
        "s3:x-amz-server-side-encryption",
        "s3:x-amz-server-side-encryption-aws-kms-key-id",
        "secretsmanager:SecretId",
        "secretsmanager:VersionId",
        "secretsmanager:VersionStage",
        "ses:FromAddress",
        "states:StateMachineQualifier",
    )
)
KNOWN_PREFIXES: Final = ("kms:encryptioncontext:", "aws:principaltag/", "aws:requesttag/")


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator on one key. `quantifier` is "", "ForAllValues" or "ForAnyValue"."""

    operator: str
    quantifier: str
    if_exists: bool
    key: str
    values: tuple[str, ...]

    def is_met(self, context: Mapping[str, ContextValue]) -> bool:
        """Tell whether the condition holds; `context` has lower-case keys."""
        given = context.get(self.key)
        if self.operator == "Null":
            absent = given is None
            return any(absent == (value.lower() == "true") for value in self.values)
        if given is None:
            return self._is_met_without_key()
        values = (given,) if isinstance(given, str) else given
        if self.quantifier == "ForAnyValue":
            return any(self._match_value(value, context) for value in values)
        # Several values without a quantifier is undefined in IAM: all must pass, the strict reading.
        return all(self._match_value(value, context) for value in values)

    def _is_met_without_key(self) -> bool:
        if self.quantifier == "ForAnyValue":
            return False
        return self.if_exists or self.quantifier == "ForAllValues" or self.operator in _NEGATED

    def _match_value(self, given: str, context: Mapping[str, ContextValue]) -> bool:
        negated = self.operator in _NEGATED
        test = _TESTS[_NEGATED[self.operator] if negated else self.operator]
        resolved = (resolve_variables(wanted, context) for wanted in self.values)
        return any(test(wanted, given) for wanted in resolved if wanted is not None) != negated


def parse_conditions(block: Mapping[str, Mapping[str, object]]) -> tuple[Condition, ...]:
    """Read a Condition block.

    Raises:
        UnsupportedPolicy: An operator, key or variable that is not known here.
        PolicyError: The block has another shape.
    """
    return tuple(
        _parse_condition(operator, key, values) for operator, keys in block.items() for key, values in keys.items()
    )


def _parse_condition(operator: str, key: str, values: object) -> Condition:
    quantifier, _, name = operator.rpartition(":")
    if_exists = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    if quantifier not in ("", "ForAllValues", "ForAnyValue"):
        raise UnsupportedPolicy(f"the local twin does not support the condition operator '{operator}'")
    if name not in _TESTS and name not in _NEGATED and name != "Null":
        raise UnsupportedPolicy(f"the local twin does not support the condition operator '{operator}'")
    lowered = key.lower()
    if lowered not in KNOWN_KEYS and not lowered.startswith(KNOWN_PREFIXES):
        raise UnsupportedPolicy(f"the local twin does not support the condition key '{key}'")
    texts = tuple(_format_value(value) for value in (values if isinstance(values, list) else [values]))
    for text in texts:
        check_variables(text, tags=True)
    return Condition(name, quantifier, if_exists, lowered, texts)


def _format_value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise PolicyError(f"a condition value must be a string, number or boolean, not {value!r}")
