"""Contents in CloudWatch Logs: a stream for each run, so that what is written again is known by its id."""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from botocore.exceptions import ClientError

from pentad.aws.errors import code_of, translate_errors
from pentad.domain.errors import StoreUnavailable
from pentad.orchestration.contents.ports import ContentLine

_BATCH_BYTES: Final = 900_000
_BATCH_LINES: Final = 5_000
"""CloudWatch Logs takes 1 MB and 10,000 lines in one request, with 26 bytes more for each line."""
_MOST_PAGES: Final = 100


class CloudWatchContents:
    """A `ContentLog` over CloudWatch Logs.

    Args:
        client: boto3's client of ``logs``.
        group: the log group.
        clock: the present time: a line's own may be too old to be taken.
    """

    def __init__(self, client: Any, group: str, *, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._group = group
        self._clock = clock

    def write(self, stream: str, lines: Sequence[ContentLine]) -> int:
        """See the port."""
        with translate_errors("the log of contents"):
            known = frozenset[str]() if self._create_stream(stream) else frozenset(self._iter_ids(stream))
            fresh = [line for line in lines if line["line"] not in known]
            for batch in _cut(fresh):
                self._put(stream, batch)
        return len(fresh)

    def remove(self, stream: str) -> None:
        """See the port."""
        with translate_errors("the log of contents"):
            try:
                self._client.delete_log_stream(logGroupName=self._group, logStreamName=stream)
            except ClientError as error:
                if code_of(error) != "ResourceNotFoundException":
                    raise

    def _create_stream(self, stream: str) -> bool:
        """Return whether the stream is new."""
        try:
            self._client.create_log_stream(logGroupName=self._group, logStreamName=stream)
        except ClientError as error:
            if code_of(error) != "ResourceAlreadyExistsException":
                raise
            return False
        return True

    def _iter_ids(self, stream: str) -> Iterator[str]:
        request: dict[str, Any] = {"logGroupName": self._group, "logStreamName": stream, "startFromHead": True}
        for _ in range(_MOST_PAGES):
            reply = self._client.get_log_events(**request)
            for event in reply["events"]:
                yield str(json.loads(event["message"])["line"])
            if reply.get("nextForwardToken") in {None, request.get("nextToken")}:
                return
            request["nextToken"] = reply["nextForwardToken"]
        raise StoreUnavailable(f"the stream '{stream}' of contents has more pages than can be read")

    def _put(self, stream: str, texts: Sequence[str]) -> None:
        now = int(self._clock().timestamp() * 1000)
        events = [{"timestamp": now, "message": text} for text in texts]
        self._client.put_log_events(logGroupName=self._group, logStreamName=stream, logEvents=events)


def _cut(lines: Sequence[ContentLine]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for line in lines:
        text = json.dumps(line, ensure_ascii=True, separators=(",", ":"))
        if batch and (size + len(text) + 26 > _BATCH_BYTES or len(batch) == _BATCH_LINES):
            yield batch
            batch, size = [], 0
        batch.append(text)
        size += len(text) + 26
    if batch:
        yield batch
