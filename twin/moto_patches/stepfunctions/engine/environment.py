"""Environments: where an execution or a branch of it runs, and how it ends.

What moto gets wrong: its program-state event is set and cleared at once, so a wait that starts a moment later is never
woken; a later end overwrites an earlier one; frames lose `$states.context.Map`.
"""

import threading
from collections.abc import Callable
from typing import Any

from moto.stepfunctions.parser.asl.eval.environment import Environment

from twin.machine.lifecycle import close
from twin.machine.operations.progress import Progress
from twin.moto_patches.patching import Patches


def apply(patches: Patches) -> None:
    """Install the patches of this module."""
    init, open_frame, open_inner = (
        Environment.__init__,
        Environment.open_frame,
        Environment.open_inner_frame,
    )

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        self.closed = threading.Event()
        self.closers = []
        self.pending_assign = {}
        self.current_state = None
        self.entered_event_id = 0
        self.before_event_id = 0
        self.progress = Progress()
        init(self, *args, **kwargs)

    def wrap_open(original: Callable[..., Any], *, same_program: bool) -> Callable[..., Any]:
        def open_(self: Any, *args: Any, **kwargs: Any) -> Any:
            with self._state_mutex:
                frame = original(self, *args, **kwargs)
                frame.entered_event_id, frame.before_event_id = self.entered_event_id, self.before_event_id
                here, there = (e.states.context_object.context_object_data for e in (self, frame))
                if same_program:
                    frame.progress = self.progress
                if "Map" in here:
                    there["Map"] = here["Map"]
                if self.closed.is_set():
                    close(frame)
                return frame

        return open_

    patches.set_attribute(Environment, "__init__", __init__)
    patches.set_attribute(Environment, "open_frame", wrap_open(open_frame, same_program=True))
    patches.set_attribute(Environment, "open_inner_frame", wrap_open(open_inner, same_program=False))
    for name in ("set_ended", "set_error", "set_timed_out", "set_stop"):
        patches.set_attribute(Environment, name, _wrap_end(getattr(Environment, name)))


def _wrap_end(original: Callable[..., None]) -> Callable[..., None]:
    """Moto overwrites the end of an execution with a later one; the first end counts."""

    def set_end(self: Any, *args: Any, **kwargs: Any) -> None:
        with self._state_mutex:
            if self._program_state is not None and not self.is_running():
                return
            original(self, *args, **kwargs)
        close(self)

    return set_end
