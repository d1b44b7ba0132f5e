"""Let a call of a tool run now, or say when it may be made again. Buckets are taken the narrowest first.

A call that a wider bucket refuses has taken a token of the narrower ones; it is given none back, and takes none again
when it is tried again. Clocks of functions differ by milliseconds: a clock that is ahead by a second lets so many more
calls run as come back in that second, and no more.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from pentad.domain.declarations.agents import ToolSpec
from pentad.domain.declarations.rates import Rate
from pentad.domain.runs import Run
from pentad.observability.metrics import names
from pentad.observability.ports import Telemetry
from pentad.tools.rates.ports import TokenBuckets

_WHOSE = {"tool": "all of this tool", "tenant": "this tenant's", "user": "this user's", "session": "this session's"}


@dataclass(frozen=True)
class ToolRates:
    """Holds calls to the rates that their tools declare.

    Args:
        buckets: where tokens are counted.
        telemetry: metrics and logs.
        now: the clock, UTC.
    """

    buckets: TokenBuckets
    telemetry: Telemetry
    now: Callable[[], datetime]

    def refuse(self, tool: ToolSpec, run: Run, call_key: str) -> str | None:
        """Return why a call may not run now, in a sentence for the model, or None: it has its tokens.

        Args:
            tool: what it calls.
            run: its run.
            call_key: its effect's key: a try of the same call takes no second token.

        Raises:
            StoreUnavailable: the store did not answer; nothing ran, and again is safe.
        """
        now = self.now()
        for rate in tool.rates:
            left = self.buckets.take(
                None if rate.scope == "tool" else run.tenant_id,
                name_bucket(tool.name, rate, run),
                hashlib.sha256(call_key.encode()).hexdigest()[:16],
                burst=rate.calls,
                interval_us=rate.interval_us,
                now_us=round(now.timestamp() * 1_000_000),
            )
            if left is not None:
                self.telemetry.count(names.TOOL_RATE_REFUSALS, tool=tool.name)
                self.telemetry.log_event("tool.rate_refused", level="WARNING", tool=tool.name, scope=rate.scope)
                return _explain(tool.name, rate, now, -(-left // 1_000_000))
        return None


def name_bucket(tool: str, rate: Rate, run: Run) -> str:
    """Return which bucket a rate means for a run; users and sessions stand in it by their hash."""
    whose = {"user": run.user_id or "", "session": run.session_id}.get(rate.scope, "")
    hashed = hashlib.sha256(whose.encode()).hexdigest()[:32] if whose else "-"
    return f"{tool}#{rate.scope}#{rate.seconds}#{hashed}"


def _explain(tool: str, rate: Rate, now: datetime, seconds: int) -> str:
    at = datetime.fromtimestamp(now.timestamp() + seconds, UTC)
    return (
        f"This call was not run: '{tool}' may be called {rate.words} ({_WHOSE[rate.scope]} calls), and that limit is "
        f"reached. It may be called again in {seconds} s, at {at:%H:%M:%S} UTC; go on without it, or tell the user."
    )
