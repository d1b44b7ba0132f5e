"""The queue of the targets' shares, in SQS."""

from typing import Any

from pentad.aws.errors import translate_errors


class SqsShares:
    """A `ShareQueue` over SQS.

    Args:
        client: a low-level SQS client.
        url: of the queue.
    """

    def __init__(self, client: Any, url: str) -> None:
        self._client = client
        self._url = url

    def put(self, body: str) -> None:
        """See the port."""
        with translate_errors("the queue of spans"):
            self._client.send_message(QueueUrl=self._url, MessageBody=body)
