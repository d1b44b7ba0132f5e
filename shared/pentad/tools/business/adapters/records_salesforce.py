"""Salesforce's objects, REST API."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from pentad.domain.errors import InvalidInput, NotFound, ToolFailed
from pentad.tools.business.ports import BusinessPage, BusinessRecord, Condition
from pentad.tools.outside.ports import HttpAnswer, HttpClient
from pentad.tools.outside.vendor_api import VendorApi, VendorError, join_path, read_made_id

_VERSION = "SystemModstamp"
_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}:\d{2}(?:\.\d{1,3})?(?:Z|[+-]\d{2}:\d{2}))?", re.ASCII)
# SOQL, Quoted String Escape Sequences; backslash first. In LIKE two more marks have a meaning.
_ESCAPES = {"\\": "\\\\", "'": "\\'", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
_LIKE = {"%": "\\%", "_": "\\_"}
# Status Codes and Error Responses of the REST API: nothing was done, and a later try may succeed.
_LIMITED = frozenset({"REQUEST_LIMIT_EXCEEDED", "SERVER_UNAVAILABLE", "UNABLE_TO_LOCK_ROW"})


class SalesforceRecords:
    """Objects of one Salesforce organisation.

    Args:
        http: speaks to it.
        url: of the organisation, such as ``https://acme.my.salesforce.com``.
        api_version: such as ``v62.0``.
        token: returns an access token.
        renew: see `VendorApi`.
    """

    removed_to = "it is in Salesforce's recycle bin for 15 days, with what belonged to it, and a human can restore it"

    def __init__(
        self,
        http: HttpClient,
        url: str,
        *,
        api_version: str,
        token: Callable[[], str],
        renew: Callable[[], None] | None = None,
    ) -> None:
        self._api = VendorApi(
            http,
            f"{url.rstrip('/')}/services/data/{api_version}",
            name="Salesforce",
            authorize=lambda: {"Authorization": f"Bearer {token()}"},
            read_error=_read_error,
            renew=renew,
        )

    def search(
        self, kind: str, conditions: Sequence[Condition], fields: Sequence[str], *, limit: int, after: str | None
    ) -> BusinessPage:
        """Return a page of records in the order of their ids; see `BusinessRecords`."""
        parts = [_build_condition(one) for one in conditions]
        if after is not None:
            parts.append(f"Id > '{_check_id(after, 'after')}'")
        where = f" WHERE {' AND '.join(parts)}" if parts else ""
        names = ", ".join(dict.fromkeys(("Id", *fields, _VERSION)))
        query = f"SELECT {names} FROM {kind}{where} ORDER BY Id LIMIT {limit + 1}"  # noqa: S608 - values are escaped
        answer = self._api.ask("GET", "/query", params={"q": query})
        return self._api.parse(answer, lambda found: _read_page(kind, found["records"], fields, limit))

    def read(self, kind: str, record_id: str, fields: Sequence[str]) -> BusinessRecord:
        """Return a record; see `BusinessRecords`."""
        path = join_path("sobjects", kind, _check_id(record_id, "record_id"))
        answer = self._api.ask("GET", path, params={"fields": ",".join((*fields, _VERSION))})
        return self._api.parse(answer, lambda found: _read_record(kind, found, fields))

    def find_marked(self, kind: str, field: str, marker: str) -> str | None:
        """Return the record whose external id is the marker; see `BusinessRecords`.

        Raises:
            ToolFailed: several have it (status 300), so the field is not unique.
        """
        try:
            answer = self._api.ask(
                "GET", join_path("sobjects", kind, field, marker), params={"fields": "Id"}, accept=(300,)
            )
        except NotFound:
            return None
        if answer.status == 300:
            raise ToolFailed(
                f"several records of '{kind}' have one marker in '{field}'", fix="make the external id unique"
            )
        return self._api.parse(answer, lambda found: str(found["Id"]))

    def create(self, kind: str, fields: Mapping[str, Any]) -> str:
        """Make a record; see `BusinessRecords`."""
        return read_made_id(self._api.ask("POST", join_path("sobjects", kind), json=dict(fields)), "id")

    def update(self, kind: str, record_id: str, fields: Mapping[str, Any], *, version: str | None) -> None:
        """Change a record, if nobody did so in a later second than its version's; see `BusinessRecords`."""
        path = join_path("sobjects", kind, _check_id(record_id, "record_id"))
        self._api.ask("PATCH", path, json=dict(fields), headers=_build_condition_header(version))

    def shape(self, value: Any) -> Any:
        """Return a value as Salesforce gives it back; see `BusinessRecords`. An empty text is null there."""
        return None if value == "" else value

    def remove(self, kind: str, record_id: str, *, version: str | None) -> None:
        """Move a record to the recycle bin; see `BusinessRecords`.

        The page of this resource names the condition; the page about conditions says that ``DELETE`` has none.
        """
        path = join_path("sobjects", kind, _check_id(record_id, "record_id"))
        self._api.ask("DELETE", path, headers=_build_condition_header(version))

    def is_removed(self, kind: str, record_id: str) -> bool:
        """Tell whether a record is in the recycle bin; see `RemovableRecords`."""
        checked = _check_id(record_id, "record_id")
        query = f"SELECT Id FROM {kind} WHERE Id = '{checked}' AND IsDeleted = true"  # noqa: S608 - it is an id
        answer = self._api.ask("GET", "/queryAll", params={"q": query})
        return self._api.parse(answer, lambda found: any(one["Id"] for one in found["records"]))

    def call(self, kind: str, record_id: str, method: str) -> None:
        """Refuse: Salesforce's objects have no methods in the REST API."""
        raise ToolFailed("Salesforce's objects have no methods", fix="change a field, such as the status")


def _build_condition(condition: Condition) -> str:
    name, value = condition.field, condition.value
    if isinstance(value, list):
        return f"{name} IN ({', '.join(_quote(one) for one in value)})"
    if condition.operator == "contains":
        return f"{name} LIKE '%{_escape(str(value), _ESCAPES | _LIKE)}%'"
    # A date is compared as such; with = it may be a text that looks like one, and is taken for a text.
    ordered = condition.operator in ("<", "<=", ">", ">=")
    if ordered and isinstance(value, str) and _DATE.fullmatch(value):
        return f"{name} {condition.operator} {value}"
    return f"{name} {condition.operator} {_quote(value)}"


def _quote(value: str | float | bool | None) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"'{_escape(value, _ESCAPES)}'" if isinstance(value, str) else repr(value)


def _escape(text: str, escapes: Mapping[str, str]) -> str:
    return "".join(escapes.get(mark, mark) for mark in text)


def _check_id(record_id: str, field: str) -> str:
    if not _ID.fullmatch(record_id):
        raise InvalidInput(
            f"'{record_id[:40]}' is not an id of Salesforce",
            field=field,
            fix="give the 15 or 18 letters and digits of it",
        )
    return record_id


def _build_condition_header(version: str | None) -> dict[str, str]:
    """Return the header that lets a change pass only if nobody was there since.

    HTTP's dates have whole seconds: a part of one is rounded up, or the record's own last change would refuse it.
    """
    if version is None:
        return {}
    at = datetime.fromisoformat(version).astimezone(UTC)
    if at.microsecond:
        at = at.replace(microsecond=0) + timedelta(seconds=1)
    return {"If-Unmodified-Since": format_datetime(at, usegmt=True)}


def _read_page(kind: str, found: Sequence[Mapping[str, Any]], fields: Sequence[str], limit: int) -> BusinessPage:
    return BusinessPage(
        records=tuple(_read_record(kind, one, fields) for one in found[:limit]),
        after=str(found[limit - 1]["Id"]) if len(found) > limit else None,
    )


def _read_record(kind: str, found: Mapping[str, Any], fields: Sequence[str]) -> BusinessRecord:
    return BusinessRecord(
        kind=kind,
        record_id=str(found.get("Id") or _read_id(found)),
        fields={name: found.get(name) for name in fields},
        version=found.get(_VERSION),
    )


def _read_id(found: Mapping[str, Any]) -> str:
    """Return the id that ends the address of a record: a read of named fields need not have it."""
    return str(found["attributes"]["url"]).rpartition("/")[2]


def _read_error(answer: HttpAnswer) -> VendorError:
    """Read an error: an array of objects; that of the login has one object with ``error``."""
    try:
        body = answer.json()
    except ToolFailed:
        return VendorError()
    first = body[0] if isinstance(body, list) and body and isinstance(body[0], dict) else {}
    code = str(first.get("errorCode", ""))
    fields = first.get("fields")
    named = f" ({', '.join(str(one) for one in fields[:5])})" if isinstance(fields, list) and fields else ""
    return VendorError(code=code, words=f"{first.get('message', '')}{named}", limited=code in _LIMITED)
