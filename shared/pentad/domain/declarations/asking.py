"""Who decides where something waits for a human, and what happens where nobody does."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationInfo, field_validator

from pentad.domain.values import FrozenValue

GROUP_PATTERN = r"^[a-z][a-z0-9-]{0,30}$"
"""A group of humans: whoever its members are, its name stands in approvals, keys and notices."""
GroupName = Annotated[str, StringConstraints(pattern=GROUP_PATTERN)]
DEFAULT_GROUP = "operators"
"""The group that is asked where a definition names none."""
Expiry = Literal["reject", "approve", "escalate"]
_DAY = 86_400
_YEAR = 31_536_000


def next_groups(groups: tuple[str, ...], on_expiry: str | None) -> tuple[str, ...]:
    """Return the groups asked next.

    Raises:
        ValueError: there is none, though an approval that nobody decides on has to go to one.
    """
    if on_expiry == "escalate" and not groups:
        raise ValueError("on_expiry is escalate: name at least one group to ask next")
    return groups


def is_four_eyes(not_requester: bool | None, quorum: int) -> bool:
    """Tell whether others than who asked for the run have to decide: as said, else where several decide."""
    return quorum > 1 if not_requester is None else not_requester


class AskingStep(FrozenValue):
    """What a step that may ask a human says of it."""

    group: GroupName = Field(default=DEFAULT_GROUP, description="who is asked first")
    quorum: int = Field(default=1, ge=1, le=20, description="so many have to approve")
    seconds: int = Field(default=_DAY, ge=60, le=_YEAR, description="how long one group is asked")
    on_expiry: Expiry = "reject"
    escalate_to: tuple[GroupName, ...] = Field(default=(), max_length=5, validate_default=True)
    remind_seconds: int | None = Field(default=None, ge=60)
    not_requester: bool | None = Field(
        default=None,
        description="who asked for the run can't approve or edit it, nor hand it on; on where quorum is over 1",
    )

    @property
    def four_eyes(self) -> bool:
        """Whether others than who asked for the run have to decide."""
        return is_four_eyes(self.not_requester, self.quorum)

    @field_validator("escalate_to")
    @classmethod
    def _check_next_group(cls, groups: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        return next_groups(groups, info.data.get("on_expiry"))


class Approvers(FrozenValue):
    """Who approves a tool's calls outside of agents; what is left out is that of the strictest agent with the tool."""

    group: GroupName | None = None
    quorum: int | None = Field(default=None, ge=1, le=20)
    seconds: int | None = Field(default=None, ge=60, le=_YEAR)
    on_expiry: Expiry | None = None
    escalate_to: tuple[GroupName, ...] = Field(default=(), max_length=5)
    remind_seconds: int | None = Field(default=None, ge=60)
    not_requester: bool | None = None
