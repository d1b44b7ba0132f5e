"""A server that speaks Qdrant's REST: its own models read the requests, and its engine in Python answers them."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pydantic import BaseModel, ValidationError
from qdrant_client import QdrantClient
from qdrant_client.http import models

KEY = "local"
_PATH = re.compile(r"/collections/([a-z]+)(/[a-z/]+)?(?:\?wait=true)?")


class _Engine:
    def __init__(self) -> None:
        self.client = QdrantClient(":memory:")
        self.lock = threading.Lock()

    def answer(self, method: str, path: str, body: Any) -> Any:
        """Return the result of a request; LookupError where there is no collection."""
        match = _PATH.fullmatch(path)
        if match is None:
            raise ValueError(path)
        name, rest = match[1], match[2] or ""
        there = self.client.collection_exists(name)
        if (method, rest) == ("PUT", ""):
            if there:
                raise FileExistsError(name)
            asked = models.CreateCollection.model_validate(body)
            return self.client.create_collection(
                name, vectors_config=asked.vectors, sparse_vectors_config=asked.sparse_vectors
            )
        if not there:
            raise LookupError(name)
        calls: dict[tuple[str, str], Callable[[str, Any], Any]] = {
            ("GET", ""): lambda name, body: self.client.get_collection(name),
            ("PUT", "/index"): self._create_index,
            ("PUT", "/points"): self._upsert,
            ("POST", "/points"): self._retrieve,
            ("POST", "/points/query"): self._query,
            ("POST", "/points/delete"): self._delete,
            ("POST", "/points/scroll"): self._scroll,
        }
        return calls[method, rest](name, body)

    def _create_index(self, name: str, body: Any) -> Any:
        models.CreateFieldIndex.model_validate(body)  # the engine in Python has no indexes
        return {"status": "completed"}

    def _upsert(self, name: str, body: Any) -> Any:
        return self.client.upsert(name, models.PointsList.model_validate(body).points)

    def _retrieve(self, name: str, body: Any) -> Any:
        asked = models.PointRequest.model_validate(body)
        return self.client.retrieve(name, asked.ids, with_payload=True, with_vectors=asked.with_vector or False)

    def _query(self, name: str, body: Any) -> Any:
        asked = models.QueryRequest.model_validate(body)
        query: Any = asked.query
        return self.client.query_points(
            name,
            query=query,
            using=asked.using,
            limit=asked.limit or 10,
            query_filter=asked.filter,
            with_payload=asked.with_payload or False,
        )

    def _delete(self, name: str, body: Any) -> Any:
        if "filter" in body:
            chosen: Any = models.FilterSelector.model_validate(body)
        else:
            chosen = models.PointIdsList.model_validate(body)
        return self.client.delete(name, chosen)

    def _scroll(self, name: str, body: Any) -> Any:
        asked = models.ScrollRequest.model_validate(body)
        points, offset = self.client.scroll(
            name,
            scroll_filter=asked.filter,
            limit=asked.limit or 10,
            offset=asked.offset,
            with_payload=asked.with_payload or False,
        )
        return {"points": points, "next_page_offset": offset}


def _dump(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, list):
        return [_dump(one) for one in value]
    return {name: _dump(one) for name, one in value.items()} if isinstance(value, dict) else value


@contextmanager
def serve_qdrant() -> Iterator[str]:
    """Yield the address of an empty server on the loopback interface; its key is `KEY`."""
    engine = _Engine()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

        def _handle(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, result = 200, None
            try:
                if self.headers.get("api-key") != KEY:
                    raise PermissionError
                with engine.lock:
                    result = _dump(engine.answer(self.command, self.path, json.loads(sent) if sent else None))
            except PermissionError:
                status = 401
            except LookupError:
                status = 404
            except FileExistsError:
                status = 409
            except (ValueError, ValidationError):
                status = 400
            answer = json.dumps({"result": result, "status": "ok" if status == 200 else {"error": "refused"}}).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_PUT = do_POST = _handle

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        engine.client.close()
