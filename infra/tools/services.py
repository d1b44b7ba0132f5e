"""What a tool's role may do at services of AWS, by the tool's settings: to send by SES, SNS or End User Messaging."""

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from pydantic import BaseModel

from pentad.tools.outside.aws_actions import AwsAction, UsesAws


def grant_services(role: iam.IRole, settings: BaseModel | None) -> None:
    """Let a tool's role do what its settings need, on the resources that they name, and nothing else.

    Args:
        role: of the tool's function.
        settings: the tool's; None where it has none.
    """
    actions: Sequence[AwsAction] = settings.list_aws_actions() if isinstance(settings, UsesAws) else ()
    for one in actions:
        role.add_to_principal_policy(_build_statement(role, one))


def _build_statement(role: iam.IRole, one: AwsAction) -> iam.PolicyStatement:
    conditions = {"StringEquals": one.equals} if one.equals else None
    if one.resources == ("*",):
        # A text message to a number has no resource. Topics have: none of them is reached.
        topics = Stack.of(role).format_arn(service="sns", resource="*", region="*", account="*")
        return iam.PolicyStatement(actions=[one.action], not_resources=[topics], conditions=conditions)
    resources = []
    for name in one.resources:
        service, _, rest = name.partition(":")
        resources.append(Stack.of(role).format_arn(service=service, resource=rest))
    return iam.PolicyStatement(actions=[one.action], resources=resources, conditions=conditions)
