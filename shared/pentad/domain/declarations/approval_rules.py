"""When a tool's call needs a human: rules over its arguments, whose call it is, taint, confidence and sums.

    approval=[
        Ask(when=over("amount", 50), unless=for_users("dispatch-bot")),
        AskWhenSum("amount", above=200, per="user", every="day", currency="currency"),
    ]

A call asks if one of the rules asks. A condition holds, does not hold, or can't be told: a value that is missing, no
number, not finite, below zero or too large can't be compared. What can't be told asks, in ``when`` and in ``unless``.
"""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Annotated, Literal

from pydantic import Field, field_validator

from pentad.domain.errors import ConfigurationError
from pentad.domain.values import FrozenValue

MOST = Decimal(10) ** 15
"""Amounts beyond it are not compared: a human looks at them."""
SUM_DIGITS = 9
"""Sums are kept in billionths, as integers."""
Path = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*){0,5}$", max_length=200)]
"""Where a value stands in the arguments, such as ``order.amount``; of a list each entry is looked at."""
Words = Annotated[tuple[str, ...], Field(min_length=1, max_length=100)]


class NumberIs(FrozenValue):
    """A number of the arguments is over or under a limit."""

    kind: Literal["number"] = "number"
    argument: Path
    compare: Literal["over", "under"]
    limit: Decimal = Field(allow_inf_nan=False, ge=-MOST, le=MOST)


class TextIs(FrozenValue):
    """A text of the arguments is one of some, or ends like one of them; letters' case does not count."""

    kind: Literal["text"] = "text"
    argument: Path
    compare: Literal["among", "ends_with"]
    words: Words


class CallIsFor(FrozenValue):
    """The call is for one of these tenants or users."""

    kind: Literal["for"] = "for"
    whom: Literal["tenant", "user"]
    names: Words


class ContextIsTainted(FrozenValue):
    """Text from outside is in the context, of one of these sources; of any where none is named."""

    kind: Literal["tainted"] = "tainted"
    sources: tuple[str, ...] = Field(default=(), max_length=50)


class TurnIsUnsure(FrozenValue):
    """The turn's confidence is below a limit; of an agent that rates no turns it can't be told."""

    kind: Literal["unsure"] = "unsure"
    below: float = Field(gt=0, le=1)


Condition = Annotated[
    NumberIs | TextIs | CallIsFor | ContextIsTainted | TurnIsUnsure,
    Field(discriminator="kind"),
]


def _to_tuple(value: object) -> tuple[object, ...]:
    if value is None:
        return ()
    return tuple(value) if isinstance(value, list | tuple) else (value,)


class Ask(FrozenValue):
    """Ask where all of ``when`` may hold and none of ``unless`` surely does."""

    kind: Literal["ask"] = "ask"
    when: tuple[Condition, ...] = Field(min_length=1, max_length=10)
    unless: tuple[Condition, ...] = Field(default=(), max_length=10)

    @field_validator("when", "unless", mode="before")
    @classmethod
    def _take_one(cls, value: object) -> object:
        given = _to_tuple(value)
        for one in given:
            if not isinstance(one, FrozenValue | dict):  # a dict: as it is stored
                raise ValueError(f"{one!r:.60} is no condition: write over(), under(), among() or another one")
        return given


class AskWhenSum(FrozenValue):
    """Ask where a number, added up over the calls of a time, exceeds a limit.

    Calls count when they run, also where they fail; one that is undone is given back. Amounts of different currencies
    are never added up: each currency has its own sum, with the same limit.
    """

    kind: Literal["sum"] = "sum"
    argument: Path
    above: Decimal = Field(allow_inf_nan=False, ge=0, le=MOST)
    per: Literal["user", "session", "tenant"] = "user"
    every: Literal["hour", "day", "month"] = Field(default="day", description="of UTC")
    currency: Path | None = Field(default=None, description="the argument that says which currency the amount is in")

    def __init__(self, argument: str | None = None, /, **values: object) -> None:
        # The argument's name may stand first: AskWhenSum("amount", above=200).
        super().__init__(**({} if argument is None else {"argument": argument}), **values)

    @property
    def sum_of(self) -> tuple[str, ...]:
        """What is added up: of a tool no two rules have the same."""
        return (self.argument, self.per, self.every, *(() if self.currency is None else (self.currency,)))


ApprovalRule = Annotated[Ask | AskWhenSum, Field(discriminator="kind")]
ApprovalRules = Annotated[tuple[ApprovalRule, ...], Field(min_length=1, max_length=20)]


def _read_limit(name: str, argument: object, limit: object) -> Decimal:
    try:
        return Decimal(str(limit))
    except InvalidOperation:
        raise ConfigurationError(
            f"{name}({argument!r:.60}, {limit!r:.60}) has a limit that is no number",
            field="approval",
            fix=f'name the argument first, then the number: {name}("amount", 50)',
        ) from None


def over(argument: str, limit: Decimal | float | int | str) -> NumberIs:
    """Return the condition that a number is over a limit."""
    return NumberIs(argument=argument, compare="over", limit=_read_limit("over", argument, limit))


def under(argument: str, limit: Decimal | float | int | str) -> NumberIs:
    """Return the condition that a number is under a limit."""
    return NumberIs(argument=argument, compare="under", limit=_read_limit("under", argument, limit))


def among(argument: str, words: Sequence[str]) -> TextIs:
    """Return the condition that a text, or each of a list, is one of some."""
    return TextIs(argument=argument, compare="among", words=tuple(words))


def ends_with(argument: str, *words: str) -> TextIs:
    """Return the condition that a text, or each of a list, ends like one of some: ``ends_with("to", "@acme.eu")``."""
    return TextIs(argument=argument, compare="ends_with", words=words)


def for_users(*names: str) -> CallIsFor:
    """Return the condition that the call is for one of these users."""
    return CallIsFor(whom="user", names=names)


def for_tenants(*names: str) -> CallIsFor:
    """Return the condition that the call is for one of these tenants."""
    return CallIsFor(whom="tenant", names=names)


def has_taint(*sources: str) -> ContextIsTainted:
    """Return the condition that text from outside is in the context."""
    return ContextIsTainted(sources=sources)


def unsure(below: float) -> TurnIsUnsure:
    """Return the condition that the turn's confidence is below a limit."""
    return TurnIsUnsure(below=below)
