"""The spans that the functions of a twin have logged."""

import json
from collections.abc import Iterator
from typing import Any

from tests.twin.stack.world import Stack, until


def read_spans(stack: Stack) -> list[dict[str, Any]]:
    """Return every span that any function has logged so far, with the keys of its line."""
    logs = stack.aws("logs")
    return [span for group in list_log_groups(logs) for span in _iter_spans(logs, group)]


def list_log_groups(logs: Any) -> list[str]:
    """Return the names of all log groups: CloudWatch Logs gives 50 at once."""
    pages = logs.get_paginator("describe_log_groups").paginate()
    return [one["logGroupName"] for page in pages for one in page["logGroups"]]


def _iter_spans(logs: Any, group: str) -> Iterator[dict[str, Any]]:
    for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group):
        for event in page["events"]:
            if '"span":' not in event["message"]:
                continue
            try:
                record = json.loads(event["message"])
            except ValueError:
                continue
            if isinstance(record, dict) and isinstance(record.get("span"), dict):
                yield record["span"] | {"line": {key: value for key, value in record.items() if key != "span"}}


def wait_for_trace(stack: Stack, trace_id: str, root: str) -> list[dict[str, Any]]:
    """Return the spans of a trace, once its root and the parent of each are among them.

    Lines reach the log a moment after they are written, and a span's is written when it ends: what is done in it, such
    as embedding what is remembered after the run, is there before.
    """

    def find() -> list[dict[str, Any]]:
        found = [span for span in read_spans(stack) if span["trace_id"] == trace_id]
        ids = {span["span_id"] for span in found}
        whole = all(span["name"] == root or span["parent_id"] in ids for span in found)
        return found if whole and any(span["name"] == root for span in found) else []

    return until(find, f"the root of the trace '{trace_id}'")
