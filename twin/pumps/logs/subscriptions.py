"""Deliver log lines to functions by subscription filters, in the form that CloudWatch Logs sends."""

import base64
import gzip
import hashlib
import json
import logging
from collections.abc import Callable, Sequence

from twin.deploy.deployment import LogSubscription, RuleTarget
from twin.deploy.log_patterns import match_line
from twin.host.model import LogEvent
from twin.pumps.delivery import Delivery

logger = logging.getLogger(__name__)

SERVICE = "logs.amazonaws.com"
_RETRIES, _AGE_SECONDS = 5, 3600


class SubscriptionPump:
    """Takes lines that were stored, and queues what matches.

    Args:
        subscriptions: the filters.
        put: takes a delivery.
        place: account and region.
    """

    def __init__(
        self, subscriptions: Sequence[LogSubscription], put: Callable[[Delivery], None], place: tuple[str, str]
    ) -> None:
        self._put, (self._account, self._region) = put, place
        self._of_group: dict[str, list[LogSubscription]] = {}
        for one in subscriptions:
            self._of_group.setdefault(one.log_group, []).append(one)

    def on_lines(self, group: str, stream: str, events: Sequence[LogEvent]) -> None:
        """Queue the lines of one stream for each filter of their group."""
        for one in self._of_group.get(group, ()):
            matching = [event for event in events if match_line(one.pattern, event.message)]
            if matching:
                self._put(self._build_delivery(one, stream, matching))

    def _build_delivery(self, one: LogSubscription, stream: str, events: Sequence[LogEvent]) -> Delivery:
        lines = [
            {"id": f"{event.timestamp_ms:020d}{number:036d}", "timestamp": event.timestamp_ms, "message": event.message}
            for number, event in enumerate(events)
        ]
        content = {
            "messageType": "DATA_MESSAGE",
            "owner": self._account,
            "logGroup": one.log_group,
            "logStream": stream,
            "subscriptionFilters": [one.name],
            "logEvents": lines,
        }
        data = base64.b64encode(gzip.compress(json.dumps(content).encode())).decode()
        return Delivery(
            target=RuleTarget(
                id=one.name,
                arn=one.destination_arn,
                role_arn=None,
                input=None,
                input_path=None,
                input_paths=None,
                input_template=None,
                dead_letter_arn=None,
                maximum_retries=_RETRIES,
                maximum_age=_AGE_SECONDS,
                message_group_id=None,
            ),
            body=json.dumps({"awslogs": {"data": data}}),
            source_arn=f"arn:aws:logs:{self._region}:{self._account}:log-group:{one.log_group}:*",
            service=SERVICE,
            event_id=hashlib.sha256(data.encode()).hexdigest()[:32],
        )
