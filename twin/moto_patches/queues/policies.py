"""Policies of SQS queues: moto's SetQueueAttributes takes a policy away where it names other attributes only."""

from typing import Any

from moto.sqs.models import Queue

from twin.moto_patches.patching import Patches


def apply(patches: Patches) -> None:
    """Let a queue have its policy until it is given another."""
    original = Queue._set_attributes

    def _set_attributes(self: Queue, attributes: dict[str, Any], now: float | None = None) -> None:
        kept = getattr(self, "policy", None)
        original(self, attributes if "Policy" in attributes else {**attributes, "Policy": kept}, now)

    patches.set_attribute(Queue, "_set_attributes", _set_attributes)
