"""Budgets in DynamoDB: one counter item a budget's subject and window, one item a reservation, written together.

A counter holds ``used`` (spent and reserved), ``spent``, and for each minute in which reservations end the sum of those
that are still open (``held_<epoch seconds>``). A condition can't add, so it is on the one number ``used``, and all
counters of a call and its reservation are written in one transaction. What a dead caller reserved is given back by
whoever comes next: the minute's sum is taken from ``used`` and removed, on the condition that it still is that sum, so
exactly once. Sums, not single reservations, keep the item under 2 KB with any number of callers.
"""

import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime

from pentad.aws.jitter import draw
from pentad.aws.readable import from_stored
from pentad.aws.table import ConditionFailed, Item, Table
from pentad.domain import keys
from pentad.domain.errors import StoreUnavailable
from pentad.domain.models import CallContext
from pentad.models.budgets.budgets import (
    Applied,
    BudgetStanding,
    Counter,
    Reservation,
    keep_until,
    make_exceeded_error,
    reservation_expiry,
    select_budgets,
)
from pentad.models.budgets.ports import BudgetDefinitions
from pentad.models.providers.backoff import full_jitter

TRIES = 12
"""Transactions over one item get into each other's way; so often a write is tried, within about 3 s."""
_BASE_SECONDS, _CAP_SECONDS = 0.02, 0.5
_SWEEP_SECONDS = 60
_MAX_SWEPT = 1_024
_HELD = "held_"
_HOLD_DAYS_SECONDS = 86_400
_FAILED = "ConditionalCheckFailed"


class DynamoBudget:
    """A `pentad.models.ports.Budget` over the table ``transient``.

    Args:
        transient: the table.
        definitions: which budgets there are.
        sleep: ``time.sleep``.
        random: from 0 up to 1, for jitter.
    """

    def __init__(
        self,
        transient: Table,
        definitions: BudgetDefinitions,
        *,
        sleep: Callable[[float], None] = time.sleep,
        random: Callable[[], float] = draw,
    ) -> None:
        self._table = transient
        self._definitions = definitions
        self._sleep = sleep
        self._random = random
        self._swept: dict[Counter, float] = {}
        self._lock = threading.Lock()

    def is_budgeted(self, context: CallContext, now: datetime) -> bool:
        """See the port."""
        return bool(self._select_budgets(context, now))

    def get_standings(self, context: CallContext, now: datetime) -> tuple[BudgetStanding, ...]:
        """See the port."""
        return tuple(self._read_standing(applied, now) for applied in self._select_budgets(context, now))

    def reserve(self, context: CallContext, amount_nanousd: int, *, attempt: str, now: datetime) -> Reservation:
        """See the port."""
        applied = self._select_budgets(context, now)
        wanted = Reservation(
            attempt=attempt,
            tenant_id=context.tenant_id,
            amount_nanousd=amount_nanousd,
            counters=tuple(each.counter for each in applied),
            expires_at=reservation_expiry(now),
        )
        if not applied:
            return wanted
        self._release_expired(applied, now)
        entries = [self._build_hold(wanted), *(self._build_reserve(each, wanted, now) for each in applied)]
        for number in range(TRIES):
            try:
                self._table.transact(entries, conflict_tries=1)
                return wanted
            except ConditionFailed as failure:
                if failure.reasons[:1] == (_FAILED,):
                    return self._get_stored(wanted)
                self._check_room(applied, amount_nanousd, now)
            except StoreUnavailable:
                if number == TRIES - 1:
                    raise
            self._wait(number)
        raise StoreUnavailable("too many callers reserve from the same budget at once; try again")

    def settle(self, reservation: Reservation, actual_nanousd: int) -> None:
        """See the port."""
        if not reservation.counters:
            return
        given_back: set[Counter] = set()
        for number in range(TRIES):
            entries = [self._build_close(reservation)]
            for counter in reservation.counters:
                entries.append(self._build_settle(counter, reservation, actual_nanousd, late=counter in given_back))
            try:
                self._table.transact(entries, conflict_tries=1)
                return
            except ConditionFailed as failure:
                if failure.reasons[:1] == (_FAILED,):
                    return  # it was settled already: this is a repeat
                failed = zip(reservation.counters, failure.reasons[1:], strict=False)
                given_back |= {counter for counter, reason in failed if reason == _FAILED}
            except StoreUnavailable:
                if number == TRIES - 1:
                    raise
            self._wait(number)
        raise StoreUnavailable("too many callers settle the same budget at once; try again")

    def release(self, reservation: Reservation) -> None:
        """See the port."""
        self.settle(reservation, 0)

    def _select_budgets(self, context: CallContext, now: datetime) -> tuple[Applied, ...]:
        return select_budgets(self._definitions.list_for_tenant(context.tenant_id), context, now)

    def _wait(self, number: int) -> None:
        self._sleep(full_jitter(number, self._random(), base=_BASE_SECONDS, cap=_CAP_SECONDS))

    def _check_room(self, applied: Sequence[Applied], amount: int, now: datetime) -> None:
        """Raise BudgetExceeded where a budget still has no room after what dead callers held was given back."""
        for each in applied:
            standing = self._read_standing(each, now)
            if standing.remaining < amount:
                raise make_exceeded_error(each, standing.used_nanousd, amount)

    def _read_standing(self, applied: Applied, now: datetime) -> BudgetStanding:
        item = self._table.get(*_key_of(applied.counter)) or {}
        self._note_sweep(applied.counter, now)
        for name in [each for each in item if _has_ended(each, now)]:
            item = self._give_back(applied.counter, name, item)
        return BudgetStanding(applied, int(item.get("used", 0)), int(item.get("spent", 0)))

    def _give_back(self, counter: Counter, name: str, item: Item) -> Item:
        amount = int(item[name])
        for number in range(TRIES):
            try:
                return self._table.update(
                    *_key_of(counter),
                    "ADD #used :back REMOVE #held",
                    condition="#held = :amount",
                    names={"#used": "used", "#held": name},
                    values={":back": -amount, ":amount": amount},
                )
            except ConditionFailed:
                return self._table.get(*_key_of(counter)) or {}  # another caller was faster
            except StoreUnavailable:  # a transaction over the counter is under way
                if number == TRIES - 1:
                    raise
            self._wait(number)
        return item

    def _release_expired(self, applied: Sequence[Applied], now: datetime) -> None:
        """Give back what ended, once a minute: a counter that is never short of room must not grow."""
        for each in applied:
            if now.timestamp() - self._swept.get(each.counter, 0.0) >= _SWEEP_SECONDS:
                self._read_standing(each, now)

    def _note_sweep(self, counter: Counter, now: datetime) -> None:
        with self._lock:
            self._swept.pop(counter, None)
            self._swept[counter] = now.timestamp()
            while len(self._swept) > _MAX_SWEPT:
                del self._swept[next(iter(self._swept))]

    def _get_stored(self, wanted: Reservation) -> Reservation:
        item = self._table.get(keys.budget_hold_pk(wanted.tenant_id, wanted.attempt), keys.META)
        return wanted if item is None else from_stored(Reservation, item["body"])

    def _build_hold(self, wanted: Reservation) -> Item:
        item = {
            "pk": keys.budget_hold_pk(wanted.tenant_id, wanted.attempt),
            "sk": keys.META,
            "type": "budget_hold",
            "open": True,
            "body": wanted.model_dump_json(),
            "ttl": wanted.expires_at + _HOLD_DAYS_SECONDS,
        }
        return self._table.build_put(item, condition="attribute_not_exists(pk)")

    def _build_close(self, reservation: Reservation) -> Item:
        return self._table.build_update(
            keys.budget_hold_pk(reservation.tenant_id, reservation.attempt),
            keys.META,
            "SET #open = :no",
            condition="#open = :yes",
            names={"#open": "open"},
            values={":no": False, ":yes": True},
        )

    def _build_reserve(self, applied: Applied, wanted: Reservation, now: datetime) -> Item:
        room = applied.definition.limit_nanousd - wanted.amount_nanousd
        return self._table.build_update(
            *_key_of(applied.counter),
            "ADD #used :amount, #held :amount SET #ttl = :ttl, #type = :type",
            # A counter that is not there yet has used nothing.
            condition="#used <= :room" if room < 0 else "attribute_not_exists(#used) OR #used <= :room",
            names={"#used": "used", "#held": f"{_HELD}{wanted.expires_at}", "#ttl": "ttl", "#type": "type"},
            values={
                ":amount": wanted.amount_nanousd,
                ":room": room,
                ":ttl": keep_until(applied, now),
                ":type": "budget_counter",
            },
        )

    def _build_settle(self, counter: Counter, reservation: Reservation, actual: int, *, late: bool) -> Item:
        held = f"{_HELD}{reservation.expires_at}"
        if late:
            return self._table.build_update(
                *_key_of(counter),
                "ADD #used :actual, #spent :actual",
                condition="attribute_not_exists(#held)",
                names={"#used": "used", "#spent": "spent", "#held": held},
                values={":actual": actual},
            )
        return self._table.build_update(
            *_key_of(counter),
            "ADD #used :less, #spent :actual, #held :back",
            condition="attribute_exists(#held)",
            names={"#used": "used", "#spent": "spent", "#held": held},
            values={
                ":less": actual - reservation.amount_nanousd,
                ":actual": actual,
                ":back": -reservation.amount_nanousd,
            },
        )


def _key_of(counter: Counter) -> tuple[str, str]:
    return keys.budget_pk(counter.tenant_id, counter.scope, counter.subject), counter.window


def _has_ended(name: str, now: datetime) -> bool:
    return name.startswith(_HELD) and int(name.removeprefix(_HELD)) <= now.timestamp()
