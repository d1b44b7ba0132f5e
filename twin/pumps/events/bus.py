"""The event bus of the twin: matches what moto takes against the rules, and queues a delivery per target."""

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from twin.deploy.services.messaging.events import parse_target
from twin.machine.status import DETAIL_TYPE, SOURCE
from twin.moto_patches.hooks import HookedRule, StoredObject, build_event, publish
from twin.pumps.delivery import Delivery
from twin.pumps.events.patterns import PatternError, match_event
from twin.pumps.events.storage import build_object_event
from twin.pumps.inputs import build_input

JsonObject = dict[str, Any]

logger = logging.getLogger(__name__)

Put = Callable[[Delivery], None]
_SERVICE = "events.amazonaws.com"


class EventBusPump:
    """Takes events from the hooks. `put` is the delivery queue."""

    def __init__(self, put: Put, account: str, region: str) -> None:
        self._put, self._account, self._region = put, account, region

    def on_event(self, event: JsonObject, rule: HookedRule) -> None:
        """Queue the event for each target of the rule, if the rule's pattern matches."""
        try:
            if not match_event(_parse_pattern(rule), event):
                return
        except PatternError as error:
            logger.error("rule %s: %s", rule.name, error)
            return
        for body in rule.targets:
            self._deliver(event, rule, body)

    def on_object(self, change: str, stored: StoredObject) -> None:
        """Send the event of an object's change to the default bus."""
        event = build_object_event(change, stored, self._account)
        publish(event, bus="default", account=self._account, region=self._region, on_event=self.on_event)

    def on_execution(self, detail: JsonObject) -> None:
        """Send the event of an execution's new status to the default bus."""
        place = (self._account, self._region)
        event = build_event(DETAIL_TYPE, SOURCE, detail, [detail["executionArn"]], place)
        publish(event, bus="default", account=self._account, region=self._region, on_event=self.on_event)

    def _deliver(self, event: JsonObject, rule: HookedRule, body: Mapping[str, Any]) -> None:
        target = parse_target(body)
        text = build_input(target, event, rule.arn)
        self._put(Delivery(target, text, rule.arn, _SERVICE, event["id"]))


def _parse_pattern(rule: HookedRule) -> JsonObject:
    pattern: JsonObject = json.loads(rule.pattern or "{}")
    return pattern
