"""A function host with small limits, and a way to write a function for it."""

import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from twin.host.host import FunctionHost, HostSettings
from twin.host.model import FunctionSpec, HostLimits, LogEvent

ROLE = "arn:aws:iam::123456789012:role/function"
LIMITS = HostLimits(
    max_processes=6,
    max_starting=2,
    acquire_seconds=30,
    init_seconds=30,
    async_workers=2,
    async_backlog=4,
    async_retry_seconds=(0.05, 0.05),
    async_throttle_seconds=(0.01, 0.05),
)


class RecordingSink:
    """Keeps the lines of all streams."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: list[tuple[str, str, LogEvent]] = []

    def write(self, log_group: str, log_stream: str, events: Sequence[LogEvent]) -> None:
        with self._lock:
            self._events += [(log_group, log_stream, event) for event in events]

    def lines(self) -> list[str]:
        with self._lock:
            return [event.message for _, _, event in self._events]

    def groups(self) -> set[str]:
        with self._lock:
            return {group for group, _, _ in self._events}


def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    """Wait until a condition holds, or fail."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.01)


def credentials(role_arn: str) -> Mapping[str, str]:
    return {"AWS_ACCESS_KEY_ID": f"key of {role_arn}", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t"}


MakeHost = Callable[..., FunctionHost]
MakeFunction = Callable[..., FunctionSpec]


@pytest.fixture
def sink() -> RecordingSink:
    return RecordingSink()


@pytest.fixture
def make_host(tmp_path: Path, sink: RecordingSink) -> Iterator[MakeHost]:
    hosts: list[FunctionHost] = []

    def make(limits: HostLimits = LIMITS, **settings: Any) -> FunctionHost:
        where = {
            "region": "eu-central-1",
            "state_dir": tmp_path / "state",
            "extra_environment": {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"},
            **settings,
        }
        host = FunctionHost(sink, credentials, HostSettings(**where), limits)
        hosts.append(host)
        return host

    yield make
    for host in hosts:
        host.stop()


@pytest.fixture
def host(make_host: MakeHost) -> FunctionHost:
    return make_host()


@pytest.fixture
def function(tmp_path: Path) -> MakeFunction:
    """Write the source of a handler module into an asset folder and describe it."""

    def make(source: str, name: str = "fn", **changes: Any) -> FunctionSpec:
        code = tmp_path / f"asset.{name}"
        code.mkdir(exist_ok=True)
        (code / "app.py").write_text(textwrap.dedent(source))
        fields: dict[str, Any] = {
            "name": name,
            "arn": f"arn:aws:lambda:eu-central-1:123456789012:function:{name}",
            "handler": "app.handler",
            "code_dir": code,
            "role_arn": ROLE,
            "log_group": f"/aws/lambda/{name}",
            "timeout_seconds": 20,
            **changes,
        }
        return FunctionSpec(**fields)

    return make
