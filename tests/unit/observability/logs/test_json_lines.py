"""Lines of JSON: each record once, with its error in words and in parts, and without a package that is not needed."""

import io
import itertools
import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from pentad.observability.logs.json_lines import make_logger
from pentad.observability.logs.schema import find_line_faults

ROOT = Path(__file__).parents[4]
_names = itertools.count()


class Written:
    """A logger, and the lines that it wrote."""

    def __init__(self, level: str = "INFO", xray_id: str | None = None) -> None:
        self.stream, self.service = io.StringIO(), f"lines-{next(_names)}"
        self.logger = make_logger(self.service, level=level, stream=self.stream, xray_id=lambda: xray_id)

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]


def test_a_line_has_its_level_time_service_and_fields() -> None:
    written = Written(xray_id="1-2-3")
    written.logger.warning("run.odd", extra={"event": "run.odd", "tenant": "acme", "step": None})
    [line] = written.lines
    assert {name: line[name] for name in ("level", "message", "service", "event", "tenant", "xray_trace_id")} == {
        "level": "WARNING",
        "message": "run.odd",
        "service": written.service,
        "event": "run.odd",
        "tenant": "acme",
        "xray_trace_id": "1-2-3",
    }
    assert "step" not in line and find_line_faults(json.dumps(line)) == []


def fail_with(text: str) -> None:
    raise ValueError(text)


def test_an_error_has_its_class_its_text_and_its_frames_and_no_secret() -> None:
    written = Written()
    try:
        fail_with("the key sk-ant-" + "a1" * 12 + " is wrong")
    except ValueError:
        written.logger.exception("tool.failed", extra={"event": "tool.failed"})
    [line] = written.lines
    assert (line["exception_name"], line["stack_trace"]["type"], line["stack_trace"]["module"]) == (
        "ValueError",
        "ValueError",
        "builtins",
    )
    assert line["stack_trace"]["frames"][-1]["function"] == "fail_with"
    assert "the key [masked] is wrong" in line["exception"] and "a1a1" not in written.stream.getvalue()
    assert find_line_faults(json.dumps(line)) == []


def test_a_record_is_written_once_whatever_handlers_the_runtime_has() -> None:
    written, runtimes = Written(), io.StringIO()
    handler = logging.StreamHandler(runtimes)
    logging.getLogger().addHandler(handler)
    try:
        written.logger.info("run.ended")
    finally:
        logging.getLogger().removeHandler(handler)
    assert (len(written.lines), runtimes.getvalue()) == (1, "")


def test_a_logger_that_was_made_before_stays_as_it_is() -> None:
    written, other = Written(level="WARNING"), io.StringIO()
    again = make_logger(written.service, level="DEBUG", stream=other, xray_id=lambda: None)
    again.error("loud")
    again.info("quiet")
    assert [line["message"] for line in written.lines] == ["loud"]
    assert other.getvalue() == ""


def test_telemetry_imports_no_package_that_a_function_does_not_need_for_it() -> None:
    code = "import sys, pentad.observability.adapters.lines\nprint(*{name.partition('.')[0] for name in sys.modules})"
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'shared'}"}
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert not {"aws_lambda_powertools", "jmespath", "botocore", "boto3"} & set(made.stdout.split())
