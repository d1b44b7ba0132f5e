"""What the tools for records do: find, save and delete, on a version, with what undoing needs."""

import json
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, Field

from pentad.domain.errors import InvalidInput, NotFound, ToolFailed
from pentad.domain.knowledge import own_documents
from pentad.tools.data.entries.settings import EntryKind, EntrySettings
from pentad.tools.records.ports import RecordStore

KIND = "ENTRY"
"""The kind of all these records in the table of tools; theirs stands in front of their keys."""
MAX_VALUE_BYTES = 20_000
"""So that an old value fits into what is kept for undo."""
MAX_FOUND = 50
_MOST_LOOKED_AT = 2_000
Value = dict[str, Any]


class FoundEntry(BaseModel):
    """A record."""

    key: str
    version: int
    value: Value


class FoundEntries(BaseModel):
    """Records that were found."""

    records: list[FoundEntry]
    more_after: str | None = Field(default=None, description="give it as 'after' to look on; None at the end")


class SavedEntry(BaseModel):
    """A record that was stored."""

    kind: str
    key: str
    created: bool


class EntryToRestore(BaseModel):
    """What undoing needs: the value as the call left it, and before."""

    kind: str
    key: str
    after: Value | None
    before: Value | None
    owner: str | None = Field(default=None, description="the user whose own it is, where its kind is one of users")


def find(
    settings: EntrySettings,
    records: RecordStore,
    kind: str,
    *,
    user_id: str | None,
    begins: str,
    where: Mapping[str, Any],
    after: str | None,
) -> FoundEntries:
    """Return records of a kind in the order of their keys, at most 50.

    Args:
        settings: the kinds.
        records: the tenant's records.
        kind: of the records.
        user_id: whose run it is.
        begins: how their keys begin.
        where: values that their fields have.
        after: the last key of the page before.

    Raises:
        InvalidInput: there is no such kind or field.
        ToolFailed: the kind is one of users, and the run has none.
    """
    known = _get_kind(settings, kind)
    for name in where:
        if name not in known.fields:
            raise _make_field_error(kind, known, f"has no field '{name[:40]}'", "where")
    prefix, found = _build_prefix(kind, _find_owner(known, kind, user_id)), list[FoundEntry]()
    last = None if after is None else prefix + _check_key(after, "after")
    looked_at = 0
    while looked_at < _MOST_LOOKED_AT:
        page = records.query(KIND, begins=prefix + begins, limit=200, after=last)
        for record in page:
            looked_at += 1
            last = record.key
            if all(record.value.get(name) == value for name, value in where.items()):
                key = record.key.removeprefix(prefix)
                found.append(FoundEntry(key=key, version=record.version, value=record.value))
            if len(found) == MAX_FOUND:
                return FoundEntries(records=found, more_after=last.removeprefix(prefix))
        if len(page) < 200:
            return FoundEntries(records=found)
    return FoundEntries(records=found, more_after=None if last is None else last.removeprefix(prefix))


def save(
    settings: EntrySettings,
    records: RecordStore,
    kind: str,
    key: str,
    value: Value,
    *,
    user_id: str | None,
    merge: bool,
    if_version: int | None,
) -> tuple[SavedEntry, EntryToRestore]:
    """Store a record and return what undoing needs.

    Args:
        settings: the kinds.
        records: the tenant's records.
        kind: of the record.
        key: of the record.
        value: its fields.
        user_id: whose run it is.
        merge: keep the fields that the value does not name.
        if_version: only over this version; 0: only where there is no such record.

    Raises:
        InvalidInput: the kind, the key or the value is none; it names the field.
        ToolFailed: the record is not as it was found, or its kind is one of users and the run has none; nothing was
            stored.
    """
    known = _get_kind(settings, kind)
    owner = _find_owner(known, kind, user_id)
    place = _build_prefix(kind, owner) + _check_key(key, "key")
    current = records.find(KIND, place)
    _check_version(kind, key, 0 if current is None else current.version, if_version)
    before = None if current is None else current.value
    after = {**(before or {}), **value} if merge else dict(value)
    after = {name: one for name, one in after.items() if one is not None}
    _check_value(kind, known, after)
    records.put(KIND, place, after)
    saved = SavedEntry(kind=kind, key=key, created=before is None)
    return saved, EntryToRestore(kind=kind, key=key, after=after, before=before, owner=owner)


def delete(
    settings: EntrySettings, records: RecordStore, kind: str, key: str, *, user_id: str | None, if_version: int | None
) -> tuple[str, EntryToRestore]:
    """Delete a record and return a sentence, and what undoing needs.

    Raises:
        InvalidInput: the kind or the key is none.
        NotFound: there is no such record.
        ToolFailed: it is not as it was found, or its kind is one of users and the run has none; nothing was deleted.
    """
    owner = _find_owner(_get_kind(settings, kind), kind, user_id)
    place = _build_prefix(kind, owner) + _check_key(key, "key")
    current = records.find(KIND, place)
    if current is None:
        raise NotFound(f"no {kind} '{key}'", field="key", fix="look for it")
    _check_version(kind, key, current.version, if_version)
    records.delete(KIND, place)
    kept = EntryToRestore(kind=kind, key=key, after=None, before=current.value, owner=owner)
    return f"The {kind} '{key}' is deleted.", kept


def restore(records: RecordStore, kept: EntryToRestore) -> None:
    """Put back what was there before a call, if what the call left is still there.

    Raises:
        ToolFailed: it was changed since; nothing was restored.
    """
    place = _build_prefix(kept.kind, kept.owner) + kept.key
    current = records.find(KIND, place)
    if (None if current is None else current.value) != kept.after:
        raise ToolFailed(f"the {kept.kind} '{kept.key}' was changed since; nothing was restored", fix="change it back")
    if kept.before is None:
        records.delete(KIND, place)
    else:
        records.put(KIND, place, kept.before)


def _get_kind(settings: EntrySettings, kind: str) -> EntryKind:
    known = settings.kinds.get(kind)
    if known is None:
        names = ", ".join(f"'{name}'" for name in settings.kinds)
        raise InvalidInput(f"no kind '{kind[:40]}'", field="kind", fix=f"use one of {names}")
    return known


def _find_owner(known: EntryKind, kind: str, user_id: str | None) -> str | None:
    """Return the user whose own the records are; None where they are the tenant's."""
    if known.own and user_id is None:
        raise ToolFailed(f"a {kind} is a user's own, and this run has no user", fix="start the run for a user")
    return user_id if known.own else None


def _build_prefix(kind: str, owner: str | None) -> str:
    """Return what is in front of a record's key; the erasure of a user finds the user's own by it."""
    return f"{kind}/" if owner is None else f"{own_documents(owner)}{kind}/"


def _check_key(key: str, field: str) -> str:
    if key != key.strip() or any(unicodedata.category(sign)[0] == "C" for sign in key) or not key:
        raise InvalidInput(
            f"the key {key[:60]!r} has invisible characters, or spaces around it", field=field, fix="leave them out"
        )
    return unicodedata.normalize("NFC", key)


def _check_version(kind: str, key: str, version: int, expected: int | None) -> None:
    if expected is not None and expected != version:
        state = "already exists" if expected == 0 else "was changed since it was found" if version else "is gone"
        raise ToolFailed(f"the {kind} '{key[:60]}' {state}; nothing was done", fix="find it again")


def _check_value(kind: str, known: EntryKind, value: Value) -> None:
    for name, one in value.items():
        wanted = known.fields.get(name)
        if wanted is None:
            raise _make_field_error(kind, known, f"has no field '{name[:40]}'", "value")
        if not _is_of(wanted, one):
            raise InvalidInput(f"'{name}' of a {kind} is not a valid {wanted}", field="value", fix=_FIXES[wanted])
    missing = [f"'{name}'" for name in known.required if name not in value]
    if missing:
        raise _make_field_error(kind, known, f"needs {', '.join(missing)}", "value")
    size = len(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    if size > MAX_VALUE_BYTES:
        raise InvalidInput(
            f"the record has {size:,} bytes, of at most {MAX_VALUE_BYTES:,}", field="value", fix="keep texts as files"
        )


_FIXES = {
    "text": "write it in quotes",
    "number": "write it without quotes; money as text, to keep its digits",
    "boolean": "write true or false",
    "date": "write it as 2026-03-01 or 2026-03-01T09:30+01:00",
    "list": "write [...]",
    "object": "write {...}",
}


def _is_of(wanted: str, value: Any) -> bool:
    if wanted == "date":
        return isinstance(value, str) and _is_date(value)
    kinds: dict[str, type | tuple[type, ...]] = {"text": str, "number": (int, float), "boolean": bool, "list": list}
    return isinstance(value, kinds.get(wanted, dict)) and (wanted == "boolean" or not isinstance(value, bool))


def _is_date(text: str) -> bool:
    for read in (date.fromisoformat, datetime.fromisoformat):
        try:
            read(text)
        except ValueError:
            continue
        return True
    return False


def _make_field_error(kind: str, known: EntryKind, what: str, field: str) -> InvalidInput:
    about = f" ({known.description})" if known.description else ""
    return InvalidInput(
        f"a {kind}{about} {what}",
        field=field,
        fix=f"it has {', '.join(f'{name}: {one}' for name, one in known.fields.items())}"[:500],
    )
