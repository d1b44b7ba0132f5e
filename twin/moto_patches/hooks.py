"""Listen to moto in the process: events put, objects written and deleted, messages sent.

moto 5.2.5 delivers events to SQS and a few other targets itself, but not to Lambda or Step Functions; it transforms
them in its own way, reports a completed multipart upload twice, and reports no deletion. While the hooks are in place
moto delivers nothing, so that each event reaches each target exactly once, through the pump.
"""

import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from twin.moto_patches.patching import Patches

JsonObject = dict[str, Any]


@dataclass(frozen=True)
class HookedRule:
    """A rule as moto holds it at the moment of an event: whatever was changed since the deployment counts."""

    name: str
    arn: str
    pattern: str | None
    targets: tuple[JsonObject, ...]


@dataclass(frozen=True)
class StoredObject:
    """An object of S3 after a change. `version_id` is None in a bucket without versions."""

    bucket: str
    region: str
    key: str
    size: int
    etag: str
    version_id: str | None
    delete_marker: bool = False


OnEvent = Callable[[JsonObject, HookedRule], None]
OnObject = Callable[[str, StoredObject], None]
OnQueue = Callable[[str], None]


class MotoHooks:
    """Installs the hooks on construction and removes them with `close`."""

    def __init__(self, *, on_event: OnEvent, on_object: OnObject, on_queue: OnQueue) -> None:
        self.patches = Patches()
        self._on_event, self._on_object, self._on_queue = on_event, on_object, on_queue
        self._patch_events()
        self._patch_objects()
        self._patch_queues()

    def close(self) -> None:
        """Give moto its own methods back. Idempotent."""
        self.patches.undo()

    def _patch_events(self) -> None:
        from moto.events import models

        def send_to_targets(rule: Any, event: JsonObject, transform_input: bool = True) -> None:
            if event.get("source") == "aws.s3" and not transform_input:
                return  # moto's own S3 event: `_patch_objects` makes the real one
            _dispatch_event(rule, _normalise_event(event), self._on_event)

        self.patches.set_attribute(models.Rule, "send_to_targets", send_to_targets)

    def _patch_objects(self) -> None:
        from moto.s3 import models, notifications

        completing = threading.local()

        def send_event(account_id: str, event_name: Any, bucket: Any, key: Any) -> None:
            _, kind, change = str(event_name.value).split(":")
            # moto stores a completed upload with a Put of its own, and tells of both.
            double = change == "Put" and getattr(completing, "now", False)
            if kind == "ObjectCreated" and _has_event_bridge(bucket) and not double:
                self._on_object(change, _to_stored_object(bucket, key))

        delete_object = models.S3Backend.delete_object
        complete_upload = models.S3Backend.complete_multipart_upload

        def complete(backend: Any, *args: Any, **named: Any) -> Any:
            completing.now = True
            try:
                return complete_upload(backend, *args, **named)
            finally:
                completing.now = False

        def delete(backend: Any, bucket_name: str, key_name: str, *args: Any, **named: Any) -> Any:
            bucket = backend.get_bucket(bucket_name)
            before = bucket.keys.get(key_name)
            deleted, meta = delete_object(backend, bucket_name, key_name, *args, **named)
            if deleted and before is not None and _has_event_bridge(bucket):
                self._on_object("Delete", _to_deleted_object(bucket, before, meta, (args, named)))
            return deleted, meta

        self.patches.set_attribute(notifications, "send_event", send_event)
        self.patches.set_attribute(models.S3Backend, "delete_object", delete)
        self.patches.set_attribute(models.S3Backend, "complete_multipart_upload", complete)

    def _patch_queues(self) -> None:
        from moto.sqs import models

        add_message, change = models.Queue.add_message, models.SQSBackend.change_message_visibility

        def add(queue: Any, message: Any) -> None:
            add_message(queue, message)
            self._on_queue(queue.queue_arn)

        def set_visibility(backend: Any, queue_name: str, *args: Any, **named: Any) -> None:
            change(backend, queue_name, *args, **named)
            self._on_queue(backend.get_queue(queue_name).queue_arn)

        self.patches.set_attribute(models.Queue, "add_message", add)
        self.patches.set_attribute(models.SQSBackend, "change_message_visibility", set_visibility)


def publish(event: JsonObject, *, bus: str, account: str, region: str, on_event: OnEvent) -> None:
    """Offer an event of an AWS service to the rules of a bus."""
    from moto.events.models import events_backends

    found = events_backends[account][region].event_buses.get(bus)
    for rule in list(found.rules.values()) if found is not None else ():
        _dispatch_event(rule, event, on_event)


def is_rule_enabled(name: str, *, account: str, region: str) -> bool:
    """Tell whether a rule of the default bus is there and enabled, as DisableRule and EnableRule have left it."""
    from moto.events.models import events_backends

    bus = events_backends[account][region].event_buses.get("default")
    rule = bus.rules.get(name) if bus is not None else None
    return rule is not None and rule.state == "ENABLED"


def seconds_until_message(queue_arn: str) -> float | None:
    """Return the seconds until a message of the queue can be received (0: now), or None for an empty queue."""
    from moto.sqs.models import sqs_backends

    region, account, name = queue_arn.split(":")[3:6]
    queue = sqs_backends[account][region].queues.get(name)
    if queue is None:
        return None
    now = time.time() * 1000
    # moto asks for "later than", so a millisecond more than the moment itself.
    times = [max(message.visible_at, message.delayed_until) + 1 for message in list(queue._messages)]
    return None if not times else max(min(times) - now, 0.0) / 1000


def _dispatch_event(rule: Any, event: JsonObject, on_event: OnEvent) -> None:
    if rule.state != "ENABLED" or rule.event_pattern.dump() is None:
        return
    targets = tuple(dict(target) for target in rule.targets)
    on_event(event, HookedRule(rule.name, rule.arn, rule.event_pattern.dump(), targets))


def _normalise_event(event: Mapping[str, Any]) -> JsonObject:
    moment = datetime.fromtimestamp(float(event["time"]), UTC)
    return {
        "version": "0",
        "id": event["id"],
        "detail-type": event["detail-type"],
        "source": event["source"],
        "account": event["account"],
        "time": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": event["region"],
        "resources": list(event.get("resources", [])),
        "detail": event["detail"],
    }


def _has_event_bridge(bucket: Any) -> bool:
    configuration = bucket.notification_configuration
    return configuration is not None and configuration.event_bridge is not None


def _to_stored_object(bucket: Any, key: Any) -> StoredObject:
    version = str(key.version_id) if bucket.is_versioned else None
    etag = str(key.etag).strip('"')
    return StoredObject(bucket.name, bucket.region_name, key.name, key.size, etag, version)


def _to_deleted_object(bucket: Any, before: Any, meta: JsonObject, call: tuple[Any, Any]) -> StoredObject:
    args, named = call
    version = named.get("version_id", args[0] if args else None)
    marker = bucket.is_versioned and version is None
    etag = str(getattr(before, "etag", "")).strip('"')
    name = str(before.name)
    return StoredObject(bucket.name, bucket.region_name, name, 0, etag, meta.get("version-id"), marker)


_sequence_lock = threading.Lock()
_last_sequence = 0


def next_sequencer() -> str:
    """Return a value that grows with every change, as S3's does: hexadecimal, comparable as text."""
    global _last_sequence
    with _sequence_lock:
        _last_sequence = max(_last_sequence + 1, time.time_ns() >> 8)
        return f"{_last_sequence:018X}"


def build_event(
    detail_type: str, source: str, detail: JsonObject, resources: list[str], place: tuple[str, str]
) -> JsonObject:
    """Return an event envelope; `place` is account and region."""
    account, region = place
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": account,
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": resources,
        "detail": detail,
    }
