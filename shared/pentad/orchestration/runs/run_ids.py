"""The id of a run that an idempotency key names: nobody can claim what another, or another way, will ask for."""

from pentad.domain.errors import NotFound
from pentad.domain.ids import check_id, derive_id
from pentad.domain.runs import Actor, Run
from pentad.orchestration.runs.ports import RunStore

_ONE_WAY = {"event": "queue"}


def derive_run_id(tenant_id: str, trigger: str, requester: Actor | None, key: str) -> str:
    """Return the id that this key of this requester, by this way, always gives.

    Args:
        tenant_id: whose run.
        trigger: the way the request came, such as api, queue or schedule. Queue and event are one: a signed request
            says nothing of how it is sent, and who passes it on could put it into an event.
        requester: whose credential asks: two of one user are one; a key that is no user's is itself. None is the stack.
        key: the idempotency key.

    Raises:
        InvalidInput: the key is not well formed.
    """
    check_id("idempotency_key", key)
    way = _ONE_WAY.get(trigger, trigger)
    if requester is None:
        return derive_id("run", "keyed", tenant_id, way, "stack", key)
    caller = ("key", requester.key_id) if requester.user_id is None else ("user", requester.user_id)
    return derive_id("run", "keyed", tenant_id, way, *caller, key)


def find_earlier_version(runs: RunStore, run: Run) -> Run | None:
    """Return the run that an earlier version started for this request, whose ids came from tenant and key alone.

    So a request that is made again across a deployment is the same run. It counts only where the stored one came the
    same way, for the same user: ids of that kind could be claimed.

    Raises:
        StoreUnavailable: the store did not answer.
    """
    if run.idempotency_key is None:
        return None
    try:
        stored = runs.get(run.tenant_id, derive_id("run", run.tenant_id, run.idempotency_key))
    except NotFound:
        return None
    same = (stored.trigger, stored.user_id, stored.idempotency_key) == (run.trigger, run.user_id, run.idempotency_key)
    return stored if same and stored.requester is None else None
