"""Move aliases that an update left under way: further, to the end, or back."""

from collections.abc import Callable
from typing import Any

from twin.deploy.deployment import Deployment, Rollout

ClientFactory = Callable[[str], Any]


def advance(client: ClientFactory, deployment: Deployment) -> None:
    """Do what CloudFormation does after each interval: another part of a linear rollout, all the rest of a canary."""
    for rollout in list(deployment.rollouts):
        step = rollout.percentage if rollout.kind == "LINEAR" else 100
        _set_share(client, deployment, rollout, min(100, rollout.shifted + step))


def finish(client: ClientFactory, deployment: Deployment) -> None:
    """Let every alias lead to its new version only."""
    for rollout in list(deployment.rollouts):
        _set_share(client, deployment, rollout, 100)


def rollback(client: ClientFactory, deployment: Deployment) -> None:
    """Let every alias that is under way lead to its former version only, as an alarm makes CloudFormation do."""
    for rollout in list(deployment.rollouts):
        _set_share(client, deployment, rollout, 0)


def _set_share(client: ClientFactory, deployment: Deployment, rollout: Rollout, share: int) -> None:
    weights = {rollout.after: share, rollout.before: 100 - share}
    routes = [{"stateMachineVersionArn": arn, "weight": weight} for arn, weight in weights.items() if weight]
    client("stepfunctions").update_state_machine_alias(
        stateMachineAliasArn=rollout.alias_arn, routingConfiguration=routes
    )
    rollout.shifted = share
    if share in (0, 100):
        deployment.rollouts.remove(rollout)
