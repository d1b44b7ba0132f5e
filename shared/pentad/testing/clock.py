"""Time: what would happen later happens now, for one thing alone. The clock of functions is the machine's own."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from pentad.testing.approvals import KitApprovals
from pentad.testing.runs import KitRun
from pentad.testing.stack.world import Json, Stack, Tenant, until, word

_PREFIX = "pentad-dev-"
_LEAD = timedelta(seconds=2)


class KitClock:
    """Lets time pass for one approval or schedule, so that tests side by side keep theirs.

    Args:
        stack: where.
        tenant: whose runs a schedule starts.
        approvals: what may run out of time.
        read: reads a run once it is settled.
    """

    def __init__(
        self, stack: Stack, tenant: Tenant, approvals: KitApprovals, read: Callable[[str, str | None], KitRun]
    ) -> None:
        self._stack, self._tenant, self._approvals, self._read = stack, tenant, approvals, read

    def expire(self, run: KitRun) -> KitRun:
        """Let the time to decide a run's approval run out; return the run once it has ended or waits again."""
        return self._approvals.expire(run)

    def remind(self, run: KitRun) -> KitRun:
        """Let the time until an approval's next reminder pass."""
        return self._approvals.remind(run)

    def fire(self, agent: str, schedule: str) -> KitRun:
        """Let a schedule of an agent fire for the test's tenant, and return the run that it starts.

        It goes the whole way: EventBridge Scheduler, its role, the queue, the trigger. The schedule's own times stay.

        Args:
            agent: the agent.
            schedule: the ``name`` of one of the ``schedules`` in its agent.yaml.

        Raises:
            AssertionError: there is none of this name.
        """
        scheduler = self._stack.aws("scheduler")
        names = [one["Name"] for one in scheduler.list_schedules(NamePrefix=_PREFIX)["Schedules"]]
        name = f"{_PREFIX}{agent}-{schedule}"
        if name not in names:
            found = ", ".join(one.removeprefix(_PREFIX) for one in names) or "none"
            raise AssertionError(f"'{agent}' has no schedule '{schedule}'; on the twin are: {found}")
        target = scheduler.get_schedule(Name=name)["Target"]
        target["Input"] = json.dumps(json.loads(target["Input"]) | {"tenant": self._tenant.name})
        before = self._list_runs()
        scheduler.create_schedule(
            Name=word(f"{_PREFIX}test-"),
            ScheduleExpression=f"at({datetime.now(UTC) + _LEAD:%Y-%m-%dT%H:%M:%S})",
            ScheduleExpressionTimezone="UTC",
            FlexibleTimeWindow={"Mode": "OFF"},
            ActionAfterCompletion="DELETE",
            Target=target,
        )
        started = until(lambda: self._list_runs().keys() - before.keys(), f"the start of a run by '{schedule}'")
        return self._read(min(started), None)

    def _list_runs(self) -> dict[str, Json]:
        return {one["run_id"]: one for one in self._tenant.get("/v1/runs?limit=100")["items"]}
