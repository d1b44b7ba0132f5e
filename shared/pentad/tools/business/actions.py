"""Find, create, change and cancel business records, each once, and take it back only where nobody changed it since."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import JsonValue

from pentad.domain.errors import (
    EffectUncertain,
    InvalidInput,
    NotFound,
    PentadError,
    PolicyDenied,
    RecordChanged,
    ToolFailed,
    ToolUnavailable,
)
from pentad.domain.values import FrozenValue
from pentad.tools.business.ports import BusinessPage, BusinessRecord, BusinessRecords, Condition
from pentad.tools.business.settings import RecordSettings
from pentad.tools.outside.vendor_api import begin_with_look

MAX_PAGE = 100
_LOOK = "check the record before asking again"


class ChangedRecord(FrozenValue):
    """What the model is told of a record that was made or changed.

    Args:
        kind: of the record.
        record_id: the vendor's id.
        fields: as they stand now.
        version: as it stands now.
        note: what was not as usual.
    """

    kind: str
    record_id: str
    fields: Mapping[str, JsonValue]
    version: str | None = None
    note: str | None = None


class RecordUndo(FrozenValue):
    """What taking a change back needs: the fields before and after it, and nothing else of the record."""

    kind: str
    record_id: str
    before: Mapping[str, JsonValue] | None = None
    after: Mapping[str, JsonValue] = {}
    version: str | None = None


Done = tuple[ChangedRecord, RecordUndo | None]
"""What the model is told, and what the undo needs; None where it can't be undone."""


class RecordActions:
    """What business tools do with records.

    Args:
        records: the vendor's.
        settings: which kinds and fields may be touched.
    """

    def __init__(self, records: BusinessRecords, settings: RecordSettings) -> None:
        self._records = records
        self._settings = settings

    def find(
        self,
        kind: str,
        *,
        record_id: str | None = None,
        conditions: Sequence[Condition] = (),
        fields: Sequence[str] = (),
        limit: int = 20,
        after: str | None = None,
    ) -> BusinessPage:
        """Return one record, or a page of those for which the conditions hold.

        Raises:
            InvalidInput, PolicyDenied: the kind, a field or a condition can't be.
            NotFound: there is no record with this id.
            ToolThrottled, ToolUnavailable, ToolFailed, ConfigurationError: of the vendor.
        """
        asked = tuple(fields) or self._settings.get_kind(kind).read
        self._settings.check_fields(kind, (*asked, *(one.field for one in conditions)))
        for one in conditions:
            _check_condition(one)
        if record_id is None:
            return self._records.search(kind, conditions, asked, limit=limit, after=after)
        for name, given in (("conditions", conditions), ("after", after)):
            if given:
                raise InvalidInput(f"'record_id' and '{name}' are both given", field=name, fix="give one")
        return BusinessPage(records=(self._records.read(kind, record_id, asked),))

    def create(self, kind: str, fields: Mapping[str, Any], *, effect_key: str, again: bool) -> Done:
        """Make a record once.

        Args:
            kind: of the record.
            fields: its values.
            effect_key: of the call; kept in the marker's field.
            again: an earlier try of the same call may have made it.

        Raises:
            InvalidInput, PolicyDenied: the settings don't allow it.
            EffectUncertain: an earlier try may have made it, and no marker tells, or it can't be looked for.
            ToolThrottled, ToolFailed, ConfigurationError: nothing was made.
            ToolUnavailable: it may have been made; the next try looks.
        """
        settings = self._settings.get_kind(kind)
        if not settings.create:
            raise PolicyDenied(f"no tool may create a '{kind}'", fix="let an operator say 'create: true' in tools.yaml")
        self._settings.check_fields(kind, tuple(fields), write=True)
        if not fields:
            raise InvalidInput("the new record has no fields", field="fields", fix="give at least one")
        if settings.marker is None:
            if again:
                raise _make_uncertain(f"an earlier try may have made the '{kind}'")
            return self._tell_created(kind, self._records.create(kind, fields), fields)
        found = None
        if again:
            with begin_with_look(again=again):
                found = self._records.find_marked(kind, settings.marker, effect_key)
        made = found or self._records.create(kind, {**fields, settings.marker: effect_key})
        return self._tell_created(kind, made, fields)

    def update(self, kind: str, record_id: str, fields: Mapping[str, Any], *, version: str | None, again: bool) -> Done:
        """Change fields of a record once.

        Args:
            kind: of the record.
            record_id: the vendor's id.
            fields: the new values.
            version: it is changed only while it has this one; None changes it as it is.
            again: an earlier try of the same call may have changed it.

        Raises:
            InvalidInput, PolicyDenied: the settings don't allow it.
            NotFound: there is no such record.
            RecordChanged: it has another version.
            EffectUncertain: an earlier try was cut off, and the record is not as this call would have left it, nor
                known to be as it was before.
            ToolThrottled, ToolFailed, ConfigurationError: nothing was changed.
            ToolUnavailable: it may have been changed; the next try looks.
        """
        self._settings.check_fields(kind, tuple(fields), write=True)
        if not fields:
            raise InvalidInput("no fields to change", field="fields", fix="give at least one")
        with begin_with_look(again=again):
            before = self._records.read(kind, record_id, tuple(fields))
        if self._is_kept(before.fields, fields):
            note = (
                "an earlier try did it: it can't be undone"
                if again
                else "it already has these values: nothing was changed"
            )
            return self._tell(before, note), None
        if again and (version is None or before.version != version):
            raise _make_uncertain(f"an earlier try may have changed the '{kind}', and it is not as asked for now")
        if version is not None and before.version != version:
            raise RecordChanged(f"the '{kind}' was changed since it was read; nothing was done", fix="read it again")
        try:
            self._records.update(kind, record_id, fields, version=before.version)
        except ToolUnavailable as error:
            after = self._look_after(error, before, fields)
        else:
            after = self._read_after(kind, record_id, fields)
        undo = RecordUndo(kind=kind, record_id=record_id, before=dict(before.fields), after=dict(after.fields))
        return self._tell(after, None), undo

    def cancel(self, kind: str, record_id: str, *, again: bool) -> Done:
        """Cancel a record by the method that the settings name.

        Raises:
            InvalidInput, PolicyDenied: the settings name none.
            NotFound: there is no such record.
            EffectUncertain: it may have been cancelled.
            ToolThrottled, ToolFailed, ConfigurationError: nothing was done.
        """
        settings = self._settings.get_kind(kind)
        if settings.cancel is None:
            raise PolicyDenied(f"no tool may cancel a '{kind}'", fix="let an operator name 'cancel' in tools.yaml")
        if again:
            raise _make_uncertain(f"an earlier try may have cancelled the '{kind}'")
        with begin_with_look(again=again):
            self._records.read(kind, record_id, settings.read)
        try:
            self._records.call(kind, record_id, settings.cancel)
        except ToolUnavailable as error:
            raise _make_uncertain(error.message) from error
        after = self._read_after(kind, record_id, dict.fromkeys(settings.read))
        undo = RecordUndo(kind=kind, record_id=record_id, version=after.version)
        return self._tell(after, None), undo if settings.uncancel and after.version else None

    def undo_create(self, data: RecordUndo) -> None:
        """Remove a record that nobody changed since it was made; one that is gone is no error.

        Raises:
            ToolFailed: it was changed since, or can't be removed; nothing was removed.
            ToolThrottled, ToolUnavailable, ConfigurationError: of the vendor.
        """
        try:
            found = self._records.read(data.kind, data.record_id, tuple(data.after))
            if found.version != data.version:
                raise _make_kept(data.kind)
            self._records.remove(data.kind, data.record_id, version=found.version)
        except NotFound:
            return
        except RecordChanged as error:
            raise _make_kept(data.kind) from error

    def undo_update(self, data: RecordUndo) -> None:
        """Give changed fields their values from before, if they stand as the change left them.

        Raises:
            ToolFailed: they were changed since, or the record is gone; nothing was changed.
            ToolThrottled, ToolUnavailable, ConfigurationError: of the vendor.
        """
        before = data.before or {}
        try:
            found = self._records.read(data.kind, data.record_id, tuple(before))
            if self._is_kept(found.fields, before):
                return
            if not self._is_kept(found.fields, data.after):
                raise _make_kept(data.kind)
            self._records.update(data.kind, data.record_id, before, version=found.version)
        except (NotFound, RecordChanged) as error:
            raise _make_kept(data.kind) from error

    def undo_cancel(self, data: RecordUndo) -> None:
        """Take a cancellation back by the method that the settings name, if nobody changed the record since.

        Raises:
            ToolFailed: it was changed since, or there is no such method; nothing was done.
            ToolThrottled, ToolUnavailable, ConfigurationError: of the vendor.
        """
        settings = self._settings.get_kind(data.kind)
        if settings.uncancel is None:
            raise ToolFailed(f"tools.yaml names no 'uncancel' for '{data.kind}'", fix="take it back by hand")
        try:
            found = self._records.read(data.kind, data.record_id, settings.read)
        except NotFound as error:
            raise _make_kept(data.kind) from error
        if found.version != data.version:
            raise _make_kept(data.kind)
        self._records.call(data.kind, data.record_id, settings.uncancel)

    def _tell_created(self, kind: str, record_id: str, fields: Mapping[str, Any]) -> Done:
        after = self._read_after(kind, record_id, fields)
        undo = RecordUndo(kind=kind, record_id=record_id, after=dict.fromkeys(fields), version=after.version)
        if after.version is None:
            return self._tell(after, "it can't be undone: it could not be read again"), None
        return self._tell(after, None), undo

    def _read_after(self, kind: str, record_id: str, fields: Mapping[str, Any]) -> BusinessRecord:
        """Return a record as a change left it; where it can't be read, as it was asked for: the change is done."""
        try:
            return self._records.read(kind, record_id, tuple(fields))
        except PentadError:  # whatever it is: it is of the reading
            return BusinessRecord(kind=kind, record_id=record_id, fields=dict(fields), version=None)

    def _look_after(self, error: ToolUnavailable, before: BusinessRecord, fields: Mapping[str, Any]) -> BusinessRecord:
        """Return a record after a change that was not answered.

        Raises:
            EffectUncertain: it is neither as before nor as asked for.
            ToolUnavailable: it can't be read, or is as before: what was not answered may yet be done.
        """
        try:
            after = self._records.read(before.kind, before.record_id, tuple(fields))
        except PentadError as failed:
            # What it says of itself is true of the reading; of the change nothing is known.
            raise error from failed
        if after.version == before.version and self._is_kept(after.fields, before.fields):
            raise error
        if _is_alike(after.fields, fields):
            return after
        raise _make_uncertain(f"the change of the '{before.kind}' was not answered, and it was changed meanwhile")

    def _is_kept(self, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
        """Tell if fields have just these values: unset is not false, and a text with a blank is another text."""
        shape = self._records.shape
        return all(_is_equal(shape(found.get(name)), shape(value)) for name, value in wanted.items())

    def _tell(self, record: BusinessRecord, note: str | None) -> ChangedRecord:
        readable = self._settings.get_kind(record.kind).read
        return ChangedRecord(
            kind=record.kind,
            record_id=record.record_id,
            fields={name: value for name, value in record.fields.items() if name in readable},
            version=record.version,
            note=note,
        )


def _check_condition(condition: Condition) -> None:
    many = isinstance(condition.value, list)
    if many != (condition.operator == "in"):
        raise InvalidInput(
            f"the operator '{condition.operator}' does not take {'a list' if many else 'one value'}",
            field="conditions",
            fix="give 'in' a list, and every other operator one value",
        )
    if isinstance(condition.value, list) and not 1 <= len(condition.value) <= MAX_PAGE:
        raise InvalidInput("'in' takes 1 to 100 values", field="conditions", fix="give fewer values")
    if condition.value is None and condition.operator not in ("=", "!="):
        raise InvalidInput("null is only for = and !=", field="conditions", fix="give a value")
    if condition.operator == "contains" and (not isinstance(condition.value, str) or not condition.value.strip()):
        raise InvalidInput("'contains' takes a text", field="conditions", fix="give the text to look for")


def _is_equal(one: Any, other: Any) -> bool:
    """Tell if two values of JSON are the same; true is not 1."""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _is_alike(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Tell if a record that was changed meanwhile is as it was asked for, as far as vendors change what they keep."""
    return all(_to_plain(found.get(name)) == _to_plain(value) for name, value in wanted.items())


def _to_plain(value: Any) -> str:
    """Return a value for comparison: vendors give numbers as text, and nothing as null, false or an empty text."""
    if value is None or value is False:
        return ""
    if isinstance(value, bool):
        return "true"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, str):
        return value.strip() if value.lower() not in ("true", "false") else value.lower().replace("false", "")
    return str(value)


def _make_uncertain(what: str) -> EffectUncertain:
    return EffectUncertain(f"{what}; it was not repeated", fix=_LOOK)


def _make_kept(kind: str) -> ToolFailed:
    return ToolFailed(f"the '{kind}' was changed since; nothing was undone", fix="undo it by hand, if necessary")
