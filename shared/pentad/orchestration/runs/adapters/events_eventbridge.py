"""Events on the deployment's bus."""

import json
from typing import Any

from pentad.aws.errors import translate_errors
from pentad.domain.errors import StoreUnavailable
from pentad.orchestration.runs.ports import SOURCE


class EventBridge:
    """An `EventPublisher`.

    Args:
        client: a low-level EventBridge client.
        bus: name or ARN of the bus.
    """

    def __init__(self, client: Any, bus: str) -> None:
        self._client = client
        self._bus = bus

    def publish(self, detail_type: str, detail: dict[str, Any]) -> None:
        """See `EventPublisher`."""
        entry = {"Source": SOURCE, "DetailType": detail_type, "Detail": json.dumps(detail), "EventBusName": self._bus}
        with translate_errors("the event bus"):
            reply = self._client.put_events(Entries=[entry])
        if reply["FailedEntryCount"]:
            code = reply["Entries"][0].get("ErrorCode", "unknown")
            raise StoreUnavailable(f"the event bus did not take the event: {code}")
