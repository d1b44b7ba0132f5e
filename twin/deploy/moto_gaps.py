"""What moto's services lack for a deployment, added once: each gap has a test that deploys and reads back."""

from typing import Any


def serve_composite_alarms() -> None:
    """Let moto answer PutCompositeAlarm.

    Its put_metric_alarm (5.2.5) already understands AlarmRule; only the operation's name is missing.
    """
    from moto.cloudwatch.responses import CloudWatchResponse

    responder: Any = CloudWatchResponse
    if not hasattr(responder, "put_composite_alarm"):
        responder.put_composite_alarm = responder.put_metric_alarm
