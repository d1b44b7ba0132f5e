"""A server that speaks the protocol of Amazon S3 Vectors and refuses what AWS refuses.

Requests are checked against botocore's model of the service, and against the limits of
docs.aws.amazon.com/AmazonS3/latest/userguide/s3-vectors-limitations.html, read 2026-11; that of a query's results is
of aws.amazon.com/about-aws/whats-new/2026/06/s3-vectors-supports-10000-search-results-per-query. Indexes are in the
mode ENHANCED: conditions are applied before the search, and words are found by BM25.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
from botocore.config import Config
from botocore.validate import ParamValidator

from pentad.memory.retrieval.words import WordIndex

Json = dict[str, Any]
TOTAL_BYTES = 40 * 1024
FILTERABLE_BYTES = 2 * 1024
REQUEST_BYTES = 20 * 1024 * 1024
MOST_FOUND = 10_000
QUERY_PAGE = 30
"""AWS tells no size of a page: a small one, so that what reads the first page only is seen."""


class Refused(Exception):
    """An error of AWS's, by its code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class _Index:
    def __init__(self, asked: Json) -> None:
        self.dimension: int = asked["dimension"]
        configuration = asked.get("metadataConfiguration", {})
        self.hidden = set(configuration.get("nonFilterableMetadataKeys", ()))
        self.searched = [one["metadataKey"] for one in configuration.get("textSearchConfigurations", ())]
        self.vectors: dict[str, Json] = {}

    def check(self, one: Json) -> None:
        values = one["data"]["float32"]
        if len(values) != self.dimension:
            raise Refused("ValidationException", f"vector must have length {self.dimension}")
        if not any(values):
            raise Refused("ValidationException", "a vector of zeros has no cosine")
        metadata = one.get("metadata", {})
        kept = {name: value for name, value in metadata.items() if name not in self.hidden}
        if _measure(metadata) > TOTAL_BYTES or _measure(kept) > FILTERABLE_BYTES or len(metadata) > 50:
            raise Refused("ValidationException", "Invalid record: metadata is too large")
        for value in kept.values():
            if isinstance(value, list) and not (value and all(isinstance(item, str | int | float) for item in value)):
                raise Refused("ValidationException", "Invalid record: an empty list or one of other values")


class VectorsOfS3:
    """Buckets and their indexes."""

    def __init__(self, bucket: str) -> None:
        self.bucket = bucket
        self.indexes: dict[str, _Index] = {}
        self.lock = threading.Lock()
        self.model = boto3.client(
            "s3vectors", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
        ).meta.service_model

    def answer(self, operation: str, asked: Json) -> Json:
        """Return the answer to one request."""
        faults = ParamValidator().validate(asked, self.model.operation_model(operation).input_shape)
        if faults.has_errors():
            raise Refused("ValidationException", faults.generate_report())
        if asked.get("vectorBucketName") != self.bucket:
            raise Refused("NotFoundException", "The specified vector bucket could not be found")
        with self.lock:
            if operation == "CreateIndex":
                if asked["indexName"] in self.indexes:
                    raise Refused("ConflictException", "An index with the specified name already exists")
                self.indexes[asked["indexName"]] = _Index(asked)
                return {"indexArn": "arn"}
            index = self.indexes.get(asked["indexName"])
            if index is None:
                raise Refused("NotFoundException", "The specified index could not be found")
            if operation == "DeleteIndex":
                del self.indexes[asked["indexName"]]
                return {}
            done: Json = getattr(self, f"_{operation}")(index, asked)
            return done

    def _PutVectors(self, index: _Index, asked: Json) -> Json:
        _most(asked["vectors"], 500)
        for one in asked["vectors"]:
            index.check(one)
        index.vectors |= {one["key"]: one for one in asked["vectors"]}
        return {}

    def _GetVectors(self, index: _Index, asked: Json) -> Json:
        _most(asked["keys"], 100)
        return {"vectors": [index.vectors[key] for key in asked["keys"] if key in index.vectors]}

    def _DeleteVectors(self, index: _Index, asked: Json) -> Json:
        _most(asked["keys"], 500)
        for key in asked["keys"]:
            index.vectors.pop(key, None)
        return {}

    def _ListVectors(self, index: _Index, asked: Json) -> Json:
        keys = sorted(index.vectors, key=lambda key: hash(key))  # in no order that means anything
        start = int(asked.get("nextToken", 0))
        end = start + asked.get("maxResults", 500)
        page = [{"key": key} | ({"metadata": index.vectors[key].get("metadata", {})}) for key in keys[start:end]]
        return {"vectors": page} | ({"nextToken": str(end)} if end < len(keys) else {})

    def _QueryVectors(self, index: _Index, asked: Json) -> Json:
        if asked["topK"] > MOST_FOUND:
            raise Refused("ValidationException", f"topK must be at most {MOST_FOUND}")
        allowed = {
            key: one
            for key, one in index.vectors.items()
            if "filter" not in asked or _meets(one.get("metadata", {}), asked["filter"], index.hidden)
        }
        if "queryTexts" in asked:
            found = self._search_words(index, allowed, asked["queryTexts"][0])
        else:
            found = self._search_meaning(index, allowed, asked["queryVector"]["float32"])
        start = int(asked.get("nextToken", 0))
        end = min(start + QUERY_PAGE, asked["topK"])
        more = {"nextToken": str(end)} if end < min(len(found), asked["topK"]) else {}
        return {"vectors": found[start:end], "distanceMetric": "cosine"} | more

    def _search_words(self, index: _Index, allowed: Json, asked: Json) -> list[Json]:
        if asked["metadataKey"] not in index.searched:
            raise Refused("ValidationException", "the metadata key is not searchable")
        words = WordIndex()
        for key, one in index.vectors.items():
            words.put(key, one.get("metadata", {}).get(asked["metadataKey"], "").split())
        scores = words.score(asked["text"].split())
        best = sorted((key for key in scores if key in allowed), key=lambda key: -scores[key])
        return [
            {
                "key": key,
                "metadata": allowed[key]["metadata"],
                "scores": {"bm25Scores": [{"metadataKey": asked["metadataKey"], "score": scores[key]}]},
            }
            for key in best
        ]

    def _search_meaning(self, index: _Index, allowed: Json, values: list[float]) -> list[Json]:
        if len(values) != index.dimension:
            raise Refused("ValidationException", f"Query vector must have length {index.dimension}")
        cosines = {key: _compute_cosine(one["data"]["float32"], values) for key, one in allowed.items()}
        best = sorted(cosines, key=lambda key: -cosines[key])
        return [
            {"key": key, "metadata": allowed[key].get("metadata", {}), "distance": 1 - cosines[key]} for key in best
        ]


def _meets(metadata: Json, condition: Json, hidden: set[str]) -> bool:
    [(name, wanted)] = condition.items()
    if name == "$and":
        return all(_meets(metadata, one, hidden) for one in wanted)
    if name == "$or":
        return any(_meets(metadata, one, hidden) for one in wanted)
    if name in hidden or set(wanted) != {"$eq"}:
        raise Refused("ValidationException", "Invalid filter")
    value = metadata.get(name)
    return wanted["$eq"] in value if isinstance(value, list) else value == wanted["$eq"]


def _compute_cosine(one: list[float], other: list[float]) -> float:
    product = sum(a * b for a, b in zip(one, other, strict=True))
    return float(product / (sum(a * a for a in one) ** 0.5 * sum(b * b for b in other) ** 0.5))


def _most(items: list[Any], most: int) -> None:
    if len(items) > most:
        raise Refused("ValidationException", f"at most {most}")


def _measure(metadata: Json) -> int:
    return len(json.dumps(metadata, ensure_ascii=False).encode())


@contextmanager
def serve_s3_vectors(bucket: str) -> Iterator[Any]:
    """Yield a client of a server on the loopback interface that has one vector bucket."""
    state = VectorsOfS3(bucket)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            try:
                if len(body) > REQUEST_BYTES:
                    raise Refused("ValidationException", "the request is too large")
                status, answer = 200, state.answer(self.path.strip("/"), json.loads(body))
            except Refused as error:
                status, answer = 404 if error.code == "NotFoundException" else 400, {"message": str(error)}
                self._code = error.code
            sent = json.dumps(answer).encode()
            self.send_response(status)
            if status != 200:
                self.send_header("x-amzn-errortype", self._code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    client = boto3.client(
        "s3vectors",
        region_name="us-east-1",
        endpoint_url=f"http://127.0.0.1:{server.server_address[1]}",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(retries={"total_max_attempts": 1}, max_pool_connections=20),
    )
    try:
        yield client
    finally:
        client.close()
        server.shutdown()
        server.server_close()
        thread.join()
