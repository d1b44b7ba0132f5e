"""The lease of a session with its queue: one item of the transient table, and the writes that move it.

``run`` holds the session until ``expires_at``; ``queue`` is the ids of the runs that wait, the oldest first. Neither
attribute stands empty: a session that nobody holds and nobody waits for has no item, or one without both.
"""

from typing import Any

from pentad.aws.table import ConditionFailed, Item, Table
from pentad.domain import keys
from pentad.domain.runs import Run
from pentad.orchestration.runs.ports import QUEUE_LENGTH

_KEPT_SECONDS = 40 * 86_400
"""A queue must outlast its holder's lease: DynamoDB may remove the item only long after."""
_NAMES = {"#run": "run", "#queue": "queue"}


def queue_of(item: Item | None) -> list[str]:
    """Return the runs that wait, the oldest first."""
    return [str(run) for run in (item or {}).get("queue", [])]


def holder_of(item: Item | None, now: float) -> str | None:
    """Return the run that holds the session now."""
    if item is None or "run" not in item or int(item["expires_at"]) <= now:
        return None
    return str(item["run"])


def build_take_entry(table: Table, run: Run, *, now: int, seconds: int, lost: str | None) -> Item:
    """Return the entry by which a new run takes a session.

    Args:
        table: the transient table.
        run: who takes it; ``run.fence`` is the token. One that interrupts goes before those that wait.
        now: epoch seconds.
        seconds: how long.
        lost: the run whose lease has expired and is taken over; None where nobody holds the session.
    """
    condition = "attribute_not_exists(#run)" if lost is None else "#run = :lost AND expires_at <= :now"
    if run.if_busy != "interrupt":
        condition += " AND attribute_not_exists(#queue)"
    return _build_hold_entry(table, run, condition, now=now, seconds=seconds, lost=lost, names=_select_names(condition))


def build_promote_entry(table: Table, run: Run, item: Item, *, now: int, seconds: int, lost: str | None) -> Item:
    """Return the entry by which the first of the queue takes the session.

    Args:
        table: the transient table.
        run: the first of the queue.
        item: the lease's item as it was read.
        now: epoch seconds.
        seconds: how long.
        lost: as in `taking`.
    """
    last = len(queue_of(item)) == 1
    condition = "#queue[0] = :run AND size(#queue) " + ("= :one" if last else "> :one")
    condition += " AND attribute_not_exists(#run)" if lost is None else " AND #run = :lost AND expires_at <= :now"
    remove = " REMOVE #queue" if last else " REMOVE #queue[0]"
    return _build_hold_entry(
        table, run, condition, now=now, seconds=seconds, lost=lost, names=_NAMES, more=remove, one=True
    )


def _build_hold_entry(
    table: Table,
    run: Run,
    condition: str,
    *,
    now: int,
    seconds: int,
    lost: str | None,
    names: dict[str, str],
    more: str = "",
    one: bool = False,
) -> Item:
    values: dict[str, Any] = {
        ":run": run.run_id,
        ":token": run.fence,
        ":until": now + seconds,
        ":ttl": now + seconds + _KEPT_SECONDS,
        ":type": "lease",
    }
    if lost is not None:
        values |= {":lost": lost, ":now": now}
    if one:
        values[":one"] = 1
    return table.build_update(
        keys.session_pk(run.tenant_id, run.session_id),
        keys.LEASE,
        f"SET #run = :run, #token = :token, expires_at = :until, #ttl = :ttl, #type = :type{more}",
        condition=condition,
        names=names | {"#run": "run", "#token": "token", "#ttl": "ttl", "#type": "type"},
        values=values,
    )


def build_enqueue_entry(table: Table, run: Run, *, now: int) -> Item:
    """Return the entry by which a run goes to the end of the queue of a busy session."""
    return table.build_update(
        keys.session_pk(run.tenant_id, run.session_id),
        keys.LEASE,
        "SET #queue = list_append(if_not_exists(#queue, :none), :me), #ttl = :ttl",
        condition="(attribute_exists(#run) OR attribute_exists(#queue))"
        " AND (attribute_not_exists(#queue) OR size(#queue) < :most)",
        names=_NAMES | {"#ttl": "ttl"},
        values={":none": [], ":me": [run.run_id], ":most": QUEUE_LENGTH, ":ttl": now + _KEPT_SECONDS * 2},
    )


def build_release_entry(table: Table, run: Run, *, others_wait: bool) -> Item:
    """Return the entry by which a run lets go of its session: the item goes, or stays for its queue."""
    pk = keys.session_pk(run.tenant_id, run.session_id)
    if others_wait:
        return table.build_update(
            pk,
            keys.LEASE,
            "SET expires_at = :none REMOVE #run",
            condition="#run = :run AND attribute_exists(#queue)",
            names=_NAMES,
            values={":run": run.run_id, ":none": 0},
        )
    return table.build_delete(
        pk,
        keys.LEASE,
        condition="attribute_not_exists(pk) OR (#run = :run AND attribute_not_exists(#queue))",
        names=_NAMES,
        values={":run": run.run_id},
    )


def remove_from_queue(table: Table, tenant_id: str, session_id: str, run_id: str, queue: list[str]) -> None:
    """Take a run out of the queue as it was read.

    Raises:
        ConditionFailed: the queue has changed meanwhile.
    """
    place = queue.index(run_id)
    last = len(queue) == 1
    table.update(
        keys.session_pk(tenant_id, session_id),
        keys.LEASE,
        "REMOVE #queue" if last else f"REMOVE #queue[{place}]",
        condition=f"#queue[{place}] = :run AND size(#queue) = :length",
        names={"#queue": "queue"},
        values={":run": run_id, ":length": len(queue)},
    )


def _select_names(condition: str) -> dict[str, str]:
    """Return the names that a condition uses: DynamoDB refuses others."""
    return {name: attribute for name, attribute in _NAMES.items() if name in condition}


def extend_lease(table: Table, run: Run, seconds: int) -> None:
    """Let a run hold its session for longer; one that has lost it keeps nothing."""
    try:
        table.update(
            keys.session_pk(run.tenant_id, run.session_id),
            keys.LEASE,
            "ADD expires_at :seconds, #ttl :seconds",
            condition="#run = :run",
            names={"#run": "run", "#ttl": "ttl"},
            values={":seconds": seconds, ":run": run.run_id},
        )
    except ConditionFailed:
        return  # The lease is gone or another's: there is nothing of ours to keep.
