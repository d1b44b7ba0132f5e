"""Odoo's models by its JSON-2 API, which Odoo 19 brought: ``POST /json/2/<model>/<method>``."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pentad.domain.errors import InvalidInput, NotFound
from pentad.tools.business.ports import BusinessPage, BusinessRecord, Condition
from pentad.tools.outside.ports import HttpAnswer, HttpClient
from pentad.tools.outside.vendor_api import VendorApi, VendorError, join_path, read_json_object, read_made_id

_VERSION = "write_date"
# What PostgreSQL's LIKE takes for more than itself.
_LIKE = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})


class OdooRecords:
    """Models of one Odoo database.

    Args:
        http: speaks to it.
        url: of the server.
        key: returns the API key of the user whose rights count.
        database: of a server that has several.
        renew: see `VendorApi`.
    """

    def __init__(
        self,
        http: HttpClient,
        url: str,
        *,
        key: Callable[[], str],
        database: str | None = None,
        renew: Callable[[], None] | None = None,
    ) -> None:
        named = {} if database is None else {"X-Odoo-Database": database}
        self._api = VendorApi(
            http,
            f"{url.rstrip('/')}/json/2",
            name="Odoo",
            authorize=lambda: {"Authorization": f"bearer {key()}", **named},
            read_error=_read_error,
            renew=renew,
        )

    def search(
        self, kind: str, conditions: Sequence[Condition], fields: Sequence[str], *, limit: int, after: str | None
    ) -> BusinessPage:
        """Return a page of records in the order of their ids; see `BusinessRecords`."""
        domain = [_build_term(one) for one in conditions]
        if after is not None:
            domain.append(["id", ">", _check_id(after, "after")])
        found = self._search_read(kind, domain, fields, limit + 1)
        return BusinessPage(
            records=tuple(_read_record(kind, one, fields) for one in found[:limit]),
            after=str(found[limit - 1]["id"]) if len(found) > limit else None,
        )

    def read(self, kind: str, record_id: str, fields: Sequence[str]) -> BusinessRecord:
        """Return a record, archived ones too; see `BusinessRecords`."""
        # A search, since what `read` does with an id that is gone differs by the fields asked for.
        found = self._search_read(kind, [["id", "=", _check_id(record_id, "record_id")]], fields, 1, archived=True)
        if not found:
            raise NotFound(f"Odoo has no '{kind}' with the id '{record_id[:20]}'")
        return _read_record(kind, found[0], fields)

    def find_marked(self, kind: str, field: str, marker: str) -> str | None:
        """Return the first record that has the marker; see `BusinessRecords`."""
        found = self._search_read(kind, [[field, "=", marker]], ["id"], 1, archived=True)
        return str(found[0]["id"]) if found else None

    def create(self, kind: str, fields: Mapping[str, Any]) -> str:
        """Make a record; see `BusinessRecords`."""
        return read_made_id(self._call(kind, "create", vals_list=[_to_values(fields)]), None)

    def update(self, kind: str, record_id: str, fields: Mapping[str, Any], *, version: str | None) -> None:
        """Change a record; see `BusinessRecords`. Odoo has no condition: who comes last wins."""
        self._call(kind, "write", ids=[_check_id(record_id, "record_id")], vals=_to_values(fields))

    def shape(self, value: Any) -> Any:
        """Return a value as Odoo gives it back; see `BusinessRecords`. What is empty is false there."""
        return False if value is None else value

    def remove(self, kind: str, record_id: str, *, version: str | None) -> None:
        """Archive a record; see `BusinessRecords`. A model that can't be archived refuses, and the record stays."""
        self._call(kind, "action_archive", ids=[_check_id(record_id, "record_id")])

    def call(self, kind: str, record_id: str, method: str) -> None:
        """Call a method of a record; see `BusinessRecords`."""
        self._call(kind, method, ids=[_check_id(record_id, "record_id")])

    def _search_read(
        self, kind: str, domain: list[Any], fields: Sequence[str], limit: int, *, archived: bool = False
    ) -> list[dict[str, Any]]:
        names = list(dict.fromkeys((*fields, _VERSION)))
        context = {"context": {"active_test": False}} if archived else {}
        answer = self._call(kind, "search_read", domain=domain, fields=names, limit=limit, order="id", **context)
        return self._api.parse(answer, _read_rows)

    def _call(self, kind: str, method: str, **arguments: Any) -> HttpAnswer:
        return self._api.ask("POST", join_path(kind, method), json=arguments, reads=method == "search_read")


def _build_term(condition: Condition) -> list[Any]:
    if condition.operator == "contains":
        return [condition.field, "ilike", str(condition.value).translate(_LIKE)]
    # What is empty is false in Odoo.
    return [condition.field, condition.operator, False if condition.value is None else condition.value]


def _check_id(record_id: str, field: str) -> int:
    if not (record_id.isascii() and record_id.isdigit() and len(record_id) <= 18):
        raise InvalidInput(f"'{record_id[:40]}' is not an id of Odoo", field=field, fix="give the record's number")
    return int(record_id)


def _to_values(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: False if value is None else value for name, value in fields.items()}


def _read_rows(found: Any) -> list[dict[str, Any]]:
    if not isinstance(found, list):
        raise TypeError
    return [{**one, "id": one["id"]} for one in found]


def _read_record(kind: str, found: Mapping[str, Any], fields: Sequence[str]) -> BusinessRecord:
    return BusinessRecord(
        kind=kind,
        record_id=str(found["id"]),
        fields={name: _read_value(found.get(name)) for name in fields},
        version=str(found[_VERSION]) if found.get(_VERSION) else None,
    )


def _read_value(value: Any) -> Any:
    """Return a value as it can be written again: a reference to a record is its id, without its name."""
    if isinstance(value, list) and len(value) == 2 and isinstance(value[0], int) and isinstance(value[1], str):
        return value[0]
    return value


def _read_error(answer: HttpAnswer) -> VendorError:
    """Read an error: an object with the exception's name and message; its traceback is left out."""
    body = read_json_object(answer)
    name = str(body.get("name", "")).rpartition(".")[2]
    # A database that could not serialise two writes has rolled this one back.
    return VendorError(code=name, words=body.get("message", ""), limited=name in ("LockError", "TooManyRequests"))
