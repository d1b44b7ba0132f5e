"""The event bus of a stage: whose events are the stack's own, and nobody else's."""

from typing import Final

from aws_cdk import CfnResource
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct

from pentad.orchestration.runs.ports import SOURCE

_SEAL: Final = "OwnEventsByTheStackAlone"


class StageBus(events.EventBus):
    """A bus on which producers put requests, and functions of the stack what they tell each other."""

    def __init__(self, scope: Construct, name: str, *, prefix: str) -> None:
        """Make the bus.

        Args:
            scope: the parent.
            name: the construct's id.
            prefix: the stage's prefix, which is the bus's name.
        """
        super().__init__(scope, name, event_bus_name=prefix, description="Pentad's events")
        self._senders: list[str] = []

    def grant_sending(self, role: iam.Role) -> None:
        """Let a role of the stack send the stack's own events."""
        role.add_to_policy(iam.PolicyStatement(actions=["events:PutEvents"], resources=[self.event_bus_arn]))
        self._senders.append(role.role_arn)

    def refuse_others(self) -> None:
        """Let nobody but these roles send events of the stack's source, whatever the rights of others say.

        Call it once, after all roles are there. The condition key of the source: "Using IAM policy conditions in Amazon
        EventBridge"; a denial in a bus's policy holds within the account too (IAM's "Policy evaluation logic").

        Raises:
            ValueError: no role may send, so that the policy would refuse everybody.
        """
        if not self._senders:
            raise ValueError("no role may send events to the bus: call `grant_sending` before `refuse_others`")
        statement = iam.PolicyStatement(
            sid=_SEAL,
            effect=iam.Effect.DENY,
            principals=[iam.AnyPrincipal()],
            actions=["events:PutEvents"],
            resources=[self.event_bus_arn],
            conditions={
                "StringEquals": {"events:source": SOURCE},
                "ArnNotEquals": {"aws:PrincipalArn": list(self._senders)},
            },
        )
        # As plain CloudFormation: the CDK (2.275) warns of a deprecated property that its own classes read.
        wanted = {"EventBusName": self.event_bus_name, "StatementId": _SEAL, "Statement": statement.to_json()}
        CfnResource(self, "policy", type="AWS::Events::EventBusPolicy", properties=wanted)
