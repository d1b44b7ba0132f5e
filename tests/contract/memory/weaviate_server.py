"""A server that speaks Weaviate's REST and GraphQL: it refuses what Weaviate refuses, in the words of Weaviate 1.39.

Requests are checked against models of the documented bodies, GraphQL against a schema like the one that Weaviate makes
of a collection; what is unknown is refused. Vectors are compared one by one: there is no HNSW, so nothing is missed.
"""

import json
import re
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import graphql
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pentad.memory.retrieval.words import WordIndex

KEY = "local"
LIMIT = 10_000
VERSION = "1.39.0"
Json = dict[str, Any]
NOTHING = object()
"""The answer 204."""
_TENANT = re.compile(r"[A-Za-z0-9_-]{1,64}")
_CLASS = re.compile(r"[A-Z][_0-9A-Za-z]{0,255}")

_QUERIES = """
scalar Text
enum Operator { And Or Not Equal NotEqual GreaterThan GreaterThanEqual LessThan LessThanEqual Like IsNull
  WithinGeoRange ContainsAny ContainsAll ContainsNone }
input Where { path: [String] operator: Operator operands: [Where] valueText: Text valueInt: Int valueBoolean: Boolean }
input NearVector { vector: [Float] certainty: Float distance: Float }
input Bm25 { query: String properties: [String] }
type Additional { id: String vector: [Float] distance: Float score: String }
type Query { Get: Collections }
"""
_FIELD = "(tenant: String limit: Int offset: Int after: String where: Where nearVector: NearVector bm25: Bm25)"


_HNSW: Json = {
    "distance": "cosine",
    "skip": False,
    "cleanupIntervalSeconds": 300,
    "maxConnections": 32,
    "efConstruction": 128,
    "ef": -1,
    "dynamicEfMin": 100,
    "dynamicEfMax": 500,
    "dynamicEfFactor": 8,
    "vectorCacheMaxObjects": 1_000_000_000_000,
    "flatSearchCutoff": 40_000,
    "filterStrategy": "sweeping",
}


class Refused(Exception):
    """What the server answers with a status other than 200."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Property(_Body):
    name: str = Field(pattern=r"^[_A-Za-z][_0-9A-Za-z]{0,230}$")
    dataType: list[str] = Field(min_length=1)
    description: str | None = None
    tokenization: str | None = Field(default=None, pattern="^(word|lowercase|whitespace|field|trigram)$")
    indexFilterable: bool = True
    indexSearchable: bool | None = None
    indexRangeFilters: bool | None = None
    moduleConfig: Json | None = None


class _Tenancy(_Body):
    enabled: bool = False
    autoTenantCreation: bool = False
    autoTenantActivation: bool = False


class _Collection(_Body):
    name: str = Field(alias="class")
    description: str | None = None
    vectorizer: str | None = None
    vectorConfig: Json | None = None
    vectorIndexType: str = Field(default="hnsw", pattern="^(hnsw|flat|dynamic|hfresh)$")
    vectorIndexConfig: Json | None = None
    multiTenancyConfig: _Tenancy = _Tenancy()
    invertedIndexConfig: Json | None = None
    replicationConfig: Json | None = None
    shardingConfig: Json | None = None
    moduleConfig: Json | None = None
    properties: list[_Property] = []


class _Tenant(_Body):
    name: str
    activityStatus: str | None = None


class _Object(_Body):
    name: str = Field(alias="class")
    id: str
    tenant: str | None = None
    vector: list[int | float] = []
    properties: Json = {}


class _Batch(_Body):
    objects: list[Json] = Field(min_length=1)
    fields: list[str] | None = None


class _Where(_Body):
    path: list[str] = []
    operator: str
    operands: list["_Where"] = []
    valueText: str | None = None
    valueTextArray: list[str] | None = None


class _Chosen(_Body):
    name: str = Field(alias="class")
    where: _Where


class _Removal(_Body):
    match: _Chosen
    output: str = Field(default="minimal", pattern="^(minimal|verbose)$")
    dryRun: bool = False


class _Query(_Body):
    query: str
    variables: Json | None = None
    operationName: str | None = None


class Engine:
    """Collections, their tenants and objects, in memory.

    Args:
        limit: QUERY_MAXIMUM_RESULTS: at most so many are found by a search, or removed by a request.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self.collections: dict[str, _Collection] = {}
        self.tenants: dict[str, dict[str, dict[str, _Object]]] = {}
        self.requests: list[tuple[str, str, Any]] = []
        self.lock = threading.Lock()

    def answer(self, method: str, target: str, body: Any) -> Any:
        """Return the JSON of an answer."""
        self.requests.append((method, target, body))
        parts = urlsplit(target)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        path = parts.path.removeprefix("/v1").strip("/").split("/")
        routes: dict[tuple[str, ...], Callable[..., Any]] = {
            ("GET", "meta"): lambda: {"version": VERSION, "modules": {}},
            ("POST", "schema"): lambda: self._create(body),
            ("POST", "graphql"): lambda: self._query(body),
            ("POST", "objects"): lambda: self._insert(body),
            ("POST", "batch", "objects"): lambda: self._batch(body),
            ("DELETE", "batch", "objects"): lambda: self._remove(body, asked.get("tenant", "")),
        }
        if (method, *path) in routes:
            return routes[method, *path]()
        if method == "DELETE" and path[0] == "objects" and len(path) == 3:
            if self._find(path[1], asked.get("tenant")).pop(path[2], None) is None:
                raise Refused(404, "")
            return NOTHING
        if path[0] != "schema" or len(path) < 2:
            raise Refused(404, f"path {parts.path} was not found")
        return self._answer_schema(method, path[1:], body)

    def _answer_schema(self, method: str, path: list[str], body: Any) -> Any:
        name = path[0]
        if name not in self.collections:
            raise Refused(404, "")
        if (method, len(path)) == ("GET", 1):
            return _show_collection(self.collections[name])
        if path[1:2] != ["tenants"]:
            raise Refused(405, f"method {method} is not allowed")
        tenants = self.tenants[name]
        if len(path) == 3:
            if path[2] not in tenants:
                raise Refused(404, "")
            return {"name": path[2], "activityStatus": "HOT"}
        if method == "POST":
            asked = [_Tenant.model_validate(one) for one in body]
            for index, one in enumerate(asked):
                if not _TENANT.fullmatch(one.name):
                    raise Refused(422, f"tenant name at index {index}: tenant name should only contain alphanumeric")
                tenants.setdefault(one.name, {})
            return [{"name": one.name, "activityStatus": "HOT"} for one in asked]
        for one in body:
            tenants.pop(one, None)
        return None

    def _create(self, body: Any) -> Any:
        asked = _Collection.model_validate(body)
        if not _CLASS.fullmatch(asked.name):
            raise Refused(422, f"'{asked.name}' is not a valid class name")
        if asked.name in self.collections:
            raise Refused(422, f"class name {asked.name} already exists")
        if asked.multiTenancyConfig.autoTenantActivation and not asked.multiTenancyConfig.enabled:
            raise Refused(422, "can't enable autoTenantActivation on a non-multi-tenant class")
        for one in asked.properties:
            if one.dataType not in (["text"], ["text[]"]):
                raise Refused(422, f"property '{one.name}': invalid dataType: {one.dataType}")
        self.collections[asked.name] = asked
        self.tenants[asked.name] = {}
        return body

    def _find(self, name: str, tenant: str | None) -> dict[str, _Object]:
        if not tenant:
            raise Refused(422, f"class {name} has multi-tenancy enabled, but request was without tenant")
        if tenant not in self.tenants[name]:
            raise Refused(422, f'tenant not found: "{tenant}"')
        return self.tenants[name][tenant]

    def _insert(self, body: Any) -> Any:
        self._store(body)
        return body

    def _store(self, body: Any) -> None:
        one = _Object.model_validate(body)
        uuid.UUID(one.id)
        if one.name not in self.collections:
            raise Refused(422, f"class '{one.name}' not present in schema")
        known = {known.name: known for known in self.collections[one.name].properties}
        for name, value in one.properties.items():
            if name not in known:
                raise Refused(422, f"no such prop with name '{name}' found in class '{one.name}' in the schema")
            values = value if known[name].dataType == ["text[]"] else [value]
            if not isinstance(values, list) or not all(isinstance(text, str) for text in values):
                raise Refused(422, f"invalid text property '{name}' on class '{one.name}': not a string")
        objects = self._find(one.name, one.tenant)
        for other in objects.values():
            if len(other.vector) != len(one.vector):
                raise Refused(
                    422,
                    f"Validate vector index for {one.id}: new node has a vector with length {len(one.vector)}. "
                    f"Existing nodes have vectors with length {len(other.vector)}",
                )
            break
        objects[one.id] = one

    def _batch(self, body: Any) -> Any:
        replies = []
        for one in _Batch.model_validate(body).objects:
            result: Json = {"status": "SUCCESS"}
            try:
                self._store(one)
            except (Refused, ValueError) as error:
                result = {"status": "FAILED", "errors": {"error": [{"message": str(error)}]}}
            replies.append({**one, "result": result})
        return replies

    def _remove(self, body: Any, tenant: str) -> Any:
        asked = _Removal.model_validate(body)
        if asked.match.name not in self.collections:
            raise Refused(422, f"validate: failed to get class: {asked.match.name}")
        objects = self._find(asked.match.name, tenant)
        found = [name for name, one in objects.items() if self._meets(one, asked.match.where)]
        chosen = [] if asked.dryRun else found[: self.limit]
        for name in chosen:
            del objects[name]
        counts = {"matches": len(found), "limit": self.limit, "successful": len(chosen), "failed": 0, "objects": None}
        return {"match": body["match"], "output": asked.output, "dryRun": asked.dryRun, "results": counts}

    def _meets(self, one: _Object, where: _Where) -> bool:
        if where.operator in ("And", "Or"):
            if not where.operands:
                raise Refused(422, f"operator {where.operator} requires operands")
            return (all if where.operator == "And" else any)(self._meets(one, part) for part in where.operands)
        if where.operator != "ContainsAny":
            raise LookupError(f"this server has no {where.operator}")
        if where.valueTextArray is None:
            raise Refused(422, "operator ContainsAny requires an array: valueTextArray")
        [name] = where.path
        known = {known.name: known for known in self.collections[one.name].properties}
        if name not in known or not known[name].indexFilterable or known[name].tokenization != "field":
            raise Refused(422, f"invalid where filter: no such prop with name '{name}' found, or it is not filterable")
        value = one.properties.get(name) or []
        values = {text.strip() for text in ([value] if isinstance(value, str) else value)}
        return any(wanted.strip() in values for wanted in where.valueTextArray)

    def _query(self, body: Any) -> Any:
        asked = _Query.model_validate(body)
        if not self.collections:
            raise Refused(422, "no graphql provider present, this is most likely because no schema is present")
        fields = "".join(f"{name}{_FIELD}: [{name}] " for name in self.collections)
        types = "".join(
            f"type {name} {{ {' '.join(f'{one.name}: {_name_type(one)}' for one in known.properties)} "
            "_additional: Additional }\n"
            for name, known in self.collections.items()
        )
        schema = graphql.build_schema(f"{_QUERIES} {types} type Collections {{ {fields} }}")
        found = {name: self._make_search(name) for name in self.collections}
        result = graphql.graphql_sync(schema, asked.query, {"Get": found}, variable_values=asked.variables)
        reply: Json = {"data": result.data}
        if result.errors:
            reply["errors"] = [{"message": f"explorer: get class: {one.message}"} for one in result.errors]
        return reply

    def _make_search(self, name: str) -> Callable[..., list[Json]]:
        def search(_: Any, **asked: Any) -> list[Json]:
            objects = self._find(name, asked.get("tenant"))
            most = asked.get("limit", 25) + asked.get("offset", 0)
            if most > self.limit:
                raise ValueError("query maximum results exceeded")
            kinds = {"where", "nearVector", "bm25"} & set(asked)
            if "after" in asked and kinds:
                raise ValueError("cursor api: invalid 'after' parameter: where cannot be set with after and limit")
            if "where" in asked:
                where = _read_where(asked["where"])
                objects = {key: one for key, one in objects.items() if self._meets(one, where)}
            if "nearVector" in asked:
                ranked = _rank_by_vector(objects, asked["nearVector"]["vector"])
            elif "bm25" in asked:
                ranked = self._rank_by_words(name, self._find(name, asked["tenant"]), objects, asked["bm25"])
            else:
                after = asked.get("after") or ""
                ranked = [(one, {}) for key, one in sorted(objects.items()) if key > after]
            return [_show(one, more) for one, more in ranked[asked.get("offset", 0) : most]]

        return search

    def _rank_by_words(
        self, name: str, all_objects: dict[str, _Object], objects: dict[str, _Object], asked: Json
    ) -> list[tuple[_Object, Json]]:
        [field] = asked["properties"]
        [known] = [one for one in self.collections[name].properties if one.name == field]
        if not known.indexSearchable or known.tokenization != "whitespace":
            raise ValueError(f"property {field} is not indexed for searching")
        index = WordIndex()
        for key, one in all_objects.items():
            index.put(key, str(one.properties.get(field, "")).split())
        scores = index.score(list(dict.fromkeys(asked["query"].split())))
        ranked = sorted((key for key in scores if key in objects), key=lambda key: -scores[key])
        return [(objects[key], {"score": str(scores[key])}) for key in ranked]


def _show_collection(one: _Collection) -> Json:
    """Return a collection with what the server fills in, as far as its client reads it."""
    shown = one.model_dump(by_alias=True, exclude_none=True)
    asked = one.invertedIndexConfig or {}
    shown["invertedIndexConfig"] = {
        "bm25": {"k1": 1.2, "b": 0.75, **asked.get("bm25", {})},
        "cleanupIntervalSeconds": 60,
        "stopwords": {"preset": "en", "additions": None, "removals": None, **asked.get("stopwords", {})},
    }
    shown["vectorIndexConfig"] = {**_HNSW, **(one.vectorIndexConfig or {})}
    shown["replicationConfig"] = {"factor": 1, "asyncEnabled": False, "deletionStrategy": "TimeBasedResolution"}
    shown["shardingConfig"] = {}
    return shown


def _name_type(one: _Property) -> str:
    return "[String]" if one.dataType == ["text[]"] else "String"


def _read_where(asked: Json) -> _Where:
    """Return a condition as REST has it; GraphQL has one name for a value and a list of them."""
    value = asked.get("valueText")
    named = {} if value is None else {"valueTextArray" if isinstance(value, list) else "valueText": value}
    operands = [_read_where(one) for one in asked.get("operands") or ()]
    return _Where(path=asked.get("path") or [], operator=asked["operator"], operands=operands, **named)


def _rank_by_vector(objects: dict[str, _Object], wanted: list[float]) -> list[tuple[_Object, Json]]:
    ranked = []
    for one in objects.values():
        if len(one.vector) != len(wanted):
            raise ValueError(f"vector search: {len(one.vector)} vs {len(wanted)}: vector lengths don't match")
        norm = (sum(x * x for x in one.vector) * sum(x * x for x in wanted)) ** 0.5
        ranked.append((one, {"distance": 1 - sum(a * b for a, b in zip(one.vector, wanted, strict=True)) / norm}))
    return sorted(ranked, key=lambda pair: pair[1]["distance"])


def _show(one: _Object, more: Json) -> Json:
    return {**one.properties, "_additional": {"id": one.id, "vector": one.vector, **more}}


@contextmanager
def serve_weaviate(engine: Engine | None = None) -> Iterator[str]:
    """Yield the address of a server on the loopback interface, by default an empty one; its key is `KEY`."""
    own = engine or Engine()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

        def _handle(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, reply = 200, None
            try:
                if self.headers.get("Authorization") != f"Bearer {KEY}":
                    raise Refused(401, "unauthorized: invalid api key")
                with own.lock:
                    reply = own.answer(self.command, self.path, json.loads(sent) if sent else None)
                if reply is NOTHING:
                    status, reply = 204, None
            except Refused as error:
                status, reply = error.status, {"error": [{"message": str(error)}]} if str(error) else None
            except ValidationError as error:
                status, reply = 422, {"code": 602, "message": str(error)}
            answer = b"" if reply is None else json.dumps(reply).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _handle

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
