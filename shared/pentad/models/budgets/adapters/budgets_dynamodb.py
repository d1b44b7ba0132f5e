"""Budgets in DynamoDB: one counter item for a budget's subject and window, written by updates of that item alone.

DynamoDB carries out updates of one item one after the other, so callers at once never get into each other's way, as
transactions over one counter would. A counter holds ``used`` (spent and reserved), ``spent``, ``open`` (the number of
reservations) and each reservation as an attribute of its own: ``h_{hash of the attempt}`` with the amount and when it
is given back. So a repeated request changes nothing: it finds its reservation there, or settled.

The budgets of a call are held one after the other, the narrowest scope first: a refusal by a run's budget never holds
anything of the tenant's. What the earlier ones hold is given back where a later one refuses.

What a dead caller reserved is given back by the next one: the reservation goes from ``used``, on the condition that it
is still there, so exactly once. ``g_{hash}`` remembers it for an hour, for a caller that was only slow; of very many,
the latest.
"""

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

from pentad.aws.jitter import draw
from pentad.aws.table import ConditionFailed, Item, Table
from pentad.domain import keys
from pentad.domain.errors import BudgetExceeded, StoreUnavailable
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

TRIES = 4
"""So often a write is tried whose condition others changed in between, or whose table did not answer."""
MAX_OPEN = 4_000
"""Reservations of one counter at once, and so many that were given back are remembered: some 160 KB and 100 KB of the
400 KB that an item may have."""
_BASE_SECONDS, _CAP_SECONDS = 0.02, 0.5
_HOLD, _BACK = "h_", "g_"
_OLD_SUM = "held_"
"""An earlier release kept sums of reservations by when they end: ``held_{epoch}``. What is left of them ends too."""
_BATCH = 50
"""Reservations that one update gives back: its expressions may have 4 KB and 300 operators."""
_MAX_BATCHES = MAX_OPEN // _BATCH
_LATE_SECONDS = 3_600


class _Ended(NamedTuple):
    """A reservation, or an earlier release's sum of some, whose time is over."""

    name: str
    amount: int
    expires_at: int


class DynamoBudget:
    """A `pentad.models.budgets.ports.Budget` over the table ``transient``.

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

    def is_budgeted(self, context: CallContext, now: datetime) -> bool:
        """See the port."""
        return bool(self._select_budgets(context, now))

    def get_standings(self, context: CallContext, now: datetime) -> tuple[BudgetStanding, ...]:
        """See the port."""
        applied = self._select_budgets(context, now)
        if len(applied) <= 1:
            return tuple(self.read_standing(each, now) for each in applied)
        places = {each.counter: _key_of(each.counter) for each in applied}
        found = {(str(item["pk"]), str(item["sk"])): item for item in self._table.get_many([*places.values()])}
        return tuple(self._judge(each, found.get(places[each.counter], {}), now) for each in applied)

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
        for number, each in enumerate(applied):
            try:
                self._hold(each, wanted, now)
            except BaseException as error:
                # One that is over its limit holds nothing; of one that did not answer nobody knows.
                known = isinstance(error, BudgetExceeded)
                self._release_quietly(wanted, applied[: number if known else number + 1])
                raise
        return wanted

    def settle(self, reservation: Reservation, actual_nanousd: int) -> None:
        """See the port."""
        failed: StoreUnavailable | None = None
        for counter in reservation.counters:
            try:
                self._settle(counter, reservation, actual_nanousd)
            except StoreUnavailable as error:  # the others are to be right all the same
                failed = error
        if failed is not None:
            raise failed

    def release(self, reservation: Reservation) -> None:
        """See the port."""
        self.settle(reservation, 0)

    def _select_budgets(self, context: CallContext, now: datetime) -> tuple[Applied, ...]:
        return select_budgets(self._definitions.list_for_tenant(context.tenant_id), context, now)

    def _wait(self, number: int) -> None:
        self._sleep(full_jitter(number, self._random(), base=_BASE_SECONDS, cap=_CAP_SECONDS))

    def _hold(self, applied: Applied, wanted: Reservation, now: datetime) -> None:
        """Hold an amount of one budget."""
        for number in range(TRIES):
            try:
                if self._try_hold(applied, wanted, now):
                    return
            except StoreUnavailable:
                if number == TRIES - 1:
                    raise
            self._wait(number)
        raise StoreUnavailable("too many callers reserve from the same budget at once; try again")

    def _try_hold(self, applied: Applied, wanted: Reservation, now: datetime) -> bool:
        """Return whether it is held now; False where others gave room back in between."""
        try:
            item = self._add_hold(applied, wanted, now)
        except ConditionFailed as failure:
            item = failure.item or {}
            if _name_hold(wanted) in item:
                return True  # this is a repeat
            self._check_room(applied, wanted.amount_nanousd, self._give_back_ended(applied.counter, item, now))
            return False
        with suppress(StoreUnavailable):  # the next caller does it
            self._give_back_ended(applied.counter, item, now)
        return True

    def _add_hold(self, applied: Applied, wanted: Reservation, now: datetime) -> Item:
        room = applied.definition.limit_nanousd - wanted.amount_nanousd
        # A counter that is not there yet has used nothing.
        fits = "#used <= :room" if room < 0 else "(attribute_not_exists(#used) OR #used <= :room)"
        return self._table.update(
            *_key_of(applied.counter),
            "ADD #used :amount, #open :one SET #hold = :hold, #ttl = :ttl, #type = :type",
            condition=f"attribute_not_exists(#hold) AND (attribute_not_exists(#open) OR #open < :most) AND {fits}",
            names={"#used": "used", "#open": "open", "#hold": _name_hold(wanted), "#ttl": "ttl", "#type": "type"},
            values={
                ":amount": wanted.amount_nanousd,
                ":one": 1,
                ":hold": [wanted.amount_nanousd, wanted.expires_at],
                ":most": MAX_OPEN,
                ":room": room,
                ":ttl": keep_until(applied, now),
                ":type": "budget_counter",
            },
        )

    @staticmethod
    def _check_room(applied: Applied, amount: int, item: Item) -> None:
        """Raise what keeps a call from the budget; return where it may be tried again."""
        standing = _make_standing(applied, item)
        if standing.remaining < amount:
            raise make_exceeded_error(applied, standing.used_nanousd, amount)
        if int(item.get("open", 0)) >= MAX_OPEN:
            raise StoreUnavailable(f"{MAX_OPEN} calls count against the same budget at once; try again")

    def _settle(self, counter: Counter, reservation: Reservation, actual: int) -> None:
        """Count what was spent in one budget."""
        late = False
        for number in range(TRIES + 1):  # one more to count what the last try found given back
            try:
                if late:
                    self._count_late(counter, reservation, actual)
                else:
                    self._take_hold(counter, reservation, actual)
                return
            except ConditionFailed as failure:
                given_back = _name_back(reservation) in (failure.item or {})
                if late or not given_back:
                    return  # it was settled already: this is a repeat
                late = True
            except StoreUnavailable:
                if number >= TRIES - 1:
                    raise
                self._wait(number)

    def _take_hold(self, counter: Counter, reservation: Reservation, actual: int) -> None:
        self._table.update(
            *_key_of(counter),
            "ADD #used :less, #spent :actual, #open :minus REMOVE #hold",
            condition="attribute_exists(#hold)",
            names={"#used": "used", "#spent": "spent", "#open": "open", "#hold": _name_hold(reservation)},
            values={":less": actual - reservation.amount_nanousd, ":actual": actual, ":minus": -1},
        )

    def _count_late(self, counter: Counter, reservation: Reservation, actual: int) -> None:
        self._table.update(
            *_key_of(counter),
            "ADD #used :actual, #spent :actual REMOVE #back",
            condition="attribute_exists(#back)",
            names={"#used": "used", "#spent": "spent", "#back": _name_back(reservation)},
            values={":actual": actual},
        )

    def _release_quietly(self, wanted: Reservation, applied: Sequence[Applied]) -> None:
        """Give back what a refused call held of its other budgets; what can't be reached ends by itself."""
        for each in applied:
            with suppress(StoreUnavailable):
                self._settle(each.counter, wanted, 0)

    def read_standing(self, applied: Applied, now: datetime) -> BudgetStanding:
        """See the port."""
        return self._judge(applied, self._table.get(*_key_of(applied.counter)) or {}, now)

    def _judge(self, applied: Applied, item: Item, now: datetime) -> BudgetStanding:
        """Return how far a budget is used, once what dead callers held is given back."""
        return _make_standing(applied, self._give_back_ended(applied.counter, item, now))

    def _give_back_ended(self, counter: Counter, item: Item, now: datetime) -> Item:
        """Give back what dead callers held; return the counter as it stands then."""
        seconds = int(now.timestamp())
        for _ in range(_MAX_BATCHES):
            ended = [one for one in _iter_held(item) if one.expires_at <= seconds][:_BATCH]
            forgotten = _list_forgotten(item, seconds)
            if not ended and not forgotten:
                break
            try:
                item = self._give_back(counter, ended, forgotten[:_BATCH])
            except ConditionFailed as failure:  # another caller was faster
                item = failure.item or {}
        return item

    def _give_back(self, counter: Counter, ended: Sequence[_Ended], forgotten: Sequence[str]) -> Item:
        names = {"#used": "used", "#open": "open"}
        holds = [one for one in ended if not one.name.startswith(_OLD_SUM)]
        values: Item = {":back": -sum(one.amount for one in ended), ":closed": -len(holds)}
        conditions, removed, kept = ["attribute_exists(pk)"], [], []
        for index, one in enumerate(ended):
            names[f"#n{index}"] = one.name
            removed.append(f"#n{index}")
            if one in holds:
                conditions.append(f"attribute_exists(#n{index})")
                names[f"#b{index}"], values[f":b{index}"] = _BACK + one.name.removeprefix(_HOLD), one.expires_at
                kept.append(f"#b{index} = :b{index}")
            else:
                values[f":n{index}"] = one.amount
                conditions.append(f"#n{index} = :n{index}")
        for index, name in enumerate(forgotten):
            names[f"#f{index}"] = name
            removed.append(f"#f{index}")
        update = f"ADD #used :back, #open :closed REMOVE {', '.join(removed)}"
        return self._table.update(
            *_key_of(counter),
            f"{update} SET {', '.join(kept)}" if kept else update,
            condition=" AND ".join(conditions),
            names=names,
            values=values,
        )


def _key_of(counter: Counter) -> tuple[str, str]:
    return keys.budget_pk(counter.tenant_id, counter.scope, counter.subject), counter.window


def _hash_attempt(reservation: Reservation) -> str:
    return hashlib.blake2b(reservation.attempt.encode(), digest_size=8).hexdigest()


def _name_hold(reservation: Reservation) -> str:
    return _HOLD + _hash_attempt(reservation)


def _name_back(reservation: Reservation) -> str:
    return _BACK + _hash_attempt(reservation)


def _iter_held(item: Item) -> Iterator[_Ended]:
    for name, value in item.items():
        if name.startswith(_OLD_SUM):
            yield _Ended(name, int(value), int(name.removeprefix(_OLD_SUM)))
        elif name.startswith(_HOLD):
            yield _Ended(name, int(value[0]), int(value[1]))


def _list_forgotten(item: Item, seconds: int) -> list[str]:
    """Return what need not be remembered any more: what ended an hour ago, and the oldest of too many."""
    known = sorted((name for name in item if name.startswith(_BACK)), key=lambda name: int(item[name]))
    surplus = len(known) - MAX_OPEN
    return [name for index, name in enumerate(known) if index < surplus or int(item[name]) + _LATE_SECONDS <= seconds]


def _make_standing(applied: Applied, item: Item) -> BudgetStanding:
    return BudgetStanding(applied, int(item.get("used", 0)), int(item.get("spent", 0)))
