"""Whether a stage keeps what people and models said in a log, of which agents and for how long, as cdk.json says it."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from aws_cdk import ArnFormat, Stack
from constructs import IConstruct

from infra.retention import LOG_DAYS
from pentad.domain.errors import ConfigurationError
from pentad.observability.logs.run_lines import CONTENTS

RETENTIONS: Final = {days: LOG_DAYS[days] for days in (1, 3, 7, 14, 30, 60, 90, 180, 365)}
"""Of CloudWatch's retentions, in days: what was said is kept for a year at most."""
_FIX: Final = 'write {"agents": ["assistant"], "days": 7} and, for names too, "names": "comprehend"'


@dataclass(frozen=True, kw_only=True)
class ContentsLog:
    """The log of contents of one stage.

    Attributes:
        agents: whose runs; a workflow's steps are runs of their agents.
        days: how long a line is kept.
        names: who finds names and addresses in it: ``comprehend``, or None for nobody.
    """

    agents: tuple[str, ...]
    days: int
    names: str | None


def name_group(prefix: str) -> str:
    """Return the name of a stage's log group of contents, whether the stage has one or not."""
    return CONTENTS.format(prefix=prefix)


def format_group_arn(scope: IConstruct, prefix: str, suffix: str = "") -> str:
    """Return the ARN of a stage's log group of contents.

    Args:
        scope: in the stack.
        prefix: the stage's.
        suffix: what stands behind it: ``:*`` for the group as most actions see it, with its streams.
    """
    return Stack.of(scope).format_arn(
        service="logs",
        resource="log-group",
        resource_name=f"{name_group(prefix)}{suffix}",
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )


def name_finding(prefix: str, suffix: str) -> str:
    """Return what cdk-nag calls a grant on `format_group_arn` with a wildcard."""
    arn = "arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:log-group:"
    return f"AwsSolutions-IAM5[Resource::{arn}{name_group(prefix)}{suffix}]"


def read_contents(value: Any) -> ContentsLog:
    """Return what a project's cdk.json says of a stage: ``{"agents": [...], "days": 7, "names": "comprehend"}``.

    Raises:
        ConfigurationError: it is not well formed.
    """
    given = value if isinstance(value, dict) else {}
    if not {"agents", "days"} <= set(given) <= {"agents", "days", "names"}:
        raise ConfigurationError("cdk.json: contents: a stage has agents and days", fix=_FIX)
    agents, days, names = given["agents"], given["days"], given.get("names")
    if not isinstance(agents, list) or not agents or not all(isinstance(one, str) and one for one in agents):
        raise ConfigurationError("cdk.json: contents: 'agents' is not a list of names of agents", fix=_FIX)
    if type(days) is not int or days not in RETENTIONS:
        raise ConfigurationError(
            f"cdk.json: contents: 'days' is {days!r}", fix=f"use one of {', '.join(map(str, RETENTIONS))}"
        )
    if names not in (None, "comprehend"):
        raise ConfigurationError(f"cdk.json: contents: 'names' is {names!r}", fix="write 'comprehend', or leave it out")
    return ContentsLog(agents=tuple(sorted(set(agents))), days=days, names=names)


def check_agents(wanted: ContentsLog, agents: Collection[str]) -> None:
    """Return if a project has the agents whose contents are asked for.

    Raises:
        ConfigurationError: it has not.
    """
    unknown = sorted(set(wanted.agents) - set(agents))
    if unknown:
        raise ConfigurationError(
            f"cdk.json: contents: no agent {', '.join(map(repr, unknown))}", fix=f"name {', '.join(agents)}"
        )
