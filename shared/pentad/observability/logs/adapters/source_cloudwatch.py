"""Log lines in CloudWatch Logs, by ``FilterLogEvents``: no query is billed, and a line is there within seconds."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from botocore.exceptions import ClientError

from pentad.aws.errors import code_of, translate_errors
from pentad.domain.errors import PolicyDenied
from pentad.observability.logs.ports import StoredLine, TooManyPages

_MOST_GROUPS: Final = 500
_MOST_PAGES: Final = 200
"""Pages of a group: each is up to 10,000 lines or 1 MB, and may be empty where nothing of it matches."""
_DENIED: Final = frozenset({"AccessDeniedException", "AccessDenied"})
_GONE: Final = "ResourceNotFoundException"


class CloudWatchLines:
    """A `LogSource` over CloudWatch Logs.

    Args:
        client: boto3's client of ``logs``; it is used by several threads.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def list_groups(self, prefix: str) -> list[str]:
        """See the port."""
        found: list[str] = []
        request: dict[str, Any] = {"logGroupNamePrefix": prefix}
        while len(found) < _MOST_GROUPS:
            reply = self._ask("describe_log_groups", request, f"list the log groups '{prefix}*'")
            found += [str(one["logGroupName"]) for one in reply["logGroups"]]
            if not reply.get("nextToken"):
                break
            request["nextToken"] = reply["nextToken"]
        return sorted(found)[:_MOST_GROUPS]

    def iter_lines(
        self, group: str, words: Sequence[str], *, since: datetime, until: datetime | None = None
    ) -> Iterator[StoredLine]:
        """See the port."""
        quoted = [f'"{word}"' for word in words]
        request: dict[str, Any] = {
            "logGroupName": group,
            "filterPattern": quoted[0] if len(quoted) == 1 else " ".join(f"?{one}" for one in quoted),
            "startTime": _to_milliseconds(since),
        }
        if until is not None:
            request["endTime"] = _to_milliseconds(until)
        for _ in range(_MOST_PAGES):
            try:
                reply = self._ask("filter_log_events", request, f"read the log group '{group}'")
            except _GroupGone:
                return
            for event in reply["events"]:
                text = str(event["message"])
                if any(word in text for word in words):
                    yield StoredLine(str(event["eventId"]), _to_time(event["timestamp"]), group, text)
            if not reply.get("nextToken"):
                return
            request["nextToken"] = reply["nextToken"]
        raise TooManyPages(group)

    def _ask(self, operation: str, request: dict[str, Any], does: str) -> Any:
        with translate_errors("CloudWatch Logs"):
            try:
                return getattr(self._client, operation)(**request)
            except ClientError as error:
                if code_of(error) == _GONE:
                    raise _GroupGone from error
                if code_of(error) in _DENIED:
                    raise PolicyDenied(
                        f"the AWS credentials may not {does}",
                        fix="ask for logs:DescribeLogGroups, and logs:FilterLogEvents on the log group",
                    ) from error
                raise


class _GroupGone(Exception):
    """There is no such log group, or not yet."""


def _to_milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _to_time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
