"""The Runtime API of a function answers its own process only: what else connects changes no call."""

import json
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.twin.host.conftest import MakeFunction, RecordingSink, until
from tests.twin.strangers import needs_root, talk, talk_as_other_user
from twin.host.host import FunctionHost

pytestmark = pytest.mark.twin

ECHO = """
import os, time
print("runtime api " + os.environ["AWS_LAMBDA_RUNTIME_API"], flush=True)
def handler(event, context):
    open(os.environ["TMPDIR"] + "/made", "w").close()
    if "until" in event:
        end = time.time() + 15
        while not os.path.exists(event["until"]) and time.time() < end:
            time.sleep(0.01)
    return {"got": event, "api": os.environ["AWS_LAMBDA_RUNTIME_API"]}
"""
NEXT = "GET {path}/2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
RESPONSE = (
    "POST {path}/2018-06-01/runtime/invocation/{id}/response HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    'Content-Type: text/plain\r\nContent-Length: 8\r\n\r\n"forged"'
)
TURNED_AWAY = (b"HTTP/1.1 403 ", b"failed: ConnectionReset", b"reset")
TRIES = {
    "next": NEXT.format(path=""),
    "next of a guessed path": NEXT.format(path="/" + "A" * 32),
    "next below the beginning of a path": NEXT.format(path="/"),
    "response": RESPONSE.format(path="", id="1"),
    "init error": "POST /2018-06-01/runtime/init/error HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
    "page": "GET / HTTP/1.1\r\nHost: evil.example\r\nOrigin: https://evil.example\r\n\r\n",
    "no HTTP": "\x16\x03\x01\x02\x00\r\n\r\n",
    "a line without end": "G" * 10_000,
}


def invoke(host: FunctionHost, **event: object) -> dict[str, object]:
    result = host.invoke("fn", json.dumps(event).encode())
    assert result.function_error is None, result.payload
    answer: dict[str, object] = json.loads(result.payload)
    assert answer["got"] == event
    return answer


def read_answer(stranger: socket.socket) -> bytes:
    try:
        return stranger.recv(65536)
    except ConnectionResetError:  # it had sent more than was read
        return b"reset"


def port_of(answer: dict[str, object]) -> int:
    return int(str(answer["api"]).partition("/")[0].rpartition(":")[2])


@pytest.mark.parametrize("data", TRIES.values(), ids=TRIES.keys())
def test_stranger_of_an_idle_function_is_turned_away(host: FunctionHost, function: MakeFunction, data: str) -> None:
    host.register(function(ECHO))
    first = invoke(host, n=1)
    with socket.create_connection(("127.0.0.1", port_of(first)), 20) as stranger:
        stranger.sendall(data.encode("latin-1"))
        for number in range(200):
            assert invoke(host, n=number)["api"] == first["api"]  # the same process: it was not taken for broken
            if select.select([stranger], [], [], 0.01)[0]:
                break
        assert read_answer(stranger).startswith(TURNED_AWAY)
    assert invoke(host, n=3)["api"] == first["api"]


@pytest.fixture
def running(host: FunctionHost, function: MakeFunction, tmp_path: Path) -> Iterator[int]:
    """A call that is under way for the length of the test: the port of its Runtime API."""
    flag, answers = tmp_path / "flag", list[dict[str, object]]()
    host.register(function(ECHO))
    port = port_of(invoke(host, n=1))
    call = threading.Thread(target=lambda: answers.append(invoke(host, until=str(flag))))
    call.start()
    yield port
    flag.touch()
    call.join(30)
    assert len(answers) == 1


@pytest.mark.parametrize("data", TRIES.values(), ids=TRIES.keys())
def test_stranger_during_a_call_is_turned_away(running: int, data: str) -> None:
    assert talk(running, data.encode("latin-1")).startswith(TURNED_AWAY)


def test_strangers_that_say_nothing_make_room_for_others(running: int) -> None:
    with ExitStack() as stack:
        silent = [stack.enter_context(socket.create_connection(("127.0.0.1", running), 20)) for _ in range(40)]
        assert silent[0].recv(65536).startswith(b"HTTP/1.1 403 ")


@needs_root
def test_other_user_is_turned_away_with_the_whole_path_too(host: FunctionHost, function: MakeFunction) -> None:
    host.register(function(ECHO))
    first = invoke(host, n=1)
    port, path = port_of(first), "/" + str(first["api"]).partition("/")[2]
    answers: list[bytes] = []
    for data in (NEXT.format(path=path), RESPONSE.format(path=path, id="1")):
        asking = threading.Thread(target=lambda d: answers.append(talk_as_other_user(port, d)), args=(data.encode(),))
        asking.start()
        while asking.is_alive():
            assert invoke(host, n=2)["api"] == first["api"]
        asking.join()
    assert len(answers) == 2
    assert all(answer.startswith(TURNED_AWAY) for answer in answers)


def test_init_error_is_still_reported_below_the_path(
    host: FunctionHost, function: MakeFunction, sink: RecordingSink
) -> None:
    host.register(function("raise RuntimeError('at import')"))
    result = host.invoke("fn", b"{}")
    assert json.loads(result.payload)["errorMessage"] == "at import"
    until(lambda: any("at import" in line for line in sink.lines()))


def test_folders_of_functions_are_the_users_own(host: FunctionHost, function: MakeFunction, tmp_path: Path) -> None:
    host.register(function(ECHO))
    invoke(host, n=1)
    state = tmp_path / "state"
    folders = [path for path in (state, *state.iterdir()) if path.is_dir()]
    assert len(folders) > 1
    # What a function writes has the mode that it chose, in a folder that nobody else can enter.
    assert state.stat().st_mode & 0o777 == 0o700
    assert [path for path in folders if path.name.startswith("fn-") and path.stat().st_mode & 0o077] == []
