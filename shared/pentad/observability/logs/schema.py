"""What a line of a function's log holds: one model, from which the table in the docs is made and each line is checked.

A line is an event, a span, a document of metrics, or a record of a library; and text, where Lambda itself or a library
writes. Functions do not import this: it is for tests, for docs and for who reads logs.
"""

import re
from typing import Annotated, Any, Final, Literal

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr, ValidationError

from pentad.domain.reading.json_text import read_json
from pentad.domain.values import FrozenValue

Text = StrictStr
Whole = StrictInt
_Value = StrictBool | StrictInt | StrictFloat | StrictStr
_Hex16 = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
_Hex32 = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class SpanLink(FrozenValue):
    """Another span that belongs to one."""

    trace_id: _Hex32
    span_id: _Hex16


class SpanFields(FrozenValue):
    """The field ``span`` of a line."""

    trace_id: _Hex32
    span_id: _Hex16
    parent_id: _Hex16 | None
    name: Text
    kind: Literal["INTERNAL", "CLIENT", "SERVER", "PRODUCER", "CONSUMER"]
    start: Whole
    end: Whole
    status: Literal["OK", "ERROR"]
    attributes: dict[str, _Value | list[_Value]]
    links: tuple[SpanLink, ...] = ()


class LogLine(FrozenValue):
    """A line of ours: an event, a span, or what a part of the same logger says."""

    timestamp: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}(\+00:00|Z)$")] = Field(
        description="when, RFC 3339 in UTC"
    )
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = Field(description="how bad")
    service: Text = Field(description="the function, without the stage's prefix")
    message: Text = Field(description="the name of the event or of the span")
    event: Annotated[str, Field(pattern=r"^[a-z][a-z_-]*(\.[a-z_]+)+$")] | None = Field(
        default=None, description="what happened: `tool.failed`"
    )
    span: SpanFields | None = Field(default=None, description="a span; see below")
    xray_trace_id: Text | None = Field(default=None, description="X-Ray's id of the invocation")
    exception: Text | None = Field(default=None, description="a traceback, redacted")
    exception_name: Text | None = Field(default=None, description="the class of its error")
    stack_trace: dict[str, Any] | None = Field(default=None, description="the same in parts")

    request_id: Text | None = Field(default=None, description="Lambda's id of the invocation")
    tenant: Text | None = Field(default=None, description="whose")
    run: Text | None = Field(default=None, description="of which run")
    session: Text | None = Field(default=None, description="of which session")
    agent: Text | None = Field(default=None, description="of which agent or workflow")
    step: Whole | None = Field(default=None, description="of which step of the run")
    attempt: Whole | None = Field(default=None, description="of which attempt of a model within the step, from 1")
    index: Whole | None = Field(default=None, description="of which call of the step, from 0")
    op: Text | None = Field(default=None, description="what the function was asked to do: `think`, `deliver`")
    key: Text | None = Field(default=None, description="the API key's id; of `run.metadata_missing`: which metadata")

    act: Text | None = Field(default=None, description="an act of the audit")
    again_after_seconds: Whole | None = Field(default=None, description="when a message comes again")
    alarm: Text | None = Field(default=None, description="an alarm")
    anchors: Whole | None = Field(default=None, description="anchors that were written")
    approval: Text | None = Field(default=None, description="an approval")
    budget: Text | None = Field(default=None, description="a budget's name")
    by: Text | None = Field(default=None, description="the key that decided, or the user by the hash")
    calls: Whole | None = Field(default=None, description="how many calls wait")
    cause: Text | None = Field(default=None, description="why a review was opened")
    chain: Text | None = Field(default=None, description="a chain of the audit")
    channel: Text | None = Field(default=None, description="how humans are told: `slack`")
    circuit: Text | None = Field(default=None, description="a model's circuit")
    cost_nanousd: Whole | None = Field(default=None, description="nano-dollars")
    detail: Text | None = Field(default=None, description="our own sentence of an error")
    dimension: Text | None = Field(default=None, description="of a metric: what it is split by")
    erasure: Text | None = Field(default=None, description="an erasure")
    error: Text | None = Field(default=None, description="an error's class, or our own sentence of it")
    feedback: Text | None = Field(default=None, description="a feedback on an answer")
    group: Text | None = Field(default=None, description="a group of humans")
    hash: Text | None = Field(default=None, description="of an entry of the audit")
    item: Text | None = Field(default=None, description="the key of an entry of the audit in its chain")
    kept: Whole | None = Field(default=None, description="nodes of a graph that were kept")
    kind: Text | None = Field(default=None, description="of feedback: what was given")
    left: Whole | None = Field(default=None, description="what an erasure has left")
    limit: Text | None = Field(default=None, description="a limit that was reached")
    message_id: Text | None = Field(default=None, description="SQS's id of a message")
    metric: Text | None = Field(default=None, description="a metric")
    model: Text | None = Field(default=None, description="a model")
    note: Text | None = Field(default=None, description="what was odd in a document")
    number: Whole | None = Field(default=None, description="of an entry of the audit")
    omitted: Whole | None = Field(default=None, description="nodes of a graph that were not kept")
    outcome: Text | None = Field(default=None, description="how it ended")
    place: Text | None = Field(default=None, description="the chain of the audit that an entry is in")
    provider: Text | None = Field(default=None, description="a model's provider")
    reason: Text | None = Field(default=None, description="why")
    receives: Whole | None = Field(default=None, description="how often a message was delivered")
    review: Text | None = Field(default=None, description="a review")
    scope: Text | None = Field(default=None, description="whose rate: `tenant`, `user`, `session`")
    source: Text | None = Field(
        default=None,
        description="a source of confidence; of `run.forked`: the run it is of; of `export.dropped`: a function",
    )
    spans: Whole | None = Field(default=None, description="how many spans")
    state: Text | None = Field(default=None, description="a circuit's state")
    status: Text | None = Field(default=None, description="an approval's status")
    step_name: Text | None = Field(default=None, description="a step of a workflow, or of memory after a run")
    subject: Text | None = Field(default=None, description="what is counted")
    target: Text | None = Field(default=None, description="where an alarm is told, or spans are sent")
    tenants: Whole | None = Field(default=None, description="tenants whose audit has grown")
    tier: Text | None = Field(default=None, description="a tier of models")
    tool: Text | None = Field(default=None, description="a tool")
    value: Text | None = Field(default=None, description="of a dimension: one that no table lists")
    verb: Text | None = Field(default=None, description="what a human said: `approve`")
    verdict: Text | None = Field(default=None, description="of a review")
    was: Text | None = Field(default=None, description="a circuit's state before")


ALWAYS: Final = ("timestamp", "level", "service", "message")
"""Fields of every line of ours."""
CORRELATING: Final = ("request_id", "tenant", "run", "session", "agent", "step", "attempt", "index", "op")
"""Fields by which lines are brought together, on each line where they exist."""
_RUNTIME: Final = re.compile(
    r"(?:INIT_START|INIT_REPORT|RESTORE_START|RESTORE_REPORT|START|END|REPORT|XRAY|EXTENSION|TELEMETRY)\b"
    r"|\d{4}-\d\d-\d\dT[\d:.]+Z \S+ Task timed out after "
    r"|RequestId: \S+ (?:Error|Process exited)"
    r"|LAMBDA_WARNING:|Runtime\.\w+$"
    r"|\[(?:DEBUG|INFO|WARNING|ERROR|CRITICAL)\]\s"
)


def find_line_faults(text: str) -> list[str]:
    """Return what of a line is not as the schema says.

    Args:
        text: a line as it stands in a function's log. Lambda's own text, and a record of a library that Lambda's
            handler has written, are as they are.
    """
    if _RUNTIME.match(text):
        return []
    try:
        line = read_json(text)
    except ValueError:
        return ["it is neither JSON nor what Lambda writes"]
    if not isinstance(line, dict):
        return ["it is JSON and no object"]
    if "_aws" in line:
        return _find_document_faults(line)
    try:
        LogLine.model_validate(line)
    except ValidationError as error:
        return [f"'{'.'.join(map(str, one['loc']))}': {one['msg']}" for one in error.errors(include_input=False)]
    if line.get("event") is None and line.get("span") is None:
        return []
    said = line["event"] if line.get("event") else line["span"]["name"]
    return [] if line["message"] == said else ["'message' is not the name of the event or span"]


def _find_document_faults(line: dict[str, Any]) -> list[str]:
    """Return what is wrong with a document of metrics: each that it names is a number, or numbers, of the line."""
    faults = [f"'{name}' is missing" for name in ("service", "stage") if not isinstance(line.get(name), str)]
    for directive in line["_aws"].get("CloudWatchMetrics", ()):
        for metric in directive["Metrics"]:
            found = line.get(metric["Name"])
            numbers = found if isinstance(found, list) else [found]
            if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in numbers):
                faults.append(f"'{metric['Name']}' is not a number")
        for names in directive["Dimensions"]:
            faults += [f"the dimension '{name}' is missing" for name in names if not isinstance(line.get(name), str)]
    return faults
