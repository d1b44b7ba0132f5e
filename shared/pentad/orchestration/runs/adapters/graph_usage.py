"""Count the cost of a graph's model calls in its run, in the transaction that puts the attempt on the ledger.

So the ledger is the truth: an attempt counts once, however often it is recorded or its tool call is tried, also where
the graph's process died before it heard the answer. No framework is imported here: the gateway's function loads this.
"""

from collections.abc import Sequence

from pentad.aws.table import Item, Table
from pentad.domain import keys
from pentad.domain.models import Attempt
from pentad.domain.usage import Spent
from pentad.orchestration.runs.adapters.run_items import build_add_clause
from pentad.tools.graphs.equipment import PURPOSE


def build_spend_entries(state: Table, attempt: Attempt) -> Sequence[Item]:
    """Return the entry that adds a graph's attempt to what its run has used.

    Every other attempt is counted with the step that made it (`RunStore.record_step`).

    Args:
        state: the table of runs.
        attempt: as it is recorded.
    """
    context = attempt.context
    if context.purpose != PURPOSE or context.run_id is None:
        return ()
    clause, names, values = build_add_clause(Spent(usage=attempt.usage, cost_nanousd=attempt.cost_nanousd))
    if not clause:
        return ()
    pk = keys.run_pk(context.tenant_id, context.run_id)
    return (
        # Whatever became of the run: what was billed is spent. Only a run that is gone has nothing to count in.
        state.build_update(pk, keys.META, clause.strip(), condition="attribute_exists(pk)", names=names, values=values),
    )
