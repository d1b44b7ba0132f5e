"""Names, error payloads and log lines of the function host, as AWS writes them."""

import json
from pathlib import Path

import pytest

from twin.host import payloads
from twin.host.model import FunctionNotFound, FunctionSpec, InvocationReport, TooManyRequests
from twin.host.processes.environment import build_environment, list_asset_folders
from twin.host.processes.output import format_report
from twin.host.registry import FunctionRegistry

ARN = "arn:aws:lambda:us-east-1:123456789012:function:fn"


def spec(**changes: object) -> FunctionSpec:
    fields = {"name": "fn", "arn": ARN, "handler": "a.b", "code_dir": Path("/code"), "role_arn": "r", "log_group": "g"}
    return FunctionSpec(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("returncode", "reason"),
    [
        (0, "Runtime exited without providing a reason"),
        (1, "Runtime exited with error: exit status 1"),
        (-9, "Runtime exited with error: signal: killed"),
        (-11, "Runtime exited with error: signal: segmentation fault"),
        (-6, "Runtime exited with error: signal: aborted"),
    ],
)
def test_exit_reasons(returncode: int, reason: str) -> None:
    assert json.loads(payloads.build_exit_error("id", returncode)) == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: id Error: {reason}",
    }


def test_time_is_reported_with_two_decimals() -> None:
    assert json.loads(payloads.build_timeout_error("id", 3)) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": "RequestId: id Error: Task timed out after 3.00 seconds",
    }


def test_report_line() -> None:
    report = InvocationReport("fn", "id", 0, 1.234, 100.5, 40, "success", None)
    assert format_report(report, 128) == (
        "REPORT RequestId: id\tDuration: 1.23 ms\tBilled Duration: 102 ms\tMemory Size: 128 MB"
        "\tMax Memory Used: 40 MB\tInit Duration: 100.50 ms"
    )


@pytest.mark.parametrize("reference", ["fn", ARN, "123456789012:function:fn", "fn:$LATEST", f"{ARN}:$LATEST"])
def test_function_is_found_by_each_form_of_its_name(reference: str) -> None:
    registry = FunctionRegistry()
    registry.add(spec())
    assert registry.resolve(reference).version == "$LATEST"


def test_removed_function_is_gone_with_its_aliases() -> None:
    registry = FunctionRegistry()
    registry.add(spec())
    registry.add_qualifier("fn", "live", "1")
    assert registry.resolve("fn", "live").invoked_arn == f"{ARN}:live"
    registry.remove("fn")
    for reference in ("fn", "fn:live"):
        with pytest.raises(FunctionNotFound):
            registry.resolve(reference)


def test_a_published_version_keeps_the_specification_it_was_published_with() -> None:
    registry = FunctionRegistry()
    registry.add(spec())
    registry.add_qualifier("fn", "1", "1")
    registry.add_qualifier("fn", "live", "1")
    registry.add(spec(memory_mb=256))
    registry.add_qualifier("fn", "2", "2")
    memory = {name: registry.resolve("fn", name).spec.memory_mb for name in ("1", "2", "live", "$LATEST")}
    assert memory == {"1": 128, "2": 256, "live": 128, "$LATEST": 256}


def test_a_function_that_is_what_a_version_was_shares_its_instances() -> None:
    registry = FunctionRegistry()
    registry.add(spec())
    registry.add_qualifier("fn", "1", "1")
    registry.add(spec(memory_mb=256))
    registry.add(spec())
    assert registry.resolve("fn").spec is registry.resolve("fn", "1").spec


def test_only_a_change_replaces_a_function() -> None:
    registry = FunctionRegistry()
    assert not registry.add(spec())
    assert not registry.add(spec())
    assert registry.add(spec(memory_mb=256))


def test_reserved_variables_and_credentials_win_over_the_functions_own() -> None:
    environment = build_environment(
        spec(environment={"AWS_REGION": "mars", "TABLE": "t", "AWS_ACCESS_KEY_ID": "mine"}),
        region="us-east-1",
        runtime_api="127.0.0.1:1",
        log_stream="s",
        scratch=Path("/scratch"),
        credentials={"AWS_ACCESS_KEY_ID": "role"},
        extra={"AWS_ENDPOINT_URL": "http://127.0.0.1:2"},
    )
    assert environment["TABLE"] == "t"
    assert environment["AWS_REGION"] == "us-east-1"
    assert environment["AWS_ACCESS_KEY_ID"] == "role"
    assert environment["HOME"] == environment["TMPDIR"] == "/scratch"


def test_layers_come_after_the_functions_own_code() -> None:
    assert list_asset_folders(spec(layer_dirs=(Path("/one"), Path("/two")))) == ("/code", "/one/python", "/two/python")


def test_throttle_has_lambdas_body() -> None:
    assert TooManyRequests("ConcurrentInvocationLimitExceeded").to_body()["message"] == "Rate Exceeded."
