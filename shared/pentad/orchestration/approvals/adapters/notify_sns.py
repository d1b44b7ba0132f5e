"""Notices to an SNS topic: whoever subscribes to it gets them, by group if the subscription filters by it."""

from typing import Any

from pentad.aws.errors import translate_errors
from pentad.orchestration.approvals.ports import Notice


class TopicNotifier:
    """A `Notifier` over one topic.

    Args:
        client: a low-level SNS client.
        topic: the topic's ARN.
    """

    def __init__(self, client: Any, topic: str) -> None:
        self._client = client
        self._topic = topic

    def send(self, notice: Notice) -> bool:
        """See `Notifier`."""
        with translate_errors("the topic"):
            self._client.publish(
                TopicArn=self._topic,
                Subject=notice.subject,
                Message=notice.text,
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value}
                    for name, value in (("group", notice.group), ("reference", notice.reference))
                },
            )
        return True
