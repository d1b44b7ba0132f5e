"""The ledger in DynamoDB. No role may update or delete an item of its table, and each put is of a new item only.

An attempt is up to three items that stand next to each other: ``{key}`` with the outcome, ``{key}#BEGUN`` from before
it was sent, ``{key}#VOID`` where it was not sent after all. With the outcome the spend counters are raised, in one
transaction, so the counters' sums are the ledger's.

That a put replaces nothing is a condition of this code, and IAM knows none that would hold its writer to it. So each
item's hash is told outside of the table as well (``tell``), in a log to which the writer's role only adds lines:
``pentad audit verify RUN --logs`` finds what was replaced later.
"""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from pentad.aws.jitter import draw
from pentad.aws.readable import from_stored
from pentad.aws.sealed import compute_hash
from pentad.aws.table import ConditionFailed, Item, Table
from pentad.domain import keys
from pentad.domain.errors import StoreUnavailable
from pentad.domain.models import Attempt
from pentad.models.ledger import spend
from pentad.models.providers.backoff import full_jitter

TRIES = 40
"""Transactions over one counter get into each other's way; so often a record is tried, within about 10 s."""
_BEGUN, _VOID = "#BEGUN", "#VOID"
_NEW = "attribute_not_exists(pk)"


class WrittenAttempt(NamedTuple):
    """An attempt's item as it is told of outside of the table: its place and its hash."""

    pk: str
    sk: str
    digest: str


class DynamoDBLedger:
    """A `pentad.models.ledger.ports.Ledger` over the table ``ledger``.

    Args:
        table: the table.
        counters: the table of the spend counters, ``state``; none for who only reads the ledger.
        counting: returns what else is written with an attempt's outcome, all or nothing, once; conditions of it that
            do not hold leave it out.
        tell: is told of each item that was written.
        sleep: ``time.sleep``.
        random: from 0 up to 1, for jitter.
    """

    def __init__(
        self,
        table: Table,
        counters: Table | None = None,
        *,
        counting: Callable[[Attempt], Sequence[Item]] = lambda _: (),
        tell: Callable[[WrittenAttempt], None] = lambda _: None,
        sleep: Callable[[float], None] = time.sleep,
        random: Callable[[], float] = draw,
    ) -> None:
        self._table = table
        self._counters = counters
        self._counting = counting
        self._tell = tell
        self._sleep = sleep
        self._random = random

    def begin(self, attempt: Attempt) -> None:
        """Append that a request is about to be sent; see the port."""
        self._note(attempt, _BEGUN, "attempt_begun")

    def cancel(self, attempt: Attempt) -> None:
        """Append that it was not sent; see the port."""
        self._note(attempt, _VOID, "attempt_void")

    def record(self, attempt: Attempt) -> None:
        """Append an attempt; see the port."""
        counters = () if self._counters is None else spend.list_counters(attempt)
        counted, item = [*self._counting(attempt)], _make_item(attempt)
        for number in range(TRIES):
            entries = self._build_entries(item, attempt, counters)
            try:
                self._table.transact([*entries, *counted], conflict_tries=1)
                self._tell_of(item)
                return
            except ConditionFailed as failure:
                if failure.reasons[0] == "ConditionalCheckFailed" or not counted:
                    return  # it stands there already: this is a repeat
                counted = []  # what was to be counted in is not there: the attempt was made all the same
                continue
            except StoreUnavailable:
                if number == TRIES - 1:
                    raise
                counters = spend.spread_counters(counters, self._random)
            self._sleep(full_jitter(number, self._random(), base=0.02, cap=0.5))

    def _build_entries(self, item: Item, attempt: Attempt, counters: Sequence[spend.SpendCounter]) -> list[Item]:
        entries = [self._table.build_put(item, condition=_NEW)]
        if self._counters is not None:
            entries += [_build_increment(self._counters, attempt, counter) for counter in counters]
        return entries

    def list_for_run(self, tenant_id: str, run_id: str, *, since: datetime | None = None) -> list[Attempt]:
        """Return a run's attempts; see the port."""
        pk = keys.run_pk(tenant_id, run_id)
        if since is None:
            items, _ = self._table.query(pk, begins=keys.ATTEMPT)
        else:
            items, _ = self._table.query(pk, between=(f"{keys.ATTEMPT}{_format_time(since)}", f"{keys.ATTEMPT}~"))
        found: dict[str, Item] = {}
        for item in items:  # an attempt's items follow each other: outcome, begun, void
            sk = str(item["sk"])
            if sk.endswith(_VOID):
                found.pop(sk.removesuffix(_VOID), None)
            else:
                found.setdefault(sk.removesuffix(_BEGUN), item)
        return [from_stored(Attempt, item["body"]) for item in found.values()]

    def _note(self, attempt: Attempt, suffix: str, kind: str) -> None:
        made = _make_item(attempt)
        item = made | {"sk": f"{made['sk']}{suffix}", "type": kind}
        try:
            self._table.put(item, condition=_NEW)
        except ConditionFailed:
            return  # it stands there already: this is a repeat
        self._tell_of(item)

    def _tell_of(self, item: Item) -> None:
        self._tell(WrittenAttempt(str(item["pk"]), str(item["sk"]), compute_hash(item)))


def _make_item(attempt: Attempt) -> Item:
    context = attempt.context
    if context.run_id is not None:
        pk = keys.run_pk(context.tenant_id, context.run_id)
    else:
        pk = keys.ledger_day_pk(context.tenant_id, spend.day_of(attempt))
    return {
        "pk": pk,
        "sk": f"{keys.ATTEMPT}{_format_time(attempt.started_at)}#{attempt.attempt_id}",
        "type": "attempt",
        "body": spend.hide_user(attempt).model_dump_json(exclude_none=True),
        "cost_nanousd": attempt.cost_nanousd,
    }


def _format_time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _build_increment(table: Table, attempt: Attempt, counter: spend.SpendCounter) -> Item:
    row = spend.row_of(attempt)
    return table.build_update(
        keys.spend_pk(attempt.context.tenant_id, counter.kind),
        keys.spend_sk(counter.day, counter.value, counter.shard),
        "ADD attempts :one, tokens :tokens, cost_nanousd :cost, estimated_nanousd :estimated "
        "SET #type = :type, #ttl = :ttl",
        names={"#type": "type", "#ttl": "ttl"},
        values={
            ":one": row.attempts,
            ":tokens": row.tokens,
            ":cost": row.cost_nanousd,
            ":estimated": row.estimated_nanousd,
            ":type": "spend",
            ":ttl": spend.expires_at(counter.day),
        },
    )
