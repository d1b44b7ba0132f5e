"""Actions of AWS that a tool needs by its settings: its function's own role is granted exactly these."""

from collections.abc import Sequence
from typing import Literal, Protocol, runtime_checkable

from pydantic import Field

from pentad.domain.values import FrozenValue


class AwsAction(FrozenValue):
    """One action on named resources of the deployment's account and region.

    Args:
        action: one of those that tools that ship need.
        resources: ``service:name``, such as ``ses:identity/example.com``; ``*`` for an action without resources.
        equals: conditions: the request has exactly this value.
    """

    action: Literal["ses:SendEmail", "sns:Publish", "sms-voice:SendTextMessage"]
    resources: tuple[str, ...] = Field(min_length=1, max_length=10)
    equals: dict[str, str] = Field(default={})


@runtime_checkable
class UsesAws(Protocol):
    """Settings by which a tool calls AWS."""

    def list_aws_actions(self) -> Sequence[AwsAction]:
        """Return what the tool's role needs for these settings."""
        ...
