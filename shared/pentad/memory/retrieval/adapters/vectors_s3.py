"""Vectors in Amazon S3 Vectors: one index a tenant, made with its first vectors.

Words are found where the installed client knows full-text search (``queryTexts``) and the index is in the mode
``ENHANCED``, as every index of a bucket made since 2026-09-30 is; elsewhere a request's text is ignored.

What can be filtered by is one list of digests, ``labels``: filterable metadata have 2 KB a vector, and a digest is as
long for any value. All metadata travel as JSON in ``payload``, and the words of `split_words` in ``words``; both can't
be filtered by. Limits: docs.aws.amazon.com/AmazonS3/latest/userguide/s3-vectors-limitations.html, read 2026-11; results
of a query: aws.amazon.com/about-aws/whats-new/2026/06/s3-vectors-supports-10000-search-results-per-query.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from pentad.domain.errors import ConfigurationError, InvalidInput, PentadError, StoreUnavailable
from pentad.domain.values import Page
from pentad.memory.retrieval.adapters.at_once import search_both
from pentad.memory.retrieval.adapters.conversions import (
    check_dimension,
    list_labels_of,
    list_wanted_labels,
    make_unit,
    split_batches,
)
from pentad.memory.retrieval.checks import Where, can_match, check_metadata_size, require_condition
from pentad.memory.retrieval.ports import Match, SearchRequest, StoreCapabilities, Vector
from pentad.memory.retrieval.words import pick_query_words, split_words

PUT_VECTORS = 200  # of 500: a request has at most 20 MB
GET_VECTORS = 100
DELETE_VECTORS = 500
MOST_FOUND = 10_000
"""Since 2026-06; `MAX_CANDIDATES` is less."""
MOST_FOUND_ONCE = 100
"""With a client that does not know pages."""
MOST_PAGES = 100
LIST_VECTORS = 1000
MAX_METADATA_BYTES = 16 * 1024
"""Of 40 KB: the words, and JSON's escapes, have the rest."""
MAX_WORDS_BYTES = 16 * 1024
MAX_LABELS = 64
"""Of 25 bytes each, in 2 KB."""
MAX_QUERY_CHARACTERS = 1024
_TENANT = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,48}[a-z0-9])?")
_MISSING = "NotFoundException"


class S3Vectors:
    """A vector store in a vector bucket of the stage.

    Args:
        client: returns a client of ``s3vectors``; called with the first use.
        bucket: the vector bucket's name.
    """

    def __init__(self, client: Callable[[], Any], bucket: str) -> None:
        self._make_client = client
        self._made: Any = None
        self._bucket = bucket
        self._dimension: int | None = None

    @property
    def capabilities(self) -> StoreCapabilities:
        """What the store can do. Ids are listed in an order of its own, and a page may have fewer than asked for."""
        return StoreCapabilities(
            words=self._has_words,
            pages=False,
            dimension=self._dimension,
            max_metadata_bytes=MAX_METADATA_BYTES,
            consistency="strong",
        )

    def upsert(self, tenant_id: str, vectors: Sequence[Vector]) -> None:
        """Store vectors, replacing those of the same id, 200 in a request.

        Raises:
            InvalidInput: a vector's metadata are larger than 16 KB, or have more than 64 values to filter by.
            StoreUnavailable: AWS did not answer.
            ConfigurationError: it refused: the role, or the dimension.
        """
        latest = {vector.vector_id: vector for vector in vectors}
        items = [_make_item(vector) for vector in latest.values()]
        for vector in vectors:
            check_dimension(vector.values, self._dimension or len(vectors[0].values))
        for batch in split_batches(items, PUT_VECTORS):
            with _translate():
                self._put(tenant_id, batch)

    def search(self, tenant_id: str, request: SearchRequest) -> list[Match]:
        """Return the nearest by meaning and the best by words, in two searches, each read page by page.

        With a client of before 2026-06, which knows no pages, at most 100 are found by each.

        Raises:
            StoreUnavailable: AWS did not answer.
            ConfigurationError: it refused: the role, or the dimension.
        """
        if not can_match(request.where):
            return []
        words = _shorten(" ".join(pick_query_words(request.text or "")))

        def find_nearest() -> list[dict[str, Any]]:
            asked = {"queryVector": {"float32": make_unit(request.dense or ())}, "returnDistance": True}
            return self._query(tenant_id, request, asked)

        def find_words() -> list[dict[str, Any]]:
            asked = {"queryTexts": [{"metadataKey": "words", "text": words}], "returnScores": True}
            return self._query(tenant_id, request, asked)

        has_direction = request.dense is not None and any(request.dense)
        nearest, worded = search_both(
            find_nearest if has_direction else None, find_words if words and self._has_words else None
        )
        found: dict[str, Match] = {}
        for one in nearest:
            found[one["key"]] = Match(vector_id=one["key"], dense=1 - one["distance"], metadata=_read_metadata(one))
        for rank, one in enumerate(worded):
            known = found.get(one["key"]) or Match(vector_id=one["key"], metadata=_read_metadata(one))
            found[one["key"]] = known.model_copy(update={"words": _read_score(one, rank)})
        return list(found.values())

    def fetch(self, tenant_id: str, vector_ids: Sequence[str]) -> dict[str, Vector]:
        """Return those of the vectors that are there, by id.

        Raises:
            StoreUnavailable: AWS did not answer.
            ConfigurationError: it refused the role.
        """
        found: dict[str, Vector] = {}
        for batch in split_batches(list(dict.fromkeys(vector_ids)), GET_VECTORS):
            with _translate(), _ignore_missing():
                reply = self._client.get_vectors(
                    **self._name(tenant_id), keys=list(batch), returnData=True, returnMetadata=True
                )
                for one in reply["vectors"]:
                    found[one["key"]] = Vector(
                        vector_id=one["key"],
                        values=tuple(one["data"]["float32"]),
                        text=one["metadata"].get("words", ""),
                        metadata=_read_metadata(one),
                    )
        return found

    def delete(self, tenant_id: str, vector_ids: Sequence[str]) -> None:
        """Remove vectors; one that is not there is no error.

        Raises:
            StoreUnavailable: AWS did not answer.
            ConfigurationError: it refused the role.
        """
        for batch in split_batches(list(dict.fromkeys(vector_ids)), DELETE_VECTORS):
            with _translate(), _ignore_missing():
                self._client.delete_vectors(**self._name(tenant_id), keys=list(batch))

    def delete_where(self, tenant_id: str, where: Where) -> None:
        """Remove the vectors whose metadata match; all of the tenant are read for it: AWS deletes by key only.

        Raises:
            ValueError: there is no condition.
            StoreUnavailable: AWS did not answer.
            ConfigurationError: it refused the role.
        """
        require_condition(where)
        wanted = [set(map(_digest, list_wanted_labels(name, one))) for name, one in where.items()]
        if not can_match(where):
            return
        cursor: str | None = None
        meeting: list[str] = []
        while True:
            page, cursor = self._list_page(tenant_id, cursor, LIST_VECTORS, metadata=True)
            for one in page:
                labels = set(one.get("metadata", {}).get("labels", ()))
                if all(labels & some for some in wanted):
                    meeting.append(one["key"])
            if cursor is None:
                break
        self.delete(tenant_id, meeting)

    def delete_tenant(self, tenant_id: str) -> None:
        """Remove the tenant's index.

        Raises:
            StoreUnavailable: AWS did not answer.
            ConfigurationError: it refused the role.
        """
        with _translate(), _ignore_missing():
            self._client.delete_index(**self._name(tenant_id))

    def list_ids(self, tenant_id: str, *, prefix: str = "", cursor: str | None = None, limit: int = 100) -> Page[str]:
        """Return those of one page of the ids that begin with ``prefix``, in AWS's order; it may be none of them.

        Raises:
            StoreUnavailable: AWS did not answer.
            ConfigurationError: it refused the role.
        """
        page, following = self._list_page(tenant_id, cursor, limit, metadata=False)
        return Page(items=tuple(one["key"] for one in page if one["key"].startswith(prefix)), cursor=following)

    @property
    def _client(self) -> Any:
        if self._made is None:
            self._made = self._make_client()
        return self._made

    @property
    def _has_words(self) -> bool:
        shape = self._client.meta.service_model.operation_model("QueryVectors").input_shape
        return "queryTexts" in shape.members

    @property
    def _has_pages(self) -> bool:
        shape = self._client.meta.service_model.operation_model("QueryVectors").input_shape
        return "nextToken" in shape.members

    def _name(self, tenant_id: str) -> dict[str, str]:
        return {"vectorBucketName": self._bucket, "indexName": _name_index(tenant_id)}

    def _query(self, tenant_id: str, request: SearchRequest, asked: dict[str, Any]) -> list[dict[str, Any]]:
        condition = _make_filter(request.where)
        most = min(request.k, MOST_FOUND if self._has_pages else MOST_FOUND_ONCE)
        whole = {**asked, **({"filter": condition} if condition else {}), "topK": most, "returnMetadata": True}
        found: list[dict[str, Any]] = []
        token: dict[str, str] = {}
        for _ in range(MOST_PAGES):
            sent, token = token, {}
            with _translate(), _ignore_missing():  # An index that is deleted between two pages has no more of them.
                reply = self._client.query_vectors(**self._name(tenant_id), **whole, **sent)
                found += reply["vectors"]
                token = {"nextToken": reply["nextToken"]} if reply.get("nextToken") else {}
            if not token or len(found) >= most:
                return found[:most]
        raise StoreUnavailable(f"S3 Vectors gave {MOST_PAGES} pages of results, and still has more")

    def _list_page(
        self, tenant_id: str, cursor: str | None, limit: int, *, metadata: bool
    ) -> tuple[list[dict[str, Any]], str | None]:
        with _translate(), _ignore_missing():
            token = {"nextToken": cursor} if cursor else {}
            reply = self._client.list_vectors(
                **self._name(tenant_id), **token, maxResults=limit, returnMetadata=metadata
            )
            return reply["vectors"], reply.get("nextToken")
        return [], None

    def _put(self, tenant_id: str, items: Sequence[dict[str, Any]]) -> None:
        try:
            self._client.put_vectors(**self._name(tenant_id), vectors=list(items))
        except ClientError as error:
            if error.response["Error"]["Code"] != _MISSING:
                raise
            self._create_index(tenant_id, len(items[0]["data"]["float32"]))
            self._client.put_vectors(**self._name(tenant_id), vectors=list(items))

    def _create_index(self, tenant_id: str, dimension: int) -> None:
        configuration: dict[str, Any] = {"nonFilterableMetadataKeys": ["payload", "words"]}
        if self._has_words:
            configuration["textSearchConfigurations"] = [{"metadataKey": "words"}]
        try:
            self._client.create_index(
                **self._name(tenant_id),
                dataType="float32",
                dimension=dimension,
                distanceMetric="cosine",
                metadataConfiguration=configuration,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConflictException":  # another writer was first
                raise


def _name_index(tenant_id: str) -> str:
    """Return the name of a tenant's index: lower-case letters, digits and hyphens."""
    if _TENANT.fullmatch(tenant_id):
        return f"t-{tenant_id}"
    return f"h-{hashlib.sha256(tenant_id.encode()).hexdigest()[:48]}"


def _digest(label: str) -> str:
    return hashlib.sha256(label.encode()).hexdigest()[:22]


def _make_item(vector: Vector) -> dict[str, Any]:
    check_metadata_size(vector.vector_id, vector.metadata, MAX_METADATA_BYTES)
    labels = [_digest(label) for label in list_labels_of(vector.metadata)]
    if len(labels) > MAX_LABELS:
        raise InvalidInput(
            f"the metadata of '{vector.vector_id}' have {len(labels)} values to filter by, of at most {MAX_LABELS}",
            field="metadata",
            fix="store fewer values, or choose another vector store",
        )
    words = _cut(" ".join(split_words(vector.text)))
    metadata: dict[str, Any] = {"payload": json.dumps(vector.metadata, ensure_ascii=False, separators=(",", ":"))}
    metadata |= {"words": words} if words else {}
    metadata |= {"labels": labels} if labels else {}
    return {"key": vector.vector_id, "data": {"float32": make_unit(vector.values)}, "metadata": metadata}


def _cut(words: str) -> str:
    encoded = words.encode()
    return words if len(encoded) <= MAX_WORDS_BYTES else encoded[:MAX_WORDS_BYTES].decode(errors="ignore")


def _shorten(words: str) -> str:
    return words if len(words) <= MAX_QUERY_CHARACTERS else words[:MAX_QUERY_CHARACTERS].rpartition(" ")[0]


def _make_filter(where: Where) -> dict[str, Any] | None:
    """Return conditions in AWS's language: ``$eq`` on a list is met by one of its values."""
    parts = []
    for name, wanted in where.items():
        some = [{"labels": {"$eq": _digest(label)}} for label in list_wanted_labels(name, wanted)]
        parts.append(some[0] if len(some) == 1 else {"$or": some})
    return None if not parts else parts[0] if len(parts) == 1 else {"$and": parts}


def _read_metadata(one: dict[str, Any]) -> dict[str, Any]:
    metadata: dict[str, Any] = json.loads(one.get("metadata", {}).get("payload") or "{}")
    return metadata


def _read_score(one: dict[str, Any], rank: int) -> float:
    """Return the score by words; where AWS names none, one that falls with the place."""
    scores = [entry.get("score") for entry in (one.get("scores") or {}).get("bm25Scores", ())]
    return float(scores[0]) if scores and scores[0] is not None else 1 / (1 + rank)


@contextmanager
def _ignore_missing() -> Iterator[None]:
    """Let a tenant without an index be one without vectors; a bucket that is not there stays an error."""
    try:
        yield
    except ClientError as error:
        said = error.response["Error"]
        if said["Code"] != _MISSING or "bucket" in said.get("Message", "").lower():
            raise


@contextmanager
def _translate() -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise _translate_error(error) from error


def _translate_error(error: Exception) -> PentadError:
    """Return our error for one of AWS's. Messages are ours: AWS's may quote what was sent."""
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
    if code in ("AccessDeniedException", _MISSING, "NoCredentialsError", "ParamValidationError"):
        return ConfigurationError(
            f"the vector store is not set up: {code}",
            fix="check the vector bucket, and the role's rights on it",
        )
    if code in ("ValidationException", "ServiceQuotaExceededException"):
        return ConfigurationError(
            f"the vector store refused the request with {code}",
            fix="check that the index has the embedding model's dimension, and the account's quotas",
        )
    return StoreUnavailable(f"the vector store did not answer: {code}")
