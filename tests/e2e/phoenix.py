"""A real Phoenix in a process of its own, and what its own API says of the traces that it was sent."""

import os
import socket
import subprocess
from pathlib import Path
from typing import Any

import httpx

from pentad.testing.stack.world import until

Json = dict[str, Any]
START_SECONDS = 240.0
PAGE = 1_000
"""Spans that Phoenix returns at once."""
_COSTS = """query ($id: ID!) { node(id: $id) { ... on Project {
  costSummary { total { cost } }
  tokenCountPrompt
  spans(first: 1000) { edges { node {
    spanId
    costSummary { total { cost } }
    cumulativeTokenCountPrompt
    cumulativeTokenCountCompletion
    spanAnnotations { name label score annotatorKind identifier }
  } } } } } }"""


class Phoenix:
    """A Phoenix that keeps its data in a folder, over stops and starts.

    Args:
        program: the command ``phoenix`` of an environment that it is installed in.
        folder: of its data.
        project: whose spans are read.
    """

    def __init__(self, program: Path, folder: Path, project: str) -> None:
        self._program, self._folder, self._project = program, folder, project
        self._port, self._grpc_port = _choose_port(), _choose_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"http://127.0.0.1:{self._port}"
        self._http = httpx.Client(base_url=self.url, timeout=30, trust_env=False)

    def start(self) -> None:
        """Start it and return when it answers."""
        environment = os.environ | {
            "PHOENIX_WORKING_DIR": str(self._folder),
            "PHOENIX_HOST": "127.0.0.1",
            "PHOENIX_PORT": str(self._port),
            "PHOENIX_GRPC_PORT": str(self._grpc_port),
            "PHOENIX_TELEMETRY_ENABLED": "false",
            "PHOENIX_ALLOW_EXTERNAL_RESOURCES": "false",
        }
        with (self._folder / "phoenix.log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._program), "serve"], env=environment, cwd=self._folder, stdout=log, stderr=log
            )
        until(self._answers, "the start of Phoenix", START_SECONDS)

    def _answers(self) -> bool:
        assert self._process is not None and self._process.poll() is None, "Phoenix has ended: see phoenix.log"
        try:
            return self._http.get("/healthz").is_success
        except httpx.TransportError:
            return False

    def stop(self) -> None:
        """Stop it; its data stay."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)
            self._process = None

    def close(self) -> None:
        """Stop it for good."""
        self.stop()
        self._http.close()

    def read_spans(self) -> list[Json]:
        """Return all spans as its API has them; none while it knows no such project."""
        found: list[Json] = []
        wanted: Json = {"limit": PAGE}
        while True:
            answer = self._http.get(f"/v1/projects/{self._project}/spans", params=wanted)
            if answer.status_code == httpx.codes.NOT_FOUND:
                return found
            page = answer.raise_for_status().json()
            found += page["data"]
            if not page.get("next_cursor"):
                return found
            wanted["cursor"] = page["next_cursor"]

    def read_sums(self) -> Json:
        """Return what its page shows of the project: costs, sums and annotations by span."""
        project = self._http.get(f"/v1/projects/{self._project}").raise_for_status().json()["data"]
        asked = {"query": _COSTS, "variables": {"id": project["id"]}}
        answer = self._http.post("/graphql", json=asked).raise_for_status().json()
        assert "errors" not in answer, answer["errors"]
        found: Json = answer["data"]["node"]
        return found


def _choose_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
