"""Programs: the chains of states of an execution or a branch.

What moto gets wrong: it runs each program in an extra thread only to be able to time it out; a timer is enough, where a
time limit is set. It also remembers every thread that it ever started. It always begins at the first state, where a
redrive goes on at the one that failed.
"""

import threading
from collections import deque
from typing import Any

from moto.stepfunctions.parser import utils
from moto.stepfunctions.parser.asl.component.program.program import Program

from twin.moto_patches.patching import Patches


def apply(patches: Patches) -> None:
    """Install the patches of this module."""

    def run_program(self: Any, env: Any) -> None:
        if env.closed.is_set():
            return
        env.next_state_name = env.progress.go_on(env) or self.start_at.start_at_name
        timer = None
        if self.timeout_seconds is not None and not env.is_frame():
            timer = threading.Timer(self.timeout_seconds.timeout_seconds, env.set_timed_out)
            timer.daemon = True
            timer.start()
        try:
            self._eval_body(env)
        finally:
            if timer is not None:
                timer.cancel()

    patches.set_attribute(Program, "eval", run_program)
    patches.replace_everywhere(utils.TMP_THREADS, deque(maxlen=0))
