"""Whether a stage keeps what people and models said in a log, of which agents and for how long, as cdk.json says it."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from infra.retention import LOG_DAYS
from pentad.domain.errors import ConfigurationError

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
        raise ConfigurationError("cdk.json: contents: 'agents' is no list of names of agents", fix=_FIX)
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
            f"cdk.json: contents: there is no agent {', '.join(map(repr, unknown))}", fix=f"name {', '.join(agents)}"
        )
