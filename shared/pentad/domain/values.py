"""Base classes of values: frozen, and pages of them."""

from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

T = TypeVar("T")


class FrozenValue(BaseModel):
    """A value that never changes and refuses fields that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Page(FrozenValue, Generic[T]):
    """One page of a list."""

    items: tuple[T, ...]
    cursor: str | None = Field(default=None, description="give it back for the next page; none on the last")
