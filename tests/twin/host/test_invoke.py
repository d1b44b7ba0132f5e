"""What a caller of the function host sees: results, errors in AWS's shapes, limits, logs."""

import json
import os
import re
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from tests.twin.host.conftest import MakeFunction, RecordingSink, until
from twin.host.host import FunctionHost
from twin.host.model import RESPONSE_BYTES, SYNC_PAYLOAD_BYTES, FunctionNotFound, RequestTooLarge

pytestmark = pytest.mark.twin

ECHO = """
def handler(event, context):
    return {"event": event, "id": context.aws_request_id, "left": context.get_remaining_time_in_millis(),
            "arn": context.invoked_function_arn, "name": context.function_name,
            "memory": context.memory_limit_in_mb}
"""


def test_result_and_context_are_those_of_lambda(host: FunctionHost, function: MakeFunction) -> None:
    spec = function(ECHO)
    host.register(spec)
    result = host.invoke("fn", b'{"a": "\xc3\xa9"}')
    answer = json.loads(result.payload)
    assert result.function_error is None and result.status_code == 200 and result.executed_version == "$LATEST"
    assert answer["event"] == {"a": "é"}
    assert answer["id"] == result.request_id
    assert 10_000 < answer["left"] <= 20_000
    assert (answer["arn"], answer["name"], answer["memory"]) == (spec.arn, "fn", "128")


def test_second_call_reuses_the_warm_instance(host: FunctionHost, function: MakeFunction) -> None:
    host.register(function("calls = []\ndef handler(e, c):\n    calls.append(e)\n    return calls"))
    first, second = host.invoke("fn", b"1"), host.invoke("fn", b"2")
    assert first.cold and first.init_ms is not None and first.init_ms > 0
    assert not second.cold and second.init_ms is None
    assert second.json() == [1, 2]


def test_function_is_found_by_arn_and_alias(host: FunctionHost, function: MakeFunction) -> None:
    spec = function(ECHO)
    host.register(spec)
    host.add_qualifier("fn", "live", "3")
    result = host.invoke(f"{spec.arn}:live", b"{}")
    assert result.executed_version == "3"
    assert json.loads(result.payload)["arn"] == f"{spec.arn}:live"
    assert host.invoke("fn", b"{}", qualifier="live").executed_version == "3"


@pytest.mark.parametrize("reference", ["absent", "fn:absent", "a/b"])
def test_unknown_function_or_alias_is_not_found(host: FunctionHost, function: MakeFunction, reference: str) -> None:
    host.register(function(ECHO))
    with pytest.raises(FunctionNotFound, match="Function not found"):
        host.invoke(reference, b"{}")


def test_exception_has_the_payload_that_aws_recorded(host: FunctionHost, function: MakeFunction) -> None:
    host.register(
        function("""
        class CustomException(Exception): ...
        def handler(event, context):
            raise CustomException("Some exception was raised.")
        """)
    )
    result = host.invoke("fn", b"{}")
    payload = json.loads(result.payload)
    assert result.function_error == "Unhandled"
    assert list(payload) == ["errorMessage", "errorType", "requestId", "stackTrace"]
    assert payload["errorMessage"] == "Some exception was raised."
    assert payload["errorType"] == "CustomException"
    assert payload["requestId"] == result.request_id
    assert len(payload["stackTrace"]) == 1
    assert payload["stackTrace"][0].endswith(
        'app.py", line 4, in handler\n    raise CustomException("Some exception was raised.")\n'
    )
    assert not host.invoke("fn", b"{}").cold


RECORDED = (
    Path(__file__).parents[4] / "shared" / "data" / "recorded-on-aws" / "snapshots" / "test_task_lambda.snapshot.json"
)


@pytest.mark.skipif(not RECORDED.exists(), reason="the recordings lie beside the project, not in it")
def test_error_payload_equals_the_recorded_one(host: FunctionHost, function: MakeFunction) -> None:
    cause = next(re.finditer(r'"Cause": "(\{.*Some exception was raised.*\})"', RECORDED.read_text()))
    recorded = json.loads(json.loads(f'"{cause.group(1)}"'))
    spec = function(
        'def handler(event, context):\n    raise Exception("Some exception was raised.")', handler="handler.handler"
    )
    (spec.code_dir / "app.py").rename(spec.code_dir / "handler.py")
    host.register(spec)
    result = host.invoke("fn", b"{}")
    text = result.payload.decode().replace(str(spec.code_dir), "/var/task").replace(result.request_id, "<uuid:1>")
    assert json.loads(text) == recorded
    assert list(json.loads(text)) == list(recorded)


def test_result_that_is_no_json_is_a_marshal_error(host: FunctionHost, function: MakeFunction) -> None:
    host.register(function("def handler(e, c):\n    return {1, 2}"))
    payload = json.loads(host.invoke("fn", b"{}").payload)
    assert payload["errorType"] == "Runtime.MarshalError"
    assert payload["errorMessage"] == "Unable to marshal response: Object of type set is not JSON serializable"


@pytest.mark.parametrize(
    ("handler", "error", "message"),
    [
        ("absent.handler", "Runtime.ImportModuleError", "Unable to import module 'absent': No module named 'absent'"),
        ("app.absent", "Runtime.HandlerNotFound", "Handler 'absent' missing on module 'app'"),
        ("nodots", "Runtime.MalformedHandlerName", "Bad handler 'nodots': not enough values to unpack"),
    ],
)
def test_missing_handler_is_an_init_error(
    host: FunctionHost, function: MakeFunction, handler: str, error: str, message: str
) -> None:
    host.register(function(ECHO, handler=handler))
    result = host.invoke("fn", b"{}")
    payload = json.loads(result.payload)
    assert result.function_error == "Unhandled"
    assert payload["errorType"] == error
    assert payload["errorMessage"].startswith(message)
    assert host.count_instances() == {}


def test_exception_at_import_is_an_init_error(host: FunctionHost, function: MakeFunction) -> None:
    host.register(function("raise ValueError('bad start')"))
    payload = json.loads(host.invoke("fn", b"{}").payload)
    assert (payload["errorType"], payload["errorMessage"]) == ("ValueError", "bad start")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import os\ndef handler(e, c): os._exit(3)", "Runtime exited with error: exit status 3"),
        ("import sys\ndef handler(e, c): sys.exit(0)", "Runtime exited without providing a reason"),
        (
            "import os, signal\ndef handler(e, c): os.kill(os.getpid(), signal.SIGKILL)",
            "Runtime exited with error: signal: killed",
        ),
        ("import os\nos._exit(1)", "Runtime exited with error: exit status 1"),
    ],
)
def test_end_of_the_process_is_an_exit_error(
    host: FunctionHost, function: MakeFunction, source: str, message: str
) -> None:
    host.register(function(source))
    result = host.invoke("fn", b"{}")
    assert json.loads(result.payload) == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {result.request_id} Error: {message}",
    }
    assert host.count_instances() == {}


def test_call_after_a_crash_gets_a_new_instance(host: FunctionHost, function: MakeFunction) -> None:
    host.register(function("import os\ndef handler(e, c):\n    return os._exit(1) if e == 'die' else 'alive'"))
    assert host.invoke("fn", b'"die"').function_error == "Unhandled"
    again = host.invoke("fn", b'"live"')
    assert again.json() == "alive" and again.cold


def test_instance_killed_while_idle_does_not_fail_the_next_call(host: FunctionHost, function: MakeFunction) -> None:
    host.register(function("import os\ndef handler(e, c): return os.getpid()"))
    pid = host.invoke("fn", b"0").json()
    assert isinstance(pid, int)
    os.kill(pid, signal.SIGKILL)
    # Waited for as the host waits for it: a zombie may still have threads that end.
    until(lambda: os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None)
    result = host.invoke("fn", b"0")
    assert result.function_error is None and result.json() != pid


def test_function_past_its_time_limit_is_killed_and_reported(
    host: FunctionHost, function: MakeFunction, sink: RecordingSink
) -> None:
    host.register(function("def handler(e, c):\n    while True: pass", timeout_seconds=0.5))
    result = host.invoke("fn", b"{}")
    assert json.loads(result.payload) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {result.request_id} Error: Task timed out after 0.50 seconds",
    }
    assert host.count_instances() == {}
    assert any(line.endswith(f"{result.request_id} Task timed out after 0.50 seconds") for line in sink.lines())
    assert "Status: timeout" in sink.lines()[-1]


def test_function_over_its_memory_is_killed(host: FunctionHost, function: MakeFunction) -> None:
    host.register(
        function("""
        import time
        def handler(event, context):
            hoard = bytearray(400 * 1024 * 1024)
            hoard[:] = b"x" * len(hoard)
            time.sleep(15)
        """)
    )
    result = host.invoke("fn", b"{}")
    payload = json.loads(result.payload)
    assert payload["errorType"] == "Runtime.ExitError"
    assert payload["errorMessage"].endswith("Error: Runtime exited with error: signal: killed")
    assert result.max_memory_mb > 128


def test_response_over_six_megabytes_is_refused(host: FunctionHost, function: MakeFunction) -> None:
    host.register(function("def handler(e, c): return 'x' * e", memory_mb=512))
    assert host.invoke("fn", str(RESPONSE_BYTES - 2).encode()).function_error is None
    payload = json.loads(host.invoke("fn", str(RESPONSE_BYTES - 1).encode()).payload)
    assert payload == {
        "errorType": "Function.ResponseSizeTooLarge",
        "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
    }


def test_request_over_six_megabytes_is_refused(host: FunctionHost, function: MakeFunction) -> None:
    host.register(function("def handler(e, c): return len(e)", memory_mb=512))
    largest = b'"' + b"x" * (SYNC_PAYLOAD_BYTES - 2) + b'"'
    assert host.invoke("fn", largest).json() == SYNC_PAYLOAD_BYTES - 2
    with pytest.raises(RequestTooLarge, match="limit 6291456 bytes"):
        host.invoke("fn", largest + b" ")


def test_log_has_start_end_report_and_each_line_printed(
    host: FunctionHost, function: MakeFunction, sink: RecordingSink
) -> None:
    host.register(
        function("""
        import logging, sys
        def handler(event, context):
            print("to stdout")
            print("to stderr", file=sys.stderr)
            logging.getLogger().warning("logged")
            sys.stdout.write("unfinished")
        """)
    )
    result = host.invoke("fn", b"{}", log_tail=True)
    lines = sink.lines()
    assert lines[0] == f"START RequestId: {result.request_id} Version: $LATEST"
    assert lines[1:3] == ["to stdout", "to stderr"]
    assert lines[3].startswith("[WARNING]") and lines[3].endswith(f"{result.request_id}\tlogged")
    assert lines[4] == "unfinished"
    assert lines[5] == f"END RequestId: {result.request_id}"
    assert lines[6].startswith(f"REPORT RequestId: {result.request_id}\tDuration: ")
    assert "Memory Size: 128 MB" in lines[6] and "Init Duration: " in lines[6]
    assert sink.groups() == {"/aws/lambda/fn"}
    assert result.log_tail is not None and result.log_tail.splitlines() == lines


def test_log_tail_is_at_most_four_kilobytes(host: FunctionHost, function: MakeFunction) -> None:
    host.register(function("def handler(e, c):\n    for i in range(1000): print('line', i)"))
    tail = host.invoke("fn", b"{}", log_tail=True).log_tail
    assert tail is not None and len(tail.encode()) <= 4096
    assert "line 999" in tail and "REPORT" in tail


def test_reports_are_kept_for_traces(host: FunctionHost, function: MakeFunction) -> None:
    host.register(function("def handler(e, c): return 1"))
    result = host.invoke("fn", b"{}", trace_header="Root=1-0-0;Sampled=1")
    (report,) = host.list_reports()
    assert (report.function, report.request_id, report.status) == ("fn", result.request_id, "success")
    assert report.trace_id == "Root=1-0-0;Sampled=1"


def test_trace_header_reaches_the_function(host: FunctionHost, function: MakeFunction) -> None:
    host.register(function("import os\ndef handler(e, c): return os.environ['_X_AMZN_TRACE_ID']"))
    assert host.invoke("fn", b"{}", trace_header="Root=1-a-b;Sampled=1").json() == "Root=1-a-b;Sampled=1"
    generated = host.invoke("fn", b"{}").json()
    assert isinstance(generated, str) and generated.startswith("Root=1-") and generated.endswith("Sampled=0")


def test_changed_function_replaces_the_running_one(host: FunctionHost, function: MakeFunction) -> None:
    host.register(function("def handler(e, c): return 'old'"))
    assert host.invoke("fn", b"{}").json() == "old"
    host.register(replace(function("def handler(e, c): return 'new'", "fn2"), name="fn"))
    assert host.invoke("fn", b"{}").json() == "new"


def test_scratch_folder_survives_between_calls_and_goes_with_the_instance(
    host: FunctionHost, function: MakeFunction
) -> None:
    host.register(
        function("""
        import pathlib, tempfile
        def handler(event, context):
            kept = pathlib.Path(tempfile.gettempdir(), "kept")
            found = kept.exists()
            kept.touch()
            return [found, str(kept)]
        """)
    )
    assert host.invoke("fn", b"{}").json() == [False, host.invoke("fn", b"{}").json()[1]]
    found, path = host.invoke("fn", b"{}").json()
    assert found
    host.stop()
    assert not Path(path).exists()
