"""Processes that are forked off a fork server are as those that start by themselves, but for their imports."""

import os
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.twin.host.conftest import MakeFunction, MakeHost, RecordingSink, until
from twin.host.host import FunctionHost
from twin.host.processes import fork_servers
from twin.host.processes.fork_servers import PROGRAM

pytestmark = [
    pytest.mark.twin,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent"),
]

PARENT = "import os\ndef handler(e, c): return os.getppid()"
_PATIENCE = 60.0
"""Seconds: a fork server is another interpreter that starts, on a machine whose cores may be busy."""


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    """A layer whose module says in which process it was imported."""
    folder = tmp_path / "layer"
    (folder / "python").mkdir(parents=True)
    (folder / "python" / "common.py").write_text("import os\nPID = os.getpid()\n")
    return folder


@pytest.fixture
def forking(make_host: MakeHost) -> FunctionHost:
    return make_host(modules=("common", "there_is_none"))


def call_until_forked(host: FunctionHost, name: str = "warm") -> None:
    """Start processes until one is forked: the first ones are started while the fork server is made."""

    def is_forked() -> bool:
        host.restart(name)
        return bool(host.invoke(name, b"0").json() != os.getpid())

    until(is_forked, _PATIENCE)


@pytest.fixture
def ready(forking: FunctionHost, function: MakeFunction, layer: Path) -> FunctionHost:
    """A host whose server for the layer is ready."""
    forking.register(function(PARENT, "warm", layer_dirs=(layer,)))
    call_until_forked(forking)
    return forking


def test_what_functions_share_is_imported_once(ready: FunctionHost, function: MakeFunction, layer: Path) -> None:
    source = "import os, common\ndef handler(e, c): return [common.PID, os.getppid(), os.getpid(), common.__file__]"
    ready.register(function(source, "one", layer_dirs=(layer,)))
    ready.register(function(source, "two", layer_dirs=(layer,)))
    one, two = (ready.invoke(name, b"0").json() for name in ("one", "two"))
    assert one[0] == two[0] == one[1] == two[1]  # imported by the fork server, the parent of both
    assert one[2] != two[2]
    assert one[3] == str(layer / "python" / "common.py")


def test_environment_folder_and_import_path_are_those_of_a_process_of_its_own(
    ready: FunctionHost, make_host: MakeHost, function: MakeFunction, layer: Path, tmp_path: Path
) -> None:
    source = """
    import ctypes, gc, os, random, signal, sys, threading, time
    getenv = ctypes.CDLL(None).getenv
    getenv.restype = ctypes.c_char_p
    def handler(event, context):
        return {
            "environment": {k: v for k, v in os.environ.items() if not k.startswith(("_X_AMZN", "LC_CTYPE"))},
            "in C": getenv(b"TABLE").decode(), "folder": os.getcwd(), "path": sys.path, "arguments": sys.argv,
            "threads": threading.active_count(), "zone": time.tzname, "collects": gc.isenabled(),
            "child's end": str(signal.getsignal(signal.SIGCHLD)), "leads its group": os.getpgid(0) == os.getpid(),
            "open": sorted({os.readlink(f"/proc/self/fd/{n}").split(":")[0] for n in os.listdir("/proc/self/fd")
                            if os.path.exists(f"/proc/self/fd/{n}")} - {"/proc"}),
        }
    """
    alone = make_host(state_dir=tmp_path / "alone")
    seen = []
    for host in (ready, alone):
        host.register(function(source, "same", layer_dirs=(layer,), environment={"TABLE": "t"}))
        seen.append(host.invoke("same", b"0").json())
    for one in seen:
        for name in ("AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_LOG_STREAM_NAME", "HOME", "TMPDIR"):
            assert one["environment"].pop(name)
    assert seen[0] == seen[1]
    assert seen[0]["in C"] == "t"


def test_lists_of_processes_show_a_forks_function(ready: FunctionHost, function: MakeFunction, layer: Path) -> None:
    source = "import os\ndef handler(e, c): return [os.getpid(), os.getppid()]"
    for name in ("short", "long-" * 12):
        ready.register(function(source, name, layer_dirs=(layer,)))
        fork, parent = ready.invoke(name, b"0").json()
        assert psutil.Process(fork).cmdline()[:2] == [name, "app.handler"]
        assert psutil.Process(parent).cmdline()[0] == sys.executable


def test_forks_do_not_share_what_is_random(ready: FunctionHost, function: MakeFunction, layer: Path) -> None:
    source = "import random, uuid\ndef handler(e, c): return [random.random(), uuid.uuid4().hex]"
    for name in ("one", "two"):
        ready.register(function(source, name, layer_dirs=(layer,)))
    one, two = (ready.invoke(name, b"0").json() for name in ("one", "two"))
    assert one[0] != two[0]
    assert one[1] != two[1]


def test_output_errors_and_ends_are_told_as_ever(
    ready: FunctionHost, function: MakeFunction, layer: Path, sink: RecordingSink
) -> None:
    ready.register(function("import os\nprint('said')\ndef handler(e, c): os._exit(3)", "ends", layer_dirs=(layer,)))
    ready.register(function("import nothing_of_the_kind\ndef handler(e, c): pass", "broken", layer_dirs=(layer,)))
    ends = ready.invoke("ends", b"0")
    assert ends.function_error
    assert "exit status 3" in ends.payload.decode()
    assert any("said" in line for line in sink.lines())
    broken = ready.invoke("broken", b"0")
    assert "nothing_of_the_kind" in broken.payload.decode()
    assert ready.invoke("warm", b"0").function_error is None


def test_function_whose_own_code_hides_a_module_starts_by_itself(
    ready: FunctionHost, function: MakeFunction, layer: Path
) -> None:
    spec = function("import os, common\ndef handler(e, c): return [os.getppid(), common.WHOSE]", layer_dirs=(layer,))
    (spec.code_dir / "common.py").write_text("WHOSE = 'its own'")
    ready.register(spec)
    assert ready.invoke("fn", b"0").json() == [os.getpid(), "its own"]


@pytest.mark.parametrize("changes", [{"environment": {"PYTHONHASHSEED": "0"}}, {"layer_dirs": ()}])
def test_function_that_is_unlike_the_others_starts_by_itself(
    ready: FunctionHost, function: MakeFunction, layer: Path, changes: dict[str, Any]
) -> None:
    ready.register(function(PARENT, "unlike", **{"layer_dirs": (layer,), **changes}))
    assert ready.invoke("unlike", b"0").json() == os.getpid()


def test_many_are_forked_at_once(ready: FunctionHost, function: MakeFunction, layer: Path) -> None:
    names = [f"many-{number}" for number in range(20)]
    for name in names:
        ready.register(function(PARENT, name, layer_dirs=(layer,)))
    with ThreadPoolExecutor(len(names)) as threads:
        parents = {answer.json() for answer in threads.map(lambda name: ready.invoke(name, b"0"), names)}
    assert len(parents) == 1
    assert os.getpid() not in parents


def test_fork_server_that_was_killed_takes_its_forks_along_and_functions_start_by_themselves(
    ready: FunctionHost, function: MakeFunction, layer: Path
) -> None:
    server = ready.invoke("warm", b"0").json()
    assert isinstance(server, int)
    fork = ready.list_pids()
    os.kill(server, signal.SIGKILL)
    until(lambda: not any(psutil.pid_exists(pid) for pid in fork), _PATIENCE)
    assert ready.invoke("warm", b"0").json() == os.getpid()


def test_layers_that_are_used_no_more_make_room_and_what_was_forked_goes_on(
    ready: FunctionHost, function: MakeFunction, layer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fork_servers, "MOST_SERVERS", 1)
    ready.register(function("import os\ndef handler(e, c): return [os.getpid(), os.getppid()]", layer_dirs=(layer,)))
    before = ready.invoke("fn", b"0").json()
    newer = shutil.copytree(layer, tmp_path / "newer")
    ready.register(function(PARENT, "after", layer_dirs=(newer,)))
    call_until_forked(ready, "after")
    assert ready.invoke("fn", b"0").json() == before
    for name in ("fn", "warm"):
        ready.restart(name)
    until(lambda: not is_running(before[1]), _PATIENCE)
    assert ready.invoke("after", b"0").json() not in (os.getpid(), before[1])


def test_a_few_sets_of_layers_keep_their_fork_servers(
    ready: FunctionHost, function: MakeFunction, layer: Path, tmp_path: Path
) -> None:
    first = ready.invoke("warm", b"0").json()
    for name in ("second", "third"):
        ready.register(function(PARENT, name, layer_dirs=(shutil.copytree(layer, tmp_path / name),)))
        call_until_forked(ready, name)
    ready.register(function(PARENT, "again", layer_dirs=(layer,)))
    assert ready.invoke("again", b"0").json() == first


def is_running(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def is_fork_server(process: psutil.Process) -> bool:
    """Whether a process is a fork server that runs."""
    try:
        return str(PROGRAM) in process.cmdline()
    except psutil.Error:
        return False


def test_module_that_starts_a_thread_is_forked_by_nobody(
    make_host: MakeHost, function: MakeFunction, layer: Path
) -> None:
    (layer / "python" / "common.py").write_text(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
    )
    host = make_host(modules=("common",))
    host.register(function(PARENT, layer_dirs=(layer,)))
    parents, children = [], psutil.Process().children
    for _ in range(4):
        parents.append(host.invoke("fn", b"0").json())
        host.restart("fn")
        until(lambda: not any(is_fork_server(one) for one in children()), _PATIENCE)
    assert parents == [os.getpid()] * 4


def test_stop_leaves_nothing(ready: FunctionHost) -> None:
    server = ready.invoke("warm", b"0").json()
    assert isinstance(server, int)
    left = [server, *ready.list_pids()]
    ready.stop()
    until(lambda: not any(psutil.pid_exists(pid) for pid in left), _PATIENCE)


def test_forks_end_with_a_host_that_is_killed(tmp_path: Path, layer: Path) -> None:
    code = tmp_path / "asset.fn"
    code.mkdir()
    (code / "app.py").write_text(PARENT)
    program = (
        "import pathlib, sys, time\n"
        "from twin.host.host import FunctionHost, HostSettings\n"
        "from twin.host.model import FunctionSpec\n"
        "class Sink:\n"
        "    def write(self, group, stream, events): pass\n"
        "here = pathlib.Path(sys.argv[1])\n"
        "settings = HostSettings('us-east-1', here / 'state', {}, modules=('common',))\n"
        "host = FunctionHost(Sink(), lambda role: {}, settings)\n"
        "host.register(FunctionSpec('fn', 'arn:aws:lambda:us-east-1:123456789012:function:fn', 'app.handler',"
        " here / 'asset.fn', 'role', '/aws/lambda/fn', timeout_seconds=20, layer_dirs=(here / 'layer',)))\n"
        "import os\n"
        "while (parent := host.invoke('fn', b'0').json()) == os.getpid():\n"
        "    host.restart('fn')\n"
        "print(parent, *host.list_pids(), flush=True)\n"
        "time.sleep(60)\n"
    )
    host = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    )
    assert host.stdout is not None
    pids = [int(word) for word in host.stdout.readline().split()]
    assert len(pids) > 1
    host.kill()
    host.wait()
    host.stdout.close()
    until(lambda: not any(psutil.pid_exists(pid) for pid in pids), _PATIENCE)
