"""The smaller services: queues, events, functions, state machines, secrets, keys, logs, metrics, topics, parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote

from twin.iam.classify.call import Call, Classifier, UnknownCall
from twin.iam.model import ACCOUNT_ID, Access, ContextValue

_OF_STREAMS: Final = ("PutLogEvents", "GetLogEvents", "DeleteLogStream")


def _classify_sqs(call: Call) -> Sequence[Access]:
    action = call.action.removesuffix("Batch")
    if "QueueUrl" in call.params:
        return [Access(action, call.format_arn(call.params["QueueUrl"].rstrip("/").rsplit("/", 1)[-1]))]
    if "QueueName" in call.params:
        return [Access(action, call.format_arn(call.params["QueueName"]))]
    return [Access(action, "*")]


def _classify_events(call: Call) -> Sequence[Access]:
    if call.operation != "PutEvents":
        return [Access(call.action, _format_bus_arn(call, call.params.get("EventBusName")))]
    return [
        Access(
            call.action,
            _format_bus_arn(call, entry.get("EventBusName")),
            {"events:source": entry.get("Source", ""), "events:detail-type": entry.get("DetailType", "")},
        )
        for entry in call.params.get("Entries", [])
    ]


def _format_bus_arn(call: Call, name: str | None) -> str:
    return name if name and name.startswith("arn:") else call.format_arn(f"event-bus/{name or 'default'}")


_LAMBDA_ACTIONS: Final = {"Invoke": "InvokeFunction", "InvokeAsync": "InvokeFunction"}


def _classify_lambda(call: Call) -> Sequence[Access]:
    action = f"lambda:{_LAMBDA_ACTIONS.get(call.operation, call.operation)}"
    name = unquote(call.params.get("FunctionName", ""))
    if not name:
        return [Access(action, "*")]
    arn = name if name.startswith("arn:") else call.format_arn(f"function:{name.rsplit('function:', 1)[-1]}")
    qualifier = call.params.get("Qualifier")
    return [Access(action, f"{arn}:{qualifier}" if qualifier and arn.count(":") == 6 else arn)]


_MACHINE_ARNS: Final = (
    "stateMachineArn",
    "executionArn",
    "stateMachineAliasArn",
    "stateMachineVersionArn",
    "mapRunArn",
    "activityArn",
    "resourceArn",
)
_QUALIFIED: Final = 8
"""Parts of the ARN of a version or an alias."""
_TOKEN_OPERATIONS: Final = frozenset(("SendTaskSuccess", "SendTaskFailure", "SendTaskHeartbeat"))


def _classify_states(call: Call) -> Sequence[Access]:
    if call.operation in _TOKEN_OPERATIONS:
        machine = call.resolver.find_token_machine(call.params.get("taskToken", ""))
        return [Access(call.action, machine or call.format_arn("stateMachine:*"), any_resource=machine is None)]
    arn = next((call.params[name] for name in _MACHINE_ARNS if name in call.params), "*")
    if call.operation == "CreateStateMachineAlias":
        routes = call.params.get("routingConfiguration") or [{}]
        arn = routes[0].get("stateMachineVersionArn", "*")
    # The machine's own ARN is the resource; version or alias is a condition key. Source: Step Functions developer
    # guide, "Authorization for versions and aliases".
    machine, qualifier = split_machine(arn)
    return [Access(call.action, machine, {} if qualifier is None else {"states:StateMachineQualifier": (qualifier,)})]


def split_machine(arn: str) -> tuple[str, str | None]:
    """Split a state machine's ARN from the version or alias behind it; other ARNs are returned as they are."""
    parts = arn.split(":")
    if len(parts) == _QUALIFIED and parts[5] == "stateMachine":
        return ":".join(parts[:-1]), parts[-1]
    return arn, None


def _classify_secretsmanager(call: Call) -> Sequence[Access]:
    secret = call.params.get("SecretId") or call.params.get("Name")
    if secret is None:
        return [Access(call.action, "*")]
    arn = call.resolver.find_secret_arn(secret) or (
        secret if secret.startswith("arn:") else call.format_arn(f"secret:{secret}-??????")
    )
    context: dict[str, ContextValue] = {"secretsmanager:SecretId": secret}
    for name in ("VersionId", "VersionStage"):
        if name in call.params:
            context[f"secretsmanager:{name}"] = call.params[name]
    return [Access(call.action, arn, context)]


def _classify_kms(call: Call) -> Sequence[Access]:
    key = call.params.get("KeyId")
    encryption = call.params.get("EncryptionContext") or {}
    context: dict[str, ContextValue] = {f"kms:EncryptionContext:{name}": value for name, value in encryption.items()}
    if encryption:
        context["kms:EncryptionContextKeys"] = tuple(encryption)
    if key is None:
        # Decrypt may leave the key to the ciphertext, which only the key service can read.
        return [Access(call.action, call.format_arn("key/*"), context, any_resource=call.operation == "Decrypt")]
    arn = call.resolver.find_key_arn(key) or (key if key.startswith("arn:") else call.format_arn(f"key/{key}"))
    return [Access(call.action, arn, context)]


def _classify_logs(call: Call) -> Sequence[Access]:
    group = call.params.get("logGroupName") or call.params.get("logGroupIdentifier")
    if group is None:
        return [Access(call.action, "*")]
    name = group.rsplit(":log-group:", 1)[-1].removesuffix(":*")
    stream = call.params.get("logStreamName", "") if call.operation in _OF_STREAMS else ""
    return [Access(call.action, call.format_arn(f"log-group:{name}:log-stream:{stream}"))]


def _classify_cloudwatch(call: Call) -> Sequence[Access]:
    if call.operation == "PutMetricData":
        return [Access(call.action, "*", {"cloudwatch:namespace": call.params.get("Namespace", "")})]
    return [Access(call.action, "*")]


def _classify_ses(call: Call) -> Sequence[Access]:
    sender = call.params.get("FromEmailAddress")
    if call.operation != "SendEmail" or not sender:
        raise UnknownCall(f"the local twin cannot authorise ses:{call.operation}")
    # AWS checks the verified identity that it finds for the sender: its address before its domain.
    arn = call.params.get("FromEmailAddressIdentityArn") or call.format_arn(f"identity/{sender}")
    return [Access(call.action, arn, {"ses:FromAddress": sender})]


def _classify_sns(call: Call) -> Sequence[Access]:
    arn = call.params.get("TopicArn") or call.params.get("TargetArn") or call.params.get("ResourceArn") or "*"
    return [Access(call.action.removesuffix("Batch"), arn)]


def _classify_ssm(call: Call) -> Sequence[Access]:
    names = call.params.get("Names") or [n for n in (call.params.get("Name"), call.params.get("Path")) if n]
    found = [Access(call.action, n if n.startswith("arn:") else _format_parameter_arn(call, n)) for n in names]
    return found or [Access(call.action, "*")]


def _format_parameter_arn(call: Call, name: str) -> str:
    return call.format_arn(f"parameter/{name.strip('/')}")


def _classify_sts(call: Call) -> Sequence[Access]:
    if call.operation == "GetCallerIdentity":
        return []  # needs no permission on AWS, and no policy can deny it
    if call.operation == "AssumeRole":
        return list_assume_accesses(call.params)
    raise UnknownCall(f"the local twin cannot authorise sts:{call.operation}")


_MAX_SESSION_TAGS: Final = 50


def list_assume_accesses(params: Mapping[str, Any]) -> list[Access]:
    """Return what AssumeRole needs of the caller's policies and of the role's trust policy alike.

    Source: IAM user guide, "Pass session tags in AWS STS": whoever passes tags needs sts:TagSession too.
    """
    tags = list_session_tags(params)
    context: dict[str, ContextValue] = {f"aws:RequestTag/{name}": value for name, value in tags}
    if tags:
        context["aws:TagKeys"] = tuple(name for name, _ in tags)
    actions = ("sts:AssumeRole", "sts:TagSession") if tags else ("sts:AssumeRole",)
    return [Access(action, params["RoleArn"], context) for action in actions]


def list_session_tags(params: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return the tags in the parameters of AssumeRole, as the query protocol numbers them."""
    found = []
    for number in range(1, _MAX_SESSION_TAGS + 1):
        name = params.get(f"Tags.member.{number}.Key")
        if name is None:
            break
        found.append((str(name), str(params.get(f"Tags.member.{number}.Value", ""))))
    return tuple(found)


def _classify_xray(call: Call) -> Sequence[Access]:
    return [Access(call.action, "*")]


_API_GATEWAY_VERBS: Final = re.compile(r"^(Get|Create|Import|Put|Update|Delete|Tag|Untag)")
_VERBS: Final = {"Get": "GET", "Create": "POST", "Import": "POST", "Put": "PUT", "Update": "PATCH", "Delete": "DELETE"}


def _classify_apigateway(call: Call) -> Sequence[Access]:
    verb = _API_GATEWAY_VERBS.match(call.operation)
    if verb is None or verb.group(1) not in _VERBS:
        raise UnknownCall(f"the local twin cannot authorise apigateway:{call.operation}")
    api = call.params.get("ApiId", "")
    return [Access(f"apigateway:{_VERBS[verb.group(1)]}", f"arn:aws:apigateway:{call.region}::/apis/{api}")]


def _classify_iam(call: Call) -> Sequence[Access]:
    name = call.params.get("RoleName")
    return [Access(call.action, f"arn:aws:iam::{ACCOUNT_ID}:role/{name}" if name else "*")]


SERVICES: Final[Mapping[str, Classifier]] = {
    "apigateway": _classify_apigateway,
    "cloudwatch": _classify_cloudwatch,
    "events": _classify_events,
    "iam": _classify_iam,
    "kms": _classify_kms,
    "lambda": _classify_lambda,
    "logs": _classify_logs,
    "secretsmanager": _classify_secretsmanager,
    "ses": _classify_ses,
    "sns": _classify_sns,
    "sqs": _classify_sqs,
    "ssm": _classify_ssm,
    "states": _classify_states,
    "sts": _classify_sts,
    "xray": _classify_xray,
}
