"""Tell an alarm's state to moto's CloudWatch, and its message to moto's SNS, as CloudWatch may."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from twin.alarms.evaluation import State

logger = logging.getLogger(__name__)

SERVICE = "cloudwatch.amazonaws.com"
_KEY_ACTIONS = ("kms:GenerateDataKey", "kms:Decrypt")
"""What a service that publishes to an encrypted topic needs: SNS's developer guide, "Encryption at rest"."""
ServiceMay = Callable[[str, str, str, Mapping[str, str]], str | None]
"""Returns why a service may not do something: service, action, resource, context; None where it may."""


class MotoAlarms:
    """CloudWatch and SNS of one account and region.

    Args:
        account: the account's id.
        region: the region.
        service_may: whether a resource's policy lets CloudWatch in.
    """

    def __init__(self, account: str, region: str, service_may: ServiceMay) -> None:
        self._account, self._region, self._service_may = account, region, service_may

    def set_state(self, name: str, state: State, reason: str) -> None:
        """See `AlarmTarget`."""
        from moto.cloudwatch.models import cloudwatch_backends

        backend: Any = cloudwatch_backends[self._account][self._region]
        alarm = backend.alarms.get(name)
        if alarm is not None:
            alarm.update_state(reason, "{}", state)

    def publish(self, topic_arn: str, subject: str, message: str, alarm_arn: str) -> None:
        """See `AlarmTarget`. A topic gets nothing where its policy, or its key's, does not let CloudWatch in."""
        from moto.sns.models import sns_backends

        backend: Any = sns_backends[self._account][self._region]
        key = backend.get_topic(topic_arn).kms_master_key_id
        needed = [("sns:Publish", topic_arn), *((action, key) for action in _KEY_ACTIONS if key.startswith("arn:"))]
        context = {"aws:SourceArn": alarm_arn, "aws:SourceAccount": self._account}
        for action, resource in needed:
            refusal = self._service_may(SERVICE, action, resource, context)
            if refusal is not None:
                logger.warning("the alarm %s could not tell %s: %s", alarm_arn, topic_arn, refusal)
                return
        backend.publish(message, arn=topic_arn, subject=subject)

    def format_arn(self, alarm: str) -> str:
        """See `AlarmTarget`."""
        return f"arn:aws:cloudwatch:{self._region}:{self._account}:alarm:{alarm}"
