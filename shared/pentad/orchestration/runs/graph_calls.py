"""Check a graph's call of a model at the gateway: for whom it is, and whether its run may spend more."""

from collections.abc import Callable
from datetime import datetime

from pentad.domain.declarations.agents import Catalog
from pentad.domain.errors import PolicyDenied
from pentad.domain.models import CallContext
from pentad.models.remote.identity import check_context, verify_identity
from pentad.models.remote.ports import MacKey
from pentad.orchestration.runs.ports import RunStore


class CheckGraphCall:
    """What stands between a graph's function and the models.

    Args:
        runs: says what the run has used.
        catalog: says how much it may use.
        key: checks the proof of identity; None where no tool is a graph.
        now: the clock, UTC.
    """

    def __init__(self, runs: RunStore, catalog: Catalog, key: MacKey | None, *, now: Callable[[], datetime]) -> None:
        self._runs = runs
        self._catalog = catalog
        self._key = key
        self._now = now

    def __call__(self, given: CallContext, token: str | None) -> CallContext:
        """Return for whom the call is.

        Args:
            given: for whom the caller says that it is.
            token: what the tool runner handed over with the tool's call.

        Raises:
            PolicyDenied: it is not proved that the caller may ask for them.
            NotFound: there is no such run.
            LimitReached: the run's time, tokens or money are used up: its next turn stops it.
        """
        if self._key is None or token is None:
            raise PolicyDenied("the call has no proof of identity", field="identity")
        identity = verify_identity(token, self._key, now=self._now().timestamp())
        context = check_context(given, identity)
        self._check_limits(context)
        return context

    def _check_limits(self, context: CallContext) -> None:
        found = self._runs.get(context.tenant_id, str(context.run_id))
        owner = self._catalog.agents.get(found.agent) or self._catalog.workflows.get(found.agent)
        if owner is None:
            return
        elapsed = (self._now() - found.created_at).total_seconds() - found.waited_seconds
        # Steps are turns, and a graph is a part of one: its own are limited by themselves.
        owner.limits.check(found.spent.model_copy(update={"steps": 0}), elapsed)
