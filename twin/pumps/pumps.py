"""All pumps of a twin, started and stopped together."""

import time
from collections.abc import Sequence
from typing import Any

from twin.deploy.deployment import Deployment
from twin.host.model import LogEvent
from twin.machine import status
from twin.machine.status import OnStatus
from twin.moto_patches.hooks import MotoHooks, is_rule_enabled
from twin.pumps.courier import AwsCourier, Connect, InvokeAsync, ServiceMay
from twin.pumps.delivery import DeliveryQueue
from twin.pumps.events.bus import EventBusPump
from twin.pumps.logs.subscriptions import SubscriptionPump
from twin.pumps.queues.mapping import InvokeFunction, QueueMappingPump
from twin.pumps.rotations import RotationPump
from twin.pumps.schedules.clock import ScheduleClock, SystemClock
from twin.pumps.schedules.stored import MotoSchedules
from twin.pumps.schedules.timetable import Timetable

_PAUSE_SECONDS = 0.05


def _tell_both(first: OnStatus, second: OnStatus | None) -> OnStatus:
    def tell(detail: dict[str, Any]) -> None:
        if second is not None:
            second(detail)
        first(detail)

    return tell


class Pumps:
    """The pumps of one deployment; moto's own deliveries are off while they live."""

    def __init__(
        self,
        deployment: Deployment,
        *,
        connect: Connect,
        service_may: ServiceMay,
        invoke: InvokeFunction,
        invoke_async: InvokeAsync,
        place: tuple[str, str],
        clock: ScheduleClock | None = None,
        on_execution: OnStatus | None = None,
    ) -> None:
        courier = AwsCourier(connect, service_may, invoke_async, deployment.permissions)
        account, region = place
        self._deliveries = DeliveryQueue(courier)
        self._schedules = MotoSchedules(account, region)
        self._timetable = Timetable(
            deployment.rules,
            self._schedules,
            self._deliveries.put,
            clock or SystemClock(),
            place,
            lambda rule: is_rule_enabled(rule.name, account=account, region=region),
        )
        self._mappings = [QueueMappingPump(one, connect, invoke) for one in deployment.queue_mappings]
        bus = EventBusPump(self._deliveries.put, account, region)
        self._rotations = RotationPump(deployment.permissions, invoke, lambda: _get_secrets(account, region), account)
        self._subscriptions = SubscriptionPump(deployment.subscriptions, self._deliveries.put, place)
        status.listen(_tell_both(bus.on_execution, on_execution))
        self._schedules.listen(self._timetable.refresh)
        self._hooks = MotoHooks(on_event=bus.on_event, on_object=bus.on_object, on_queue=self._on_queue)

    @property
    def timetable(self) -> Timetable:
        """The schedules."""
        return self._timetable

    def start(self) -> None:
        """Start reading queues and firing schedules."""
        for mapping in self._mappings:
            mapping.start()
        self._timetable.start()

    def stop(self) -> None:
        """Stop everything; idempotent where the parts are."""
        status.listen(None)
        self._hooks.close()
        self._schedules.close()
        self._rotations.stop()
        self._timetable.stop()
        for mapping in self._mappings:
            mapping.stop()
        self._deliveries.stop()

    def on_log_lines(self, group: str, stream: str, events: Sequence[LogEvent]) -> None:
        """Take the log lines of functions for the subscription filters of their group."""
        self._subscriptions.on_lines(group, stream, events)

    def settle(self, seconds: float = 5.0) -> bool:
        """Wait until nothing is under way, for so many seconds at most, and tell whether that is so."""
        end = time.monotonic() + seconds
        while not self.is_idle() and time.monotonic() < end:
            time.sleep(_PAUSE_SECONDS)
        return self.is_idle()

    def is_idle(self) -> bool:
        """Tell whether nothing is under way in any pump."""
        mapped = all(mapping.is_idle() for mapping in self._mappings)
        return mapped and self._deliveries.is_idle() and self._rotations.is_idle()

    def _on_queue(self, queue_arn: str) -> None:
        for mapping in self._mappings:
            if mapping.queue_arn == queue_arn:
                mapping.notify()


def _get_secrets(account: str, region: str) -> Any:
    """Return moto's backend of Secrets Manager."""
    from moto.secretsmanager.models import secretsmanager_backends

    return secretsmanager_backends[account][region]
