"""HubSpot, Salesforce and Odoo as their documentation describes them, as far as tools ask them.

Read in November 2026: HubSpot's "CRM API, search", "Archive", "Error handling" and "Usage guidelines"; Salesforce's
"REST API Developer Guide", chapters "Status Codes and Error Responses", "Upsert", "Conditional Request Headers",
"Delete Records Using sObject Rows" and "QueryAll"; Odoo 19's "External JSON-2 API".
"""

import itertools
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from tests.contract.tools.vendors.server import TOKEN, Asked, Reply, Vendor

_START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


class RecordVendor(Vendor):
    """What the three have in common: rows, their versions, and a clock that goes on with each change."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[str, dict[str, Any]] = {}
        self.changed: dict[str, datetime] = {}
        self.removed: dict[str, dict[str, Any]] = {}
        self._numbers = itertools.count(1)
        self._minutes = itertools.count()

    def name_next(self) -> str:
        raise NotImplementedError

    def put(self, fields: Mapping[str, Any], record_id: str | None = None) -> str:
        """Store a row as a person would, or change one."""
        record_id = record_id or self.name_next()
        self.rows[record_id] = {**self.rows.get(record_id, {}), **fields}
        self.changed[record_id] = _START + timedelta(minutes=next(self._minutes))
        return record_id

    def take_away(self, record_id: str) -> Reply:
        """Move a row to where the vendor keeps it."""
        self.removed[record_id] = self.rows.pop(record_id)
        return Reply(204)

    @property
    def unauthorized(self) -> Reply:
        raise NotImplementedError

    def answer(self, asked: Asked) -> Reply:
        raise NotImplementedError

    def respond(self, asked: Asked) -> Reply:
        if asked.headers.get("authorization", "").lower() != f"bearer {TOKEN}":
            return self.unauthorized
        return self.answer(asked)

    # What a test asks of each of them in its own words.
    limit: Reply
    kind: str
    words: dict[str, str]


class HubSpot(RecordVendor):
    """CRM objects, API v3: a search lags behind what was just made; ``marker`` is a unique property.

    Texts are compared without case, and IN takes their values in lower case only; enumerations are compared with case.
    """

    kind = "contacts"
    enumerations = frozenset({"hs_lead_status"})
    words = {"name": "lastname", "number": "age", "marker": "pentad_call"}  # noqa: RUF012
    limit = Reply(
        429,
        {"status": "error", "message": "Too many", "errorType": "RATE_LIMIT", "policyName": "TEN_SECONDLY_ROLLING"},
        {"retry-after": "7"},
    )
    daily = Reply(429, {"status": "error", "message": "Too many", "errorType": "RATE_LIMIT", "policyName": "DAILY"})

    def name_next(self) -> str:
        return str(500 + next(self._numbers))

    @property
    def unauthorized(self) -> Reply:
        return Reply(401, {"status": "error", "message": "Not known", "category": "INVALID_AUTHENTICATION"})

    def answer(self, asked: Asked) -> Reply:
        assert asked.parts[:4] == ("crm", "v3", "objects", self.kind)
        rest = asked.parts[4:]
        if asked.method == "POST" and rest == ("search",):
            return self._search(asked.json)
        if asked.method == "POST":
            return self._create(asked.json["properties"])
        record_id = rest[0]
        if "idProperty" in asked.query:
            name = asked.query["idProperty"]
            record_id = next((one for one, row in self.rows.items() if row.get(name) == rest[0]), "")
        if asked.query.get("archived") == "true" and record_id in self.removed:
            return Reply(200, {"id": record_id, "properties": {}, "archived": True})
        if record_id not in self.rows or "archived" in asked.query:
            return Reply(404, {"status": "error", "message": "resource not found", "category": "OBJECT_NOT_FOUND"})
        if asked.method == "PATCH":
            self.put({name: value or None for name, value in asked.json["properties"].items()}, record_id)
        if asked.method == "DELETE":
            return self.take_away(record_id)
        return Reply(200, self._show(record_id))

    def _create(self, properties: dict[str, str]) -> Reply:
        assert all(isinstance(value, str) for value in properties.values())
        for name in ("email", "pentad_call"):
            for record_id, row in self.rows.items():
                if properties.get(name) and row.get(name) == properties[name]:
                    words = f"Contact already exists. Existing ID: {record_id}"
                    return Reply(409, {"status": "error", "message": words, "category": "CONFLICT"})
        return Reply(201, self._show(self.put({name: value or None for name, value in properties.items()})))

    def _show(self, record_id: str) -> dict[str, Any]:
        at = self.changed[record_id].isoformat().replace("+00:00", "Z")
        properties = {name: None if value is None else str(value) for name, value in self.rows[record_id].items()}
        return {"id": record_id, "properties": properties, "createdAt": at, "updatedAt": at, "archived": False}

    def _search(self, request: dict[str, Any]) -> Reply:
        filters = [one for group in request.get("filterGroups", []) for one in group["filters"]]
        if len(filters) > 6 or request["limit"] > 200:
            return Reply(400, {"status": "error", "message": "too much", "category": "VALIDATION_ERROR"})
        found = [one for one in self.rows if all(self._holds(self.rows[one], each) for each in filters)]
        start = int(request.get("after", 0))
        page = found[start : start + request["limit"]]
        following = start + len(page)
        paging = {"paging": {"next": {"after": str(following)}}} if following < len(found) else {}
        return Reply(200, {"total": len(found), "results": [self._show(one) for one in page], **paging})

    @staticmethod
    def _holds(row: Mapping[str, Any], one: Mapping[str, Any]) -> Any:
        value, operator = row.get(one["propertyName"]), one["operator"]
        if operator in ("HAS_PROPERTY", "NOT_HAS_PROPERTY"):
            return (value is not None) == (operator == "HAS_PROPERTY")
        if value is None:
            return False
        if operator in ("LT", "LTE", "GT", "GTE"):
            much = float(value) - float(one["value"])
            return {"LT": much < 0, "LTE": much <= 0, "GT": much > 0, "GTE": much >= 0}[operator]
        is_text = one["propertyName"] not in HubSpot.enumerations
        text = str(value).lower() if is_text else str(value)
        if operator == "IN":
            return text in one["values"]
        wanted = one["value"].lower() if is_text else one["value"]
        if operator == "CONTAINS_TOKEN":
            return wanted in text
        return (text == wanted) == (operator == "EQ")


_TOKEN = re.compile(r"\s*(?:'((?:\\.|[^'\\])*)'|(\(|\)|,|<=|>=|!=|=|<|>)|([^\s(),=<>!']+))")
_MEANINGS = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


class Salesforce(RecordVendor):
    """Objects of the REST API with the part of SOQL that tools write; ``Pentad_Call__c`` is an external id."""

    kind = "Contact"
    words = {"name": "LastName", "number": "Age__c", "marker": "Pentad_Call__c"}  # noqa: RUF012
    limit = Reply(403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}])

    def name_next(self) -> str:
        return f"003{next(self._numbers):012d}AAA"

    @property
    def unauthorized(self) -> Reply:
        return Reply(401, [{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}])

    def answer(self, asked: Asked) -> Reply:
        assert asked.parts[:3] == ("services", "data", "v62.0")
        rest = asked.parts[3:]
        if rest == ("query",):
            return self._query(asked.query["q"])
        if rest == ("queryAll",):
            return self._query_removed(asked.query["q"])
        assert rest[:2] == ("sobjects", self.kind)
        if asked.method == "POST":
            return Reply(201, {"id": self.put(asked.json), "success": True, "errors": []})
        if len(rest) == 4:
            found = [one for one, row in self.rows.items() if row.get(rest[2]) == rest[3]]
            if len(found) > 1:
                return Reply(300, [f"/services/data/v62.0/sobjects/{self.kind}/{one}" for one in found])
            rest = (*rest[:2], *(found or [""]))
        record_id = rest[2]
        if record_id not in self.rows:
            return self._miss(record_id)
        since = asked.headers.get("if-unmodified-since")
        if since is not None and self.changed[record_id].replace(microsecond=0) > parsedate_to_datetime(since):
            return Reply(412)
        if asked.method == "PATCH":
            self.put(asked.json, record_id)
            return Reply(204)
        if asked.method == "DELETE":
            return self.take_away(record_id)
        return Reply(200, self._show(record_id, asked.query["fields"].split(",")))

    def _miss(self, record_id: str) -> Reply:
        if record_id in self.removed:
            return Reply(404, [{"errorCode": "ENTITY_IS_DELETED", "message": "entity is deleted", "fields": []}])
        return Reply(404, [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}])

    def _query_removed(self, query: str) -> Reply:
        shape = re.fullmatch(r"SELECT Id FROM Contact WHERE Id = '(\w+)' AND IsDeleted = true", query)
        assert shape is not None, query
        return Reply(200, {"done": True, "records": [{"Id": shape[1]}] if shape[1] in self.removed else []})

    def _show(self, record_id: str, names: list[str]) -> dict[str, Any]:
        at = self.changed[record_id].strftime("%Y-%m-%dT%H:%M:%S.000+0000")
        row = {**self.rows[record_id], "Id": record_id, "SystemModstamp": at}
        url = f"/services/data/v62.0/sobjects/{self.kind}/{record_id}"
        return {"attributes": {"type": self.kind, "url": url}, **{name: row.get(name) for name in names}}

    def _query(self, query: str) -> Reply:
        shape = re.fullmatch(r"SELECT (.+?) FROM (\w+)(?: WHERE (.*))? ORDER BY Id LIMIT (\d+)", query, re.DOTALL)
        assert shape is not None, query
        terms = self._read_terms(shape[3] or "")
        found = [
            one for one in sorted(self.rows) if all(self._holds({**self.rows[one], "Id": one}, *term) for term in terms)
        ]
        names = shape[1].split(", ")
        return Reply(200, {"done": True, "records": [self._show(one, names) for one in found[: int(shape[4])]]})

    @staticmethod
    def _read_terms(text: str) -> list[tuple[str, str, Any]]:
        """Read what stands after WHERE as a server does; a text that broke out of its quotes is read as code."""
        tokens: list[Any] = []
        place = 0
        while place < len(text):
            found = _TOKEN.match(text, place)
            assert found is not None, text[place:]
            place = found.end()
            if found[1] is None:
                tokens.append(found[2] or found[3])
            else:
                tokens.append(("text", re.sub(r"\\(.)", Salesforce._read_mark, found[1], flags=re.DOTALL)))
        terms = []
        while tokens:
            name, operator = tokens.pop(0), tokens.pop(0)
            if operator == "IN":
                close = tokens.index(")")
                value: Any = [Salesforce._read_value(one) for one in tokens[1:close] if one != ","]
                tokens = tokens[close + 1 :]
            else:
                value = Salesforce._read_value(tokens.pop(0))
            terms.append((name, operator, value))
            assert not tokens or tokens.pop(0) == "AND"
        return terms

    @staticmethod
    def _read_mark(found: re.Match[str]) -> str:
        return found[0] if found[1] in "%_" else _MEANINGS.get(found[1], found[1])

    @staticmethod
    def _read_value(token: Any) -> Any:
        if isinstance(token, tuple):
            return token[1]
        plain = {"null": None, "true": True, "false": False}
        return plain[token] if token in plain else float(token) if re.fullmatch(r"-?[\d.]+", token) else token

    @staticmethod
    def _holds(row: Mapping[str, Any], name: str, operator: str, value: Any) -> Any:
        found = row.get(name)
        if operator == "LIKE":
            pattern = re.escape(value.replace("\\%", "\0").replace("\\_", "\1")).replace("%", ".*").replace("_", ".")
            pattern = pattern.replace(re.escape("\0"), "%").replace("\0", "%").replace(re.escape("\1"), "_")
            return re.fullmatch(pattern.replace("\1", "_"), str(found or ""), re.DOTALL | re.IGNORECASE) is not None
        if operator == "IN":
            return found in value
        if operator in ("=", "!="):
            return (found == value) == (operator == "=")
        if found is None:
            return False
        return {"<": found < value, "<=": found <= value, ">": found > value, ">=": found >= value}[operator]


class Odoo(RecordVendor):
    """Models by JSON-2; ``x_pentad_call`` is a field of the user's own, not unique."""

    kind = "res.partner"
    words = {"name": "name", "number": "color", "marker": "x_pentad_call"}  # noqa: RUF012
    limit = Reply(429, {"name": "werkzeug.exceptions.TooManyRequests", "message": "429 Too Many Requests"})

    def __init__(self) -> None:
        super().__init__()
        self.archived: set[str] = set()

    def name_next(self) -> str:
        return str(next(self._numbers))

    @property
    def unauthorized(self) -> Reply:
        return Reply(401, self._describe("werkzeug.exceptions.Unauthorized", "Invalid apikey"))

    @staticmethod
    def _describe(name: str, message: str) -> dict[str, Any]:
        return {
            "name": name,
            "message": message,
            "arguments": [message],
            "context": {},
            "debug": "Traceback",
        }

    def answer(self, asked: Asked) -> Reply:
        assert asked.method == "POST"
        assert asked.parts[:3] == ("json", "2", self.kind)
        method, given = asked.parts[3], asked.json
        ids = [str(one) for one in given.get("ids", [])]
        if any(one not in self.rows for one in ids):
            return Reply(404, self._describe("odoo.exceptions.MissingError", "Record does not exist"))
        if method == "search_read":
            return Reply(200, self._search(given))
        if method == "create":
            return Reply(200, [int(self.put(values)) for values in given["vals_list"]])
        if method == "write":
            for one in ids:
                self.put(given["vals"], one)
            return Reply(200, True)
        if method in ("action_archive", "action_cancel", "action_draft"):
            for one in ids:
                self.put({} if method == "action_archive" else {"state": method.removeprefix("action_")}, one)
            self.archived.update(ids if method == "action_archive" else ())
            return Reply(200, b"null")
        return Reply(422, self._describe("odoo.exceptions.UserError", f"no method {method}"))

    def _search(self, given: dict[str, Any]) -> list[dict[str, Any]]:
        assert given["order"] == "id"
        everything = given.get("context", {}).get("active_test") is False
        found = [
            one
            for one in sorted(self.rows, key=int)
            if (everything or one not in self.archived)
            and all(self._holds({**self.rows[one], "id": int(one)}, *term) for term in given["domain"])
        ]
        return [self._show(one, given["fields"]) for one in found[: given["limit"]]]

    def _show(self, record_id: str, names: list[str]) -> dict[str, Any]:
        at = self.changed[record_id].strftime("%Y-%m-%d %H:%M:%S")
        row = {**self.rows[record_id], "write_date": at}
        shown = {name: row.get(name) if row.get(name) is not None else False for name in names}
        return {**shown, "id": int(record_id)}

    @staticmethod
    def _holds(row: Mapping[str, Any], name: str, operator: str, value: Any) -> Any:
        found = False if row.get(name) is None else row[name]
        if operator == "ilike":
            pattern = re.escape(re.sub(r"\\(.)", lambda mark: {"%": "\0", "_": "\1"}.get(mark[1], mark[1]), value))
            pattern = pattern.replace("%", ".*").replace("_", ".").replace("\0", "%").replace("\1", "_")
            return re.search(pattern.replace("\\%", "%"), str(found), re.IGNORECASE | re.DOTALL) is not None
        if operator == "in":
            return found in value
        if operator in ("=", "!="):
            return (found == value) == (operator == "=")
        if found is False:
            return False
        return {"<": found < value, "<=": found <= value, ">": found > value, ">=": found >= value}[operator]
