"""Pinecone's document API of one index with a schema: ``/namespaces/{namespace}/documents/*`` (version 2026-07).

What is sent and returned is what the installed client builds and decodes (``pinecone._internal.documents_helpers``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from twin.vectors.errors import BadRequest, Missing
from twin.vectors.filters import compile_filter
from twin.vectors.fulltext import MATCH_OPERATORS
from twin.vectors.paging import MAX_FETCH_PAGE, MAX_PAGE, select_page
from twin.vectors.records import MAX_UPSERT_VECTORS, Record, parse_id, parse_metadata, parse_values
from twin.vectors.schema import Schema
from twin.vectors.store import VectorStore

MAX_TOP_K = 10_000
MAX_IDS = 1_000
MAX_CLAUSES = 100
_ALONE = ("dense_vector", "sparse_vector", "embed", "sparse_embed")

Body = Mapping[str, Any]


class DocumentPlane:
    """Answers the calls of ``Index.documents``; thread-safe because the store is."""

    def __init__(self, store: VectorStore, schema: Schema) -> None:
        self._store = store
        self._schema = schema
        self._verbs: dict[str, Callable[[str, Body], Any]] = {
            "upsert": self._upsert,
            "search": self._search,
            "fetch": self._fetch,
            "delete": self._delete,
            "update": self._update,
            "list": self._list,
        }

    def handle(self, namespace: str, verb: str, body: Body) -> Any:
        """Return the answer to one call.

        Raises:
            IndexFault: The call is refused.
        """
        if verb not in self._verbs:
            raise Missing(f"documents/{verb} is not a path of the data plane")
        if verb not in ("upsert", "update") and namespace not in self._store.list_namespaces():
            raise Missing(f"Namespace {namespace} not found")
        return self._verbs[verb](namespace, body)

    def _upsert(self, namespace: str, body: Body) -> Any:
        items = body.get("documents")
        if not isinstance(items, list) or not items:
            raise BadRequest("'documents' must contain at least one document to upsert.")
        if len(items) > MAX_UPSERT_VECTORS:
            raise BadRequest(f"Number of documents exceeds the maximum limit of {MAX_UPSERT_VECTORS} documents")
        records = [self._parse_document(item) for item in items]
        if len({record.id for record in records}) < len(records):
            raise BadRequest("Document IDs must be unique within a request")
        self._store.put(namespace, records)
        return {"upserted_count": len(records)}

    def _parse_document(self, item: Any) -> Record:
        if not isinstance(item, Mapping):
            raise BadRequest("Each document must be an object")
        id_ = parse_id(item.get("_id"))
        values, texts, metadata = self._schema.split(item)
        if values is None:
            raise BadRequest(f"Document '{id_}' is missing the required field '{self._schema.dense}'")
        for name, text in texts.items():
            if not isinstance(text, str):
                raise BadRequest(f"Field '{name}' of document '{id_}' must be a string")
        if unknown := [name for name in metadata if name.startswith("_")]:
            raise BadRequest(f"Field '{unknown[0]}' of document '{id_}' has a reserved name")
        return Record(
            id=id_,
            values=parse_values(values, self._store.dimension, zero_allowed=False),
            # The limit on metadata leaves out what is searched for words.
            metadata={**parse_metadata(metadata), **texts},
        )

    def _search(self, namespace: str, body: Body) -> Any:
        clauses = _parse_clauses(body.get("score_by"))
        top_k = body.get("top_k")
        if isinstance(top_k, bool) or not isinstance(top_k, int) or not 1 <= top_k <= MAX_TOP_K:
            raise BadRequest(f"'top_k' must be between 1 and {MAX_TOP_K} (got {top_k}).")
        keep = self._compile(body["filter"]) if body.get("filter") else None
        if clauses[0]["type"] == "dense_vector":
            values = self._parse_dense_clause(clauses[0])
            found = self._store.search(namespace, parse_values(values, self._store.dimension), top_k, keep)
        else:
            queries = [(name, clause["query"]) for clause in clauses for name in self._parse_text_fields(clause)]
            found = self._store.search_text(namespace, dict.fromkeys(queries), top_k, keep)
        fields = body.get("include_fields") or []
        matches = [{"_id": one.id, "_score": score, **self._show(one, fields)} for one, score in found]
        return {"matches": matches, "namespace": namespace, "usage": {"read_units": 1}}

    def _parse_dense_clause(self, clause: Body) -> Any:
        if clause.get("field") != self._schema.dense:
            raise BadRequest(f"Field '{clause.get('field')}' is not a dense_vector field of the schema")
        return clause.get("values")

    def _parse_text_fields(self, clause: Body) -> list[str]:
        if clause["type"] != "text":
            raise BadRequest(f"Scoring by '{clause['type']}' is not served by the local index")
        names = clause.get("fields") or []
        if not names or not isinstance(clause.get("query"), str):
            raise BadRequest("Text scoring requires a query and at least one field")
        for name in names:
            if name not in self._schema.texts:
                raise BadRequest(f"Field '{name}' is not a full-text search field of the schema")
        return list(names)

    def _fetch(self, namespace: str, body: Body) -> Any:
        ids, filter_, following = body.get("ids"), body.get("filter"), None
        if bool(ids) == (filter_ is not None):
            raise BadRequest("Fetch takes exactly one of 'ids' and 'filter'")
        if ids:
            found = self._store.get(namespace, _parse_ids(ids))
        else:
            chosen = self._store.select(namespace, self._compile(filter_))
            found, following = select_page(chosen, body.get("limit"), body.get("pagination_token"), MAX_FETCH_PAGE)
        fields = body.get("include_fields") or ["*"]
        reply = {
            "documents": {one.id: {"_id": one.id, **self._show(one, fields)} for one in found},
            "namespace": namespace,
            "usage": {"read_units": 1},
        }
        return reply | ({"pagination": following} if following else {})

    def _delete(self, namespace: str, body: Body) -> Any:
        ids, filter_, everything = body.get("ids"), body.get("filter"), body.get("delete_all")
        if sum((bool(ids), filter_ is not None, bool(everything))) != 1:
            raise BadRequest("Provide exactly one of 'ids', 'filter', or 'delete_all'.")
        if ids:
            self._store.drop(namespace, _parse_ids(ids))
            return {}
        if everything:
            self._store.drop_where(namespace, None)
            return {}
        chosen = self._store.select(namespace, self._compile_metadata(filter_))
        self._store.drop(namespace, [one.id for one in chosen])
        return {"matched_records": len(chosen)}

    def _update(self, namespace: str, body: Body) -> Any:
        if (patches := body.get("documents")) is not None:
            for patch in patches:
                fields = {name: value for name, value in patch.items() if name != "_remove_fields"}
                self._apply(namespace, [parse_id(patch.get("_id"))], fields, patch.get("_remove_fields") or [])
            return {}
        keep = self._compile_metadata(body.get("filter"))
        ids = [one.id for one in self._store.select(namespace, keep)]
        self._apply(namespace, ids, body.get("set_fields") or {}, body.get("remove_fields") or [])
        return {"matched_records": len(ids)}

    def _apply(self, namespace: str, ids: list[str], fields: Body, gone: list[str]) -> None:
        def change(record: Record) -> Record:
            known = {"_id": record.id, self._schema.dense: record.values.tolist(), **(record.metadata or {})}
            changed = {name: value for name, value in {**known, **fields}.items() if name not in gone}
            return self._parse_document(changed | {"_id": record.id})

        self._store.update(namespace, ids, change)

    def _list(self, namespace: str, body: Body) -> Any:
        found = self._store.select(namespace, prefix=body.get("prefix") or "")
        page, following = select_page(found, body.get("limit"), body.get("pagination_token"), MAX_PAGE)
        reply: dict[str, Any] = {
            "documents": [{"_id": one.id} for one in page],
            "namespace": namespace,
            "usage": {"read_units": 1},
        }
        return reply | ({"pagination": following} if following else {})

    def _show(self, record: Record, fields: list[str]) -> dict[str, Any]:
        known = {self._schema.dense: record.values.tolist(), **(record.metadata or {})}
        return known if "*" in fields else {name: known[name] for name in fields if name in known}

    def _compile(self, filter_: Any) -> Any:
        return compile_filter(filter_, searched=(self._schema.dense, *self._schema.texts))

    def _compile_metadata(self, filter_: Any) -> Any:
        if not filter_:
            raise BadRequest("The 'filter' field must be a non-empty object of filter predicates")
        if _has_key(filter_, MATCH_OPERATORS):
            raise BadRequest("Text-match operators are not supported here")
        return self._compile(filter_)


def _parse_clauses(raw: Any) -> list[Body]:
    if not isinstance(raw, list) or not raw:
        raise BadRequest("'score_by' must contain at least one scoring method.")
    if len(raw) > MAX_CLAUSES or not all(isinstance(one, Mapping) and isinstance(one.get("type"), str) for one in raw):
        raise BadRequest(f"'score_by' takes at most {MAX_CLAUSES} clauses with a type")
    if len(raw) > 1 and any(one["type"] in _ALONE for one in raw):
        raise BadRequest(f"'score_by' clauses of type {', '.join(_ALONE)} must appear alone in 'score_by'")
    return raw


def _parse_ids(raw: Any) -> list[str]:
    if not isinstance(raw, list) or len(raw) > MAX_IDS:
        raise BadRequest(f"Number of ids exceeds the maximum limit of {MAX_IDS} ids per request")
    return [parse_id(id_) for id_ in raw]


def _has_key(value: Any, keys: tuple[str, ...]) -> bool:
    if isinstance(value, Mapping):
        return any(name in keys or _has_key(inner, keys) for name, inner in value.items())
    return isinstance(value, list) and any(_has_key(inner, keys) for inner in value)
