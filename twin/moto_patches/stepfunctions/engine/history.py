"""Histories.

What moto gets wrong: a task that was given up goes on writing events; a history grows without bound; none is logged.
"""

import threading
from typing import Any

from moto.stepfunctions.parser.asl.eval.event.event_manager import EventManager

from twin.machine import lifecycle
from twin.machine.lifecycle import AbandonedError, HistoryLimitError
from twin.moto_patches.patching import Patches


def apply(patches: Patches) -> None:
    """Install the patches of this module."""
    add_event = EventManager.add_event
    one_at_a_time = threading.Lock()  # iterations of a Map write side by side, and each looks whether there is room

    def add(self: Any, context: Any, event_type: Any, *args: Any, **kwargs: Any) -> Any:
        if getattr(context, "abandoned", False):
            raise AbandonedError
        is_end = str(event_type.value).startswith("Execution")
        with one_at_a_time:
            if len(self._history_event_list) >= lifecycle.max_events - 1 and not is_end:
                raise HistoryLimitError
            added = add_event(self, context, event_type, *args, **kwargs)
            log = getattr(self, "execution_log", None)
            if log is not None:
                log.take(self._history_event_list[-1])
            return added

    patches.set_attribute(EventManager, "add_event", add)
