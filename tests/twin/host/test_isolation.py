"""What a function process can see: nothing of the laptop, its own globals, the assembly's own code."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

from tests.twin.host.conftest import ROLE, MakeFunction, until
from twin.host.host import FunctionHost

pytestmark = pytest.mark.twin

ENVIRONMENT = "import os\ndef handler(e, c): return dict(os.environ)"


def test_environment_of_the_laptop_does_not_leak(
    host: FunctionHost, function: MakeFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "secret of the laptop")
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("PYTHONSTARTUP", "/x")
    host.register(function(ENVIRONMENT, environment={"TABLE": "t"}))
    seen = host.invoke("fn", b"{}").json()
    assert isinstance(seen, dict)
    expected = {
        *("TABLE", "_HANDLER", "PATH", "HOME", "TMPDIR", "LANG", "TZ", "PYTHONPATH", "PYTHONUTF8"),
        *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"),
        *("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_RUNTIME_API"),
        *("AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"),
        *("AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_INITIALIZATION_TYPE"),
        *("LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR", "AWS_XRAY_DAEMON_ADDRESS", "AWS_XRAY_CONTEXT_MISSING"),
        "_X_AMZN_TRACE_ID",
    }
    assert set(seen) - {"LC_CTYPE"} == expected


def test_environment_has_lambdas_variables_and_the_roles_credentials(
    host: FunctionHost, function: MakeFunction
) -> None:
    spec = function(ENVIRONMENT, environment={"TABLE": "t", "AWS_REGION": "mars"}, memory_mb=256)
    host.register(spec)
    seen = host.invoke("fn", b"{}").json()
    assert isinstance(seen, dict)
    assert seen["TABLE"] == "t"
    assert seen["AWS_REGION"] == seen["AWS_DEFAULT_REGION"] == "eu-central-1"
    assert seen["AWS_ACCESS_KEY_ID"] == f"key of {ROLE}"
    assert seen["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.13"
    assert seen["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert seen["LAMBDA_TASK_ROOT"] == str(spec.code_dir)
    assert seen["AWS_ENDPOINT_URL"] == "http://127.0.0.1:9"


def test_home_folder_of_the_user_is_not_visible(host: FunctionHost, function: MakeFunction) -> None:
    host.register(function("import pathlib\ndef handler(e, c): return str(pathlib.Path.home())"))
    assert host.invoke("fn", b"{}").json() != str(Path.home())


def test_concurrent_instances_have_separate_globals(host: FunctionHost, function: MakeFunction) -> None:
    from concurrent.futures import ThreadPoolExecutor

    host.register(
        function("""
        import os, time
        calls = 0
        def handler(event, context):
            global calls
            calls += 1
            time.sleep(0.5)
            return [os.getpid(), calls]
        """)
    )
    with ThreadPoolExecutor(2) as threads:
        answers = [f.result().json() for f in [threads.submit(host.invoke, "fn", b"0") for _ in range(2)]]
    assert answers[0][0] != answers[1][0]
    assert [answer[1] for answer in answers] == [1, 1]


def test_assets_win_over_the_installed_project(host: FunctionHost, function: MakeFunction) -> None:
    spec = function("""
        import importlib.util
        import functions.tools.probe, pentad
        def handler(event, context):
            return [functions.tools.probe.__file__, pentad.__file__,
                    importlib.util.find_spec("infra") is None, importlib.util.find_spec("twin") is None]
    """)
    layer = spec.code_dir.parent / "asset.layer"
    for folder in (spec.code_dir / "functions" / "tools", layer / "python" / "pentad"):
        folder.mkdir(parents=True)
        (folder / "__init__.py").touch()
    (spec.code_dir / "functions" / "__init__.py").touch()
    (spec.code_dir / "functions" / "tools" / "probe.py").touch()
    host.register(function((spec.code_dir / "app.py").read_text(), layer_dirs=(layer,)))
    probe, pentad, no_infra, no_local = host.invoke("fn", b"{}").json()
    assert probe == str(spec.code_dir / "functions" / "tools" / "probe.py")
    assert pentad == str(layer / "python" / "pentad" / "__init__.py")
    assert no_infra and no_local, "the editable install shows through"


def test_installed_packages_can_be_imported(host: FunctionHost, function: MakeFunction) -> None:
    host.register(function("import pydantic\ndef handler(e, c): return pydantic.__name__"))
    assert host.invoke("fn", b"{}").json() == "pydantic"


def test_assembly_is_not_written_to_and_bytecode_is_kept(
    host: FunctionHost, function: MakeFunction, tmp_path: Path
) -> None:
    spec = function("import other\ndef handler(e, c): return 1")
    (spec.code_dir / "other.py").touch()
    host.register(spec)
    assert host.invoke("fn", b"{}").function_error is None
    kept = {path.name.split(".")[0] for path in (tmp_path / "state" / "bytecode").rglob("*.pyc")}
    assert kept == {"app", "other"}
    assert sorted(path.name for path in spec.code_dir.iterdir()) == ["app.py", "other.py"]


def test_stop_kills_functions_and_what_they_started(host: FunctionHost, function: MakeFunction) -> None:
    host.register(
        function("""
        import os, subprocess
        child = subprocess.Popen(["sleep", "60"])
        def handler(event, context): return [os.getpid(), child.pid]
        """)
    )
    pids = host.invoke("fn", b"0").json()
    host.stop()
    assert isinstance(pids, list)
    until(lambda: not any(alive(pid) for pid in pids))


HOST_PROGRAM = """
import pathlib, sys, time
from twin.host.host import FunctionHost, HostSettings
from twin.host.model import FunctionSpec

class Sink:
    def write(self, log_group, log_stream, events): pass

folder = pathlib.Path(sys.argv[1])
host = FunctionHost(Sink(), lambda role: {}, HostSettings("us-east-1", folder / "state", {}, watch=sys.argv[2]))
host.register(FunctionSpec("fn", "arn:aws:lambda:us-east-1:123456789012:function:fn", "app.handler", folder,
                           "role", "/aws/lambda/fn", timeout_seconds=20))
print(host.invoke("fn", b"0").payload.decode(), flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("watch", ["signal", "stdin"])
def test_functions_die_with_a_host_that_is_killed(tmp_path: Path, watch: str) -> None:
    if watch == "signal" and sys.platform != "linux":
        pytest.skip("only Linux signals the death of a parent")
    (tmp_path / "app.py").write_text("import os\ndef handler(e, c): return os.getpid()")
    program = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(HOST_PROGRAM), str(tmp_path), watch],
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": os.pathsep.join(sys.path), "PATH": os.defpath},
    )
    try:
        assert program.stdout is not None
        pid = json.loads(program.stdout.readline())
        assert alive(pid)
    finally:
        program.kill()
        program.communicate()
    until(lambda: not alive(pid))


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
