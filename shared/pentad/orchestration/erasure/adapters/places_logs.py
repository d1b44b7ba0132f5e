"""Where a user's things are in CloudWatch Logs: the streams of the log of contents, one for each run of the user."""

from collections import Counter
from typing import Any, Final

from botocore.exceptions import ClientError

from pentad.aws.errors import code_of, translate_errors
from pentad.orchestration.contents.ports import begin_streams
from pentad.orchestration.erasure.ports import ErasureStage, Visit

_PAGE: Final = 50
"""The most that DescribeLogStreams returns."""
_GONE: Final = "ResourceNotFoundException"


class ContentsPlace:
    """What was said in the user's runs: single lines of a log can't be removed, but its streams can.

    Streams are found by their name, so also those of runs that are gone already, and of a stage that no longer keeps
    contents but whose log group is still there.

    Args:
        client: boto3's client of ``logs``.
        group: the log group of contents, which a stage may not have.
    """

    def __init__(self, client: Any, group: str) -> None:
        self._client = client
        self._group = group

    def visit(self, tenant_id: str, user_id: str, cursor: str | None, *, stage: ErasureStage) -> Visit:
        """See `Place`."""
        request = {"logGroupName": self._group, "logStreamNamePrefix": begin_streams(tenant_id, user_id)}
        # Where streams are removed each page is the first: those before it are gone.
        paging = {"nextToken": cursor} if cursor is not None and stage == "check" else {}
        with translate_errors("the log of contents"):
            try:
                page = self._client.describe_log_streams(**request, **paging, limit=_PAGE)
            except ClientError as error:
                if code_of(error) == _GONE:
                    return Visit()
                raise
            names = [str(one["logStreamName"]) for one in page["logStreams"]]
            removed = sum(self._remove(name) for name in names) if stage == "remove" else len(names)
        return Visit(found=+Counter(content_streams=removed), cursor=page.get("nextToken"))

    def _remove(self, name: str) -> bool:
        """Remove a stream and tell whether it was there: the list may be behind."""
        try:
            self._client.delete_log_stream(logGroupName=self._group, logStreamName=name)
        except ClientError as error:
            if code_of(error) != _GONE:
                raise
            return False
        return True
