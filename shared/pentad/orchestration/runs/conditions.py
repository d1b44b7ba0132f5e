"""Conditions of writes: the run exists and has not ended."""

from pentad.aws.table import Item, Table
from pentad.domain import keys
from pentad.domain.runs import RunStatus


def build_open_condition() -> tuple[str, dict[str, str]]:
    """Return the condition (its name is ``#status``) that a run exists and has not ended, and its values."""
    ends = {f":e{place}": status.value for place, status in enumerate(RunStatus) if status.ended}
    return f"attribute_exists(pk) AND NOT #status IN ({', '.join(ends)})", ends


def build_open_check(state: Table, tenant_id: str, run_id: str, *, or_missing: bool = False) -> Item:
    """Return the entry that makes a transaction fail where the run has ended, or is not there.

    Args:
        state: the table.
        tenant_id: the tenant.
        run_id: the run.
        or_missing: a run that is not there is as good as an open one.
    """
    condition, ends = build_open_condition()
    if or_missing:
        condition = f"attribute_not_exists(pk) OR ({condition})"
    names = {"#status": "status"}
    return state.build_check(keys.run_pk(tenant_id, run_id), keys.META, condition=condition, names=names, values=ends)
