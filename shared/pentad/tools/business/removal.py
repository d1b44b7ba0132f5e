"""Remove business records as their vendor does: to where a human gets them back, and no API does."""

from pentad.domain.errors import (
    EffectUncertain,
    NotFound,
    PentadError,
    PolicyDenied,
    RecordChanged,
    ToolUnavailable,
)
from pentad.tools.business.actions import ChangedRecord
from pentad.tools.business.ports import BusinessRecord, RemovableRecords
from pentad.tools.business.settings import RecordSettings
from pentad.tools.outside.vendor_api import begin_with_look


class RecordRemoval:
    """What `crm_cancel` does.

    Args:
        records: the vendor's.
        settings: which kinds may be removed, and which fields of them are shown.
    """

    def __init__(self, records: RemovableRecords, settings: RecordSettings) -> None:
        self._records = records
        self._settings = settings

    def remove(self, kind: str, record_id: str, *, version: str | None, again: bool) -> ChangedRecord:
        """Remove a record once; its fields are told as they stood before.

        Args:
            kind: of the record.
            record_id: the vendor's id.
            version: it is removed only while it has this one; None removes it as it is, at the first try only.
            again: an earlier try of the same call may have removed it, and a human may have brought it back since.

        Raises:
            InvalidInput, PolicyDenied: the settings don't allow it.
            NotFound: there is no such record.
            RecordChanged: it has another version.
            EffectUncertain: an earlier try may have removed it, and it can't be looked for, or it is there and not
                known to be as it was.
            ToolThrottled, ToolFailed, ConfigurationError: nothing was removed.
            ToolUnavailable: it may have been removed; the next try looks.
        """
        settings = self._settings.get_kind(kind)
        if not settings.remove:
            raise PolicyDenied(f"no tool may cancel a '{kind}'", fix="let an operator say 'remove: true' in tools.yaml")
        with begin_with_look(again=again):
            try:
                before = self._records.read(kind, record_id, settings.read)
            except NotFound:
                if not again or not self._records.is_removed(kind, record_id):
                    raise
                gone = BusinessRecord(kind=kind, record_id=record_id, fields={})
                return self._tell(gone, "an earlier try, or somebody else since, did it")
        if again and (version is None or before.version != version):
            raise _make_uncertain(
                f"an earlier try may have removed the '{kind}', which is there: maybe somebody has restored it since"
            )
        if version is not None and before.version != version:
            raise RecordChanged(f"the '{kind}' was changed since it was read; nothing was done", fix="read it again")
        try:
            self._records.remove(kind, record_id, version=before.version)
        except NotFound:
            return self._tell(before, "somebody else did it a moment ago")
        except ToolUnavailable as error:
            self._look_after(error, before)
        return self._tell(before, "done")

    def _look_after(self, error: ToolUnavailable, before: BusinessRecord) -> None:
        """Return where a record is gone after a removal that was not answered.

        Raises:
            EffectUncertain: it is there, and changed: a human may have brought it back.
            ToolUnavailable: it can't be read, or is there still: what was not answered may yet be done.
        """
        try:
            after = self._records.read(before.kind, before.record_id, ())
        except NotFound:
            return
        except PentadError as failed:
            # What it says of itself is true of the reading; of the removal nothing is known.
            raise error from failed
        if after.version != before.version:
            raise _make_uncertain(
                f"the removal of the '{before.kind}' was not answered, and it was changed meanwhile"
            ) from error
        raise error

    def _tell(self, record: BusinessRecord, what: str) -> ChangedRecord:
        return ChangedRecord(
            kind=record.kind,
            record_id=record.record_id,
            fields=record.fields,
            note=f"{what}: {self._records.removed_to}; these were its fields",
        )


def _make_uncertain(what: str) -> EffectUncertain:
    return EffectUncertain(f"{what}; it was not repeated", fix="check the record before asking again")
