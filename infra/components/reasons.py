"""Record why a finding of cdk-nag is acceptable: the exact id, on the narrowest construct, with a reason."""

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct


def acknowledge(construct: IConstruct, finding: str, reason: str) -> None:
    """Acknowledge one finding on one construct.

    Args:
        construct: where the finding is.
        finding: its exact id, such as ``AwsSolutions-IAM5[Resource::*]``.
        reason: why it is right as it is, in a sentence.
    """
    Validations.of(construct).acknowledge(Acknowledgment(id=finding, reason=reason))
