"""HubSpot's CRM objects, API v3."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pentad.domain.errors import InvalidInput, NotFound, ToolFailed
from pentad.tools.business.ports import BusinessPage, BusinessRecord, Condition
from pentad.tools.outside.ports import HttpAnswer, HttpClient
from pentad.tools.outside.vendor_api import VendorApi, VendorError, join_path, read_json_object, read_made_id

# HubSpot, Search the CRM: 3 groups of 6 filters, 200 results a page, 10,000 results of a search.
_MOST_CONDITIONS = 6
_OPERATORS = {
    "=": "EQ",
    "!=": "NEQ",
    "<": "LT",
    "<=": "LTE",
    ">": "GT",
    ">=": "GTE",
    "contains": "CONTAINS_TOKEN",
    "in": "IN",
}


class HubSpotRecords:
    """Objects of one HubSpot account.

    Args:
        http: speaks to it.
        url: of its API.
        token: returns the access token of a private app, or of OAuth.
        renew: see `VendorApi`.
    """

    removed_to = "HubSpot keeps it for 90 days, and a human can restore it there"

    def __init__(
        self, http: HttpClient, url: str, *, token: Callable[[], str], renew: Callable[[], None] | None = None
    ) -> None:
        self._api = VendorApi(
            http,
            f"{url.rstrip('/')}/crm/v3/objects",
            name="HubSpot",
            authorize=lambda: {"Authorization": f"Bearer {token()}"},
            read_error=_read_error,
            renew=renew,
        )

    def search(
        self, kind: str, conditions: Sequence[Condition], fields: Sequence[str], *, limit: int, after: str | None
    ) -> BusinessPage:
        """Return a page of records; see `BusinessRecords`. A record made seconds ago may not be found yet."""
        if len(conditions) > _MOST_CONDITIONS:
            raise InvalidInput(
                f"HubSpot accepts at most {_MOST_CONDITIONS} conditions",
                field="conditions",
                fix="give fewer conditions",
            )
        request: dict[str, Any] = {"properties": list(fields), "limit": limit}
        if conditions:
            request["filterGroups"] = [{"filters": [_build_filter(one) for one in conditions]}]
        if after is not None:
            request["after"] = after
        answer = self._api.ask("POST", join_path(kind, "search"), json=request, reads=True)
        return self._api.parse(answer, lambda found: _read_page(kind, found, fields))

    def read(self, kind: str, record_id: str, fields: Sequence[str]) -> BusinessRecord:
        """Return a record; see `BusinessRecords`."""
        answer = self._api.ask("GET", join_path(kind, record_id), params={"properties": ",".join(fields)})
        return self._api.parse(answer, lambda found: _read_record(kind, found, fields))

    def find_marked(self, kind: str, field: str, marker: str) -> str | None:
        """Return the record that has the marker, by the unique property that keeps it; see `BusinessRecords`."""
        try:
            answer = self._api.ask("GET", join_path(kind, marker), params={"idProperty": field})
        except NotFound:
            return None
        return self._api.parse(answer, lambda found: str(found["id"]))

    def create(self, kind: str, fields: Mapping[str, Any]) -> str:
        """Make a record; see `BusinessRecords`."""
        answer = self._api.ask("POST", join_path(kind), json={"properties": _to_properties(fields)}, accept=(409,))
        if answer.status == 409:
            raise _make_conflict(kind, answer)
        return read_made_id(answer, "id")

    def update(self, kind: str, record_id: str, fields: Mapping[str, Any], *, version: str | None) -> None:
        """Change a record; see `BusinessRecords`. HubSpot has no condition: who comes last wins."""
        request = {"properties": _to_properties(fields)}
        answer = self._api.ask("PATCH", join_path(kind, record_id), json=request, accept=(409,))
        if answer.status == 409:
            raise _make_conflict(kind, answer)

    def shape(self, value: Any) -> str | None:
        """Return a value as HubSpot gives it back; see `BusinessRecords`. An empty text clears a property."""
        return _to_text(value) or None

    def remove(self, kind: str, record_id: str, *, version: str | None) -> None:
        """Archive a record, which HubSpot keeps for 90 days; see `BusinessRecords`."""
        self._api.ask("DELETE", join_path(kind, record_id))

    def is_removed(self, kind: str, record_id: str) -> bool:
        """Tell whether a record is in the archive; see `RemovableRecords`."""
        try:
            answer = self._api.ask("GET", join_path(kind, record_id), params={"archived": "true"})
        except NotFound:
            return False
        return self._api.parse(answer, lambda found: found["archived"] is True)

    def call(self, kind: str, record_id: str, method: str) -> None:
        """Refuse: HubSpot's objects have no methods."""
        raise ToolFailed("HubSpot's objects have no methods", fix="change a field, such as the deal's stage")


def _build_filter(condition: Condition) -> dict[str, Any]:
    name, value = condition.field, condition.value
    if value is None:
        return {
            "propertyName": name,
            "operator": "NOT_HAS_PROPERTY" if condition.operator == "=" else "HAS_PROPERTY",
        }
    if isinstance(value, list):
        # Values of texts have to be in lower case, those of enumerations as they are, and both are taken ("Search the
        # CRM", filter search results). A text is compared without case by every operator.
        values = [form for one in value for form in (_to_text(one), _to_text(one).lower())]
        return {"propertyName": name, "operator": "IN", "values": list(dict.fromkeys(values))}
    return {"propertyName": name, "operator": _OPERATORS[condition.operator], "value": _to_text(value)}


def _to_text(value: Any) -> str:
    """Return a value as HubSpot takes all of them: as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _to_properties(fields: Mapping[str, Any]) -> dict[str, str]:
    return {name: _to_text(value) for name, value in fields.items()}


def _read_page(kind: str, found: Mapping[str, Any], fields: Sequence[str]) -> BusinessPage:
    following = found.get("paging", {}).get("next", {}).get("after")
    return BusinessPage(
        records=tuple(_read_record(kind, one, fields) for one in found["results"]),
        after=None if following is None else str(following),
    )


def _read_record(kind: str, found: Mapping[str, Any], fields: Sequence[str]) -> BusinessRecord:
    properties = found.get("properties", {})
    return BusinessRecord(
        kind=kind,
        record_id=str(found["id"]),
        fields={name: properties.get(name) for name in fields},
        version=found.get("updatedAt"),
    )


def _read_error(answer: HttpAnswer) -> VendorError:
    body = read_json_object(answer)
    policy = str(body.get("policyName", ""))
    return VendorError(
        code=str(policy or body.get("category") or body.get("errorType") or ""),
        words=body.get("message", ""),
        limited=answer.status == 429,
        final=answer.status == 429 and policy == "DAILY",
    )


def _make_conflict(kind: str, answer: HttpAnswer) -> ToolFailed:
    message = str(read_json_object(answer).get("message", ""))
    existing = message.rpartition("Existing ID:")[2].strip()
    there = f": its id is '{existing}'" if existing.isascii() and existing.isdigit() else ""
    return ToolFailed(
        f"HubSpot already has such a '{kind}'{there}; nothing was done",
        fix="change the record that is there, or use another value for what has to be unique",
    )
