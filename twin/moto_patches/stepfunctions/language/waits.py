"""Wait states and the waits of retriers.

What moto gets wrong: retries sleep where a stop cannot reach them; timestamps are read in local time.
"""

from datetime import UTC, datetime
from typing import Any

from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEventException
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.common.retry.max_attempts_decl import MaxAttemptsOutcome
from moto.stepfunctions.parser.asl.component.common.retry.retrier_outcome import RetrierOutcome
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.timestamp import Timestamp
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction

from twin.machine.lifecycle import sleep
from twin.moto_patches.patching import Patches


def apply(patches: Patches) -> None:
    """Install the patches of this module."""

    def wait_interval(self: Any, env: Any, wait_seconds: float) -> None:
        sleep(env, wait_seconds)

    def run_retrier(self: Any, env: Any) -> None:
        self.error_equals.eval(env)
        if not env.stack.pop():
            env.stack.append(RetrierOutcome.Skipped)
            return
        self.max_attempts.eval(env=env)
        if env.stack.pop() == MaxAttemptsOutcome.EXHAUSTED:
            env.stack.append(RetrierOutcome.Failed)
            return
        for part in (self.interval_seconds, self.backoff_rate, self.max_delay_seconds, self.jitter_strategy):
            part.eval(env=env)
        sleep(env, env.stack.pop())
        env.stack.append(RetrierOutcome.Executed)

    def get_wait_seconds(self: Any, env: Any) -> float:
        self.string.eval(env=env)
        text = env.stack.pop()
        moment = self._from_timestamp_string(timestamp=text)
        if moment is None:
            raise FailureEventException(self._create_failure_event(env, text))
        return float((moment.replace(tzinfo=UTC) - datetime.now(UTC)).total_seconds())

    patches.set_attribute(WaitFunction, "_wait_interval", wait_interval)
    patches.set_attribute(retrier_decl.RetrierDecl, "_eval_body", run_retrier)
    patches.set_attribute(Timestamp, "_get_wait_seconds", get_wait_seconds)
