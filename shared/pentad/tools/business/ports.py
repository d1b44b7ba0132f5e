"""What business tools need of a system of record: its records, and its calendar."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Protocol

from pydantic import Field, JsonValue

from pentad.domain.values import FrozenValue

Operator = Literal["=", "!=", "<", "<=", ">", ">=", "contains", "in"]


_Text = Annotated[str, Field(max_length=1_000)]


class Condition(FrozenValue):
    """One condition of a search; all conditions of a search have to hold.

    Args:
        field: the vendor's name of the field.
        operator: ``contains`` compares text without case; ``in`` takes a list.
        value: what it is compared with; null is only for ``=`` and ``!=``.
    """

    field: str = Field(min_length=1, max_length=100, description="the field's name, as it is written in results")
    operator: Operator = "="
    value: _Text | int | float | bool | list[_Text | int | float] | None = Field(
        description="text, a number, true, false, null, an ISO date, or a list for 'in'"
    )


class BusinessRecord(FrozenValue):
    """A record of a vendor's system, as far as the settings let it be read."""

    kind: str
    record_id: str
    fields: Mapping[str, JsonValue]
    version: str | None = Field(default=None, description="changes with each change of the record")


class BusinessPage(FrozenValue):
    """Records that were found."""

    records: tuple[BusinessRecord, ...]
    after: str | None = Field(default=None, description="gives the next page; null where there is none")


class BusinessRecords(Protocol):
    """Records of a vendor's system. Kinds and fields were checked before: they are names of the vendor's."""

    def search(
        self, kind: str, conditions: Sequence[Condition], fields: Sequence[str], *, limit: int, after: str | None
    ) -> BusinessPage:
        """Return a page of records for which all conditions hold.

        Raises:
            InvalidInput: the vendor can't search so.
            ToolThrottled, ToolUnavailable, ToolFailed, ConfigurationError: see `VendorApi.ask`.
        """
        ...

    def read(self, kind: str, record_id: str, fields: Sequence[str]) -> BusinessRecord:
        """Return a record.

        Raises:
            NotFound: there is none.
            ToolThrottled, ToolUnavailable, ToolFailed, ConfigurationError: see `VendorApi.ask`.
        """
        ...

    def find_marked(self, kind: str, field: str, marker: str) -> str | None:
        """Return the id of the record that an earlier try made with this marker, or None.

        It sees what was created a moment ago, unlike a search by an index.

        Raises:
            ToolThrottled, ToolUnavailable, ToolFailed, ConfigurationError: see `VendorApi.ask`.
        """
        ...

    def create(self, kind: str, fields: Mapping[str, Any]) -> str:
        """Make a record and return its id.

        Raises:
            ToolUnavailable: it may have been made.
            ToolThrottled, ToolFailed, ConfigurationError: nothing was made; see `VendorApi.ask`.
        """
        ...

    def update(self, kind: str, record_id: str, fields: Mapping[str, Any], *, version: str | None) -> None:
        """Change fields of a record, all or none; where the vendor can, only while it has this version.

        Raises:
            RecordChanged: it has another version; nothing was changed.
            ToolUnavailable: it may have been changed.
            NotFound, ToolThrottled, ToolFailed, ConfigurationError: nothing was changed; see `VendorApi.ask`.
        """
        ...

    def shape(self, value: Any) -> Any:
        """Return a value in the form in which the vendor gives it back once it was written, if it keeps it as it is."""
        ...

    def remove(self, kind: str, record_id: str, *, version: str | None) -> None:
        """Remove a record in the way of the vendor from which a human can get it back, if it has one.

        Raises:
            RecordChanged: it has another version; nothing was removed.
            ToolUnavailable: it may have been removed.
            NotFound, ToolThrottled, ToolFailed, ConfigurationError: nothing was removed; see `VendorApi.ask`.
        """
        ...

    def call(self, kind: str, record_id: str, method: str) -> None:
        """Call a method of a record, such as the one that cancels an order.

        Raises:
            ToolUnavailable: it may have been done.
            ToolThrottled, ToolFailed, ConfigurationError: nothing was done; see `VendorApi.ask`.
        """
        ...


class RemovableRecords(BusinessRecords, Protocol):
    """Records that are gone once they are removed, and that the vendor keeps for a while where only a human gets them.

    Attributes:
        removed_to: where that is, and for how long, in words for the model.
    """

    removed_to: str

    def is_removed(self, kind: str, record_id: str) -> bool:
        """Tell whether a record that can't be read was removed; False where there never was one, or no longer.

        Raises:
            ToolThrottled, ToolUnavailable, ToolFailed, ConfigurationError: see `VendorApi.ask`.
        """
        ...
