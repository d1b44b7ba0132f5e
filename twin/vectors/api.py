"""Pinecone's data-plane HTTP API (version 2026-07, as pinecone 10 calls it) over a VectorStore."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from twin.servers.loopback import Request, Response, json_response
from twin.vectors import inference
from twin.vectors.documents import DocumentPlane
from twin.vectors.errors import BadRequest, Exists, IndexFault, Missing, TooLarge, Unauthenticated
from twin.vectors.filters import compile_filter
from twin.vectors.paging import MAX_FETCH_PAGE, MAX_PAGE, decode_token, encode_token, parse_limit, select_page
from twin.vectors.records import Record, parse_id, parse_metadata, parse_records, parse_sparse, parse_values
from twin.vectors.schema import Schema
from twin.vectors.store import VectorStore

DEFAULT_NAMESPACE = "__default__"
MAX_TOP_K = 10_000
MAX_IDS = 1_000
MAX_REQUEST_BYTES = 2 << 20
_MAX_NAMESPACE = 512

Body = Mapping[str, Any]


class DataPlane:
    """Answers requests; thread-safe because the store is."""

    def __init__(self, store: VectorStore, schema: Schema | None = None) -> None:
        self._store = store
        self._schema = schema
        self._documents = None if schema is None else DocumentPlane(store, schema)
        self._posts: dict[str, Callable[[Body], Any]] = {
            "/vectors/upsert": self._upsert,
            "/query": self._query,
            "/vectors/fetch_by_metadata": self._fetch_by_metadata,
            "/vectors/delete": self._delete,
            "/vectors/update": self._update,
            "/describe_index_stats": self._describe_stats,
            "/namespaces": self._create_namespace,
            "/rerank": inference.rerank,
            "/embed": inference.embed,
        }
        self._gets: dict[str, Callable[[Request], Any]] = {
            "/vectors/fetch": self._fetch,
            "/vectors/list": self._list,
            "/namespaces": self._list_namespaces,
            "/describe_index_stats": lambda request: self._describe_stats({}),
        }

    def __call__(self, request: Request) -> Response:
        """Answer one request; refusals become Pinecone's error bodies."""
        headers = {"x-pinecone-request-id": uuid.uuid4().hex}
        try:
            return json_response(200, self._route(request), headers)
        except IndexFault as fault:
            return json_response(fault.status, fault.to_payload(), headers)

    def _route(self, request: Request) -> Any:
        if request.headers.get("api-key", "invalid") in ("", "invalid"):
            raise Unauthenticated("Invalid API Key")
        if len(request.body) > MAX_REQUEST_BYTES:
            raise TooLarge(
                f"Error, message length too large: found {len(request.body)} bytes, "
                f"the limit is: {MAX_REQUEST_BYTES} bytes"
            )
        if request.path.startswith("/namespaces/") and "/documents/" in request.path:
            return self._handle_documents(request)
        if self._schema is not None and request.path.startswith(("/vectors/", "/query")):
            raise BadRequest("This index has a schema: read and write it with the documents API")
        if request.method == "POST" and (post := self._posts.get(request.path)):
            return post(_parse_body(request))
        if request.method == "GET" and (get := self._gets.get(request.path)):
            return get(request)
        if request.path.startswith("/namespaces/"):
            return self._handle_namespace(request)
        raise Missing(f"{request.method} {request.path} is not a path of the data plane")

    def _upsert(self, body: Body) -> Any:
        records = parse_records(body.get("vectors"), self._store.dimension)
        self._store.put(_parse_namespace(body.get("namespace")), records)
        return {"upsertedCount": len(records)}

    def _query(self, body: Body) -> Any:
        namespace = _parse_namespace(body.get("namespace"))
        top_k = body.get("topK")
        if isinstance(top_k, bool) or not isinstance(top_k, int) or not 1 <= top_k <= MAX_TOP_K:
            raise BadRequest(f"Invalid top_k: must be between 1 and {MAX_TOP_K}, got {top_k}")
        keep = compile_filter(body["filter"]) if body.get("filter") else None
        sparse = parse_sparse(body.get("sparseVector"))
        if body.get("id") is not None:
            found = self._store.get(namespace, [parse_id(body["id"])])
            if not found:
                return {"matches": [], "namespace": namespace, "usage": {"readUnits": 1}}
            values, sparse = found[0].values, found[0].sparse if self._store.metric == "dotproduct" else None
        else:
            values = parse_values(body.get("vector"), self._store.dimension)
        if sparse and self._store.metric != "dotproduct":
            raise BadRequest("Index configuration does not support sparse values: only dotproduct indexes do")
        options = {"values": bool(body.get("includeValues")), "metadata": bool(body.get("includeMetadata"))}
        matches = [
            {**record.as_json(**options), "score": score}
            for record, score in self._store.search(namespace, values, top_k, keep, sparse)
        ]
        return {"matches": matches, "namespace": namespace, "usage": {"readUnits": 1}}

    def _fetch(self, request: Request) -> Any:
        ids = [parse_id(id_) for id_ in request.query.get("ids", [])]
        if not 1 <= len(ids) <= MAX_IDS:
            raise BadRequest(f"Fetch takes between 1 and {MAX_IDS} ids, got {len(ids)}")
        namespace = _parse_namespace(_get_first(request, "namespace"))
        found = self._store.get(namespace, ids)
        return {"vectors": _index_by_id(found), "namespace": namespace, "usage": {"readUnits": 1}}

    def _fetch_by_metadata(self, body: Body) -> Any:
        if not body.get("filter"):
            raise BadRequest("Empty filter provided for fetch by metadata request")
        namespace = _parse_namespace(body.get("namespace"))
        found = self._store.select(namespace, compile_filter(body["filter"]))
        page, following = select_page(found, body.get("limit"), body.get("paginationToken"), MAX_FETCH_PAGE)
        return {
            "vectors": _index_by_id(page),
            "namespace": namespace,
            "usage": {"readUnits": 1},
            "pagination": following,
        }

    def _list(self, request: Request) -> Any:
        namespace = _parse_namespace(_get_first(request, "namespace"))
        found = self._store.select(namespace, prefix=_get_first(request, "prefix") or "")
        limit = _parse_integer(_get_first(request, "limit"))
        page, following = select_page(found, limit, _get_first(request, "paginationToken"), MAX_PAGE)
        reply: dict[str, Any] = {
            "vectors": [{"id": record.id} for record in page],
            "namespace": namespace,
            "usage": {"readUnits": 1},
        }
        return reply | ({"pagination": following} if following else {})

    def _delete(self, body: Body) -> Any:
        namespace = _parse_namespace(body.get("namespace"))
        ids, everything, filter_ = body.get("ids"), body.get("deleteAll"), body.get("filter")
        if sum(bool(way) for way in (ids is not None, everything, filter_ is not None)) != 1:
            raise BadRequest("Delete takes exactly one of ids, deleteAll and filter")
        if namespace not in self._store.list_namespaces():
            raise Missing("Namespace not found")
        if ids is not None:
            if not isinstance(ids, list) or len(ids) > MAX_IDS:
                raise BadRequest(f"Cannot delete more than {MAX_IDS} ids in a single request")
            self._store.drop(namespace, [parse_id(id_) for id_ in ids])
            return {}
        if filter_ is not None and not filter_:
            raise BadRequest("Delete with empty metadata filter is not allowed")
        keep = compile_filter(filter_) if filter_ else None
        self._store.drop_where(namespace, keep)
        return {}

    def _update(self, body: Body) -> Any:
        namespace = _parse_namespace(body.get("namespace"))
        changes = parse_metadata(body.get("setMetadata") or {})
        values, sparse = body.get("values"), parse_sparse(body.get("sparseValues"))
        dense = parse_values(values, self._store.dimension, zero_allowed=False) if values else None

        def apply_changes(record: Record) -> Record:
            merged = parse_metadata({**(record.metadata or {}), **changes})
            return Record(
                id=record.id,
                values=record.values if dense is None else dense,
                metadata=merged or record.metadata,
                sparse=record.sparse if sparse is None else sparse,
            )

        if body.get("id") is not None:
            self._store.update(namespace, [parse_id(body["id"])], apply_changes)
            return {}
        if not body.get("filter"):
            raise BadRequest("Update with empty metadata filter is not allowed")
        ids = [record.id for record in self._store.select(namespace, compile_filter(body["filter"]))]
        return {"matchedRecords": len(ids) if body.get("dryRun") else self._store.update(namespace, ids, apply_changes)}

    def _describe_stats(self, body: Body) -> Any:
        if body.get("filter"):
            raise BadRequest("Serverless indexes do not support describing index stats with metadata filtering")
        counts = self._store.list_namespaces()
        return {
            "namespaces": {_format_namespace(name): {"vectorCount": count} for name, count in counts.items()},
            "dimension": self._store.dimension,
            "indexFullness": 0,
            "totalVectorCount": sum(counts.values()),
            "metric": self._store.metric,
            "vectorType": "dense",
        }

    def _create_namespace(self, body: Body) -> Any:
        name = body.get("name")
        if not isinstance(name, str) or not name or name == DEFAULT_NAMESPACE:
            raise BadRequest("A namespace needs a name that is not empty or reserved")
        if not self._store.create_namespace(_parse_namespace(name)):
            raise Exists("Namespace already exists")
        return {"name": name, "record_count": "0"}

    def _list_namespaces(self, request: Request) -> Any:
        prefix = _get_first(request, "prefix") or ""
        counts = {_format_namespace(name): count for name, count in self._store.list_namespaces().items()}
        names = sorted(name for name in counts if name.startswith(prefix))
        start = decode_token(_get_first(request, "paginationToken"))
        after = [name for name in names if name > start]
        limit = parse_limit(_parse_integer(_get_first(request, "limit")), MAX_PAGE)
        page = after[:limit]
        reply: dict[str, Any] = {
            "namespaces": [{"name": name, "record_count": str(counts[name])} for name in page],
            "total_count": len(names),
        }
        return reply | ({"pagination": {"next": encode_token(page[-1])}} if len(after) > limit else {})

    def _handle_documents(self, request: Request) -> Any:
        shown, _, verb = request.path.removeprefix("/namespaces/").partition("/documents/")
        if self._documents is None:
            raise Missing("This index has no schema: read and write it with the vectors API")
        if request.method != "POST":
            raise Missing(f"{request.method} {request.path} is not a path of the data plane")
        return self._documents.handle(_parse_namespace(unquote(shown)), verb, _parse_body(request))

    def _handle_namespace(self, request: Request) -> Any:
        shown = unquote(request.path.removeprefix("/namespaces/"))
        counts = self._store.list_namespaces()
        name = _parse_namespace(shown)
        if name not in counts:
            raise Missing(f"Namespace {shown} not found")
        if request.method == "GET":
            return {"name": _format_namespace(name), "record_count": str(counts[name])}
        if request.method == "DELETE":
            self._store.delete_namespace(name)
            return {}
        raise Missing(f"{request.method} {request.path} is not a path of the data plane")


def _parse_body(request: Request) -> Body:
    try:
        body = request.json()
    except ValueError as exc:
        raise BadRequest("The request body is not valid JSON") from exc
    if not isinstance(body, Mapping):
        raise BadRequest("The request body must be an object")
    return body


def _parse_namespace(raw: Any) -> str:
    if raw in (None, DEFAULT_NAMESPACE):
        return ""
    if not isinstance(raw, str) or len(raw) > _MAX_NAMESPACE or "\0" in raw:
        raise BadRequest(f"A namespace is a string of at most {_MAX_NAMESPACE} characters")
    return raw


def _format_namespace(namespace: str) -> str:
    return namespace or DEFAULT_NAMESPACE


def _get_first(request: Request, name: str) -> str | None:
    values = request.query.get(name)
    return values[0] if values else None


def _parse_integer(raw: str | None) -> int | None:
    if raw is None:
        return None
    if not raw.isdigit():
        raise BadRequest(f"limit must be a number, got '{raw}'")
    return int(raw)


def _index_by_id(records: list[Record]) -> dict[str, Any]:
    return {record.id: record.as_json() for record in records}
