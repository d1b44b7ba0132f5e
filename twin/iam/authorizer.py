"""Decides calls: each access that a call needs is looked up and evaluated; the first denial is the answer."""

from __future__ import annotations

from collections.abc import Sequence

from twin.iam.evaluator import Policies, evaluate
from twin.iam.model import ACCOUNT_ID, Access, Decision, Principal, PrincipalKind
from twin.iam.principals import service_principal
from twin.iam.sources import PolicySource


class Authorizer:
    """Evaluates accesses against the policies of a source."""

    def __init__(self, source: PolicySource, region: str) -> None:
        self._source = source
        self._region = region
        self.used: set[tuple[str, str]] = set()
        """What was allowed so far: the ARN of a role, and an action."""

    def find_denial(self, principal: Principal, accesses: Sequence[Access]) -> Decision | None:
        """Return the first denial, or None if every access is allowed.

        Raises:
            PolicyError: A policy in force cannot be evaluated.
        """
        for access in accesses:
            decision = self.evaluate(principal, access)
            if not decision.allowed:
                return decision
        return None

    def evaluate(self, principal: Principal, access: Access) -> Decision:
        """Decide one access.

        Raises:
            PolicyError: A policy in force cannot be evaluated.
        """
        identity = (
            self._source.list_role_policies(principal.role_arn)
            if principal.kind is PrincipalKind.ROLE and principal.role_arn
            else ()
        )
        resource = None if principal.unrestricted else self._source.find_resource_policy(access.resource)
        decision = evaluate(principal, access, Policies(identity, resource), self._region)
        if decision.allowed and principal.role_arn:
            self.used.add((principal.role_arn, access.action))
        return decision

    def evaluate_for_service(self, service: str, action: str, resource: str, source_arn: str) -> Decision:
        """Decide what an AWS service does by a resource policy: EventBridge to a queue, API Gateway to a function.

        Raises:
            PolicyError: A policy in force cannot be evaluated.
        """
        context = {"aws:SourceArn": source_arn, "aws:SourceAccount": ACCOUNT_ID}
        return self.evaluate(service_principal(service), Access(action, resource, context))
