"""Say when SQS may deliver a message again."""

from typing import Any

from pentad.aws.errors import translate_errors


class SqsRedelivery:
    """Changes the visibility of messages that a function could not process.

    Args:
        client: a low-level SQS client.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._urls: dict[str, str] = {}

    def postpone(self, queue_arn: str, receipt_handle: str, seconds: int) -> None:
        """Let a message come again after ``seconds`` (0 to 43,200), whatever the queue's own timeout.

        Raises:
            StoreUnavailable: the queue did not answer.
            ConfigurationError: the role may not.
        """
        with translate_errors("the queue"):
            self._client.change_message_visibility(
                QueueUrl=self._resolve_url(queue_arn), ReceiptHandle=receipt_handle, VisibilityTimeout=seconds
            )

    def send_again(self, queue_arn: str, body: str, seconds: int) -> None:
        """Put a message at the end of its queue, to be delivered after ``seconds`` (0 to 900).

        Raises:
            StoreUnavailable: the queue did not answer.
            ConfigurationError: the role may not.
        """
        with translate_errors("the queue"):
            self._client.send_message(QueueUrl=self._resolve_url(queue_arn), MessageBody=body, DelaySeconds=seconds)

    def _resolve_url(self, queue_arn: str) -> str:
        if queue_arn not in self._urls:  # one or two a function
            name = queue_arn.rpartition(":")[2]
            self._urls[queue_arn] = str(self._client.get_queue_url(QueueName=name)["QueueUrl"])
        return self._urls[queue_arn]
