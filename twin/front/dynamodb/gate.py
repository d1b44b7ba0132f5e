"""DynamoDB's calls on their way to moto: checked, held against transactions, shown late in indexes."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

from moto.dynamodb.models.table import Table

from twin.front.account import MotoAccount
from twin.front.dynamodb import conflicts
from twin.front.dynamodb.late_indexes import Entry, LateIndexes, read_key
from twin.front.dynamodb.requests import OPERATIONS, check_request, list_entries, list_items
from twin.front.dynamodb.tables import TableShape, read_shape
from twin.front.dynamodb.tokens import TransactionTokens
from twin.front.dynamodb.updates import find_faults, keep_items, put_back_all
from twin.front.dynamodb.values import InvalidRequest, measure_item, write_numbers
from twin.front.model import ApiCall, ApiResponse, TableTimes
from twin.front.parse import with_body

logger = logging.getLogger(__name__)
sleep = time.sleep
"""Holds a transaction in flight; tests put their own here."""

_OK = 200
_TRANSACTIONS = ("TransactGetItems", "TransactWriteItems")
_WRITES = ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems")
_READS = ("Query", "Scan")
_PARTIQL = ("ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction")


class DynamoGate:
    """Serves DynamoDB's calls.

    Args:
        account: Holds the tables.
        serve: Lets moto answer.
        lock: Held while moto answers.
        times: How late DynamoDB is.
    """

    def __init__(
        self,
        account: MotoAccount,
        serve: Callable[[ApiCall, dict[str, Any]], ApiResponse],
        lock: threading.RLock,
        times: TableTimes,
    ) -> None:
        self._account = account
        self._serve_by_moto = serve
        self._lock = lock
        self._seconds = times.transaction_seconds
        self._late = LateIndexes(times.index_delay_seconds, times.seed)
        self._in_flight = conflicts.InFlight() if times.conflicts else None
        self._tokens = TransactionTokens()

    def serve(self, call: ApiCall, environ: dict[str, Any]) -> ApiResponse:
        """Serve a call."""
        if call.operation in _PARTIQL:
            return conflicts.build_error("UnsupportedOperationException", f"The twin has no PartiQL: {call.operation}")
        try:
            check_request(call.operation, call.params, self._find_shape, self._measure_stored)
        except InvalidRequest as error:
            return conflicts.build_error(error.code, str(error))
        if call.operation in OPERATIONS:
            call, environ = _write_numbers(call, environ)
        if call.operation in _READS:
            table, index = self._find_table(call.params["TableName"]), call.params.get("IndexName")
            with self._lock, self._late.show(table, index):
                return self._ask(call, environ)
        if call.operation in _WRITES or call.operation in _TRANSACTIONS:
            return self._serve_held(call, environ)
        return self._ask(call, environ) if call.operation in OPERATIONS else self._serve_by_moto(call, environ)

    def _serve_held(self, call: ApiCall, environ: dict[str, Any]) -> ApiResponse:
        with self._lock:
            replayed = self._tokens.recall(call)
        if replayed is not None:
            return replayed
        try:
            with self._hold(call):
                return self._change(call, environ)
        except conflicts.TransactionConflict as conflict:
            return conflicts.build_conflict(call.operation, conflict)
        except conflicts.TransactionInProgress:
            message = "The transaction with the given request token is already in progress."
            return conflicts.build_error("TransactionInProgressException", message)

    def _hold(self, call: ApiCall) -> AbstractContextManager[None]:
        if self._in_flight is None:
            return nullcontext()
        items = list_items(call.operation, call.params, self._find_shape)
        return self._in_flight.enter(call.operation, items, call.params.get("ClientRequestToken"))

    def _change(self, call: ApiCall, environ: dict[str, Any]) -> ApiResponse:
        if self._seconds and call.operation in _TRANSACTIONS:
            sleep(self._seconds)
        with self._lock:
            # Two requests with one token: the second may have begun before the first one's answer was kept.
            replayed = self._tokens.recall(call)
            if replayed is not None:
                return replayed
            with self._record(call):
                response = conflicts.repair_reasons(self._write(call, environ))
            self._tokens.remember(call, response)
            return response

    def _write(self, call: ApiCall, environ: dict[str, Any]) -> ApiResponse:
        """Let moto answer, and take updates back that make of an item what DynamoDB does not store."""
        if call.operation not in ("UpdateItem", "TransactWriteItems"):
            return self._ask(call, environ)
        kept = keep_items(list_entries(call.operation, call.params), self._find_table)
        response = self._ask(call, environ)
        if response.status != _OK:
            put_back_all(kept)  # moto may have done the first half of an update
            return response
        refused = find_faults(kept)
        if not any(refused):
            return response
        put_back_all(kept)
        if call.operation == "UpdateItem":
            return conflicts.build_error("ValidationException", str(refused[0]))
        return conflicts.build_invalid(refused)

    def _record(self, call: ApiCall) -> AbstractContextManager[None]:
        if call.operation not in _WRITES:
            return nullcontext()
        entries: list[Entry] = []
        for name, entry in list_entries(call.operation, call.params):
            table, values = self._find_table(name), entry.get("Item") or entry.get("Key")
            if table is not None and values is not None:
                entries.append((table, values))
        return self._late.record(entries)

    def _ask(self, call: ApiCall, environ: dict[str, Any]) -> ApiResponse:
        try:
            return self._serve_by_moto(call, environ)
        except Exception:  # boundary: what moto stumbles over is a request that DynamoDB refuses
            logger.warning("moto failed at %s, answered as a ValidationException", call.operation, exc_info=True)
        return conflicts.build_error("ValidationException", f"The parameters of {call.operation} are not valid")

    def _find_table(self, name: str) -> Table | None:
        tables: Mapping[str, Table] = self._account.get_service_backend("dynamodb").tables
        return tables.get(name.rpartition("table/")[2])

    def _find_shape(self, name: str) -> TableShape | None:
        table = self._find_table(name)
        return None if table is None else read_shape(table)

    def _measure_stored(self, name: str, key: Mapping[str, Any]) -> int:
        table = self._find_table(name)
        if table is None:
            return 0
        with self._lock:
            item = table.get_item(*read_key(table, key))
            return 0 if item is None else measure_item(item.to_json()["Attributes"])


def _write_numbers(call: ApiCall, environ: dict[str, Any]) -> tuple[ApiCall, dict[str, Any]]:
    """Let moto see numbers as DynamoDB keeps them: to moto, 1.0 and 1 are two keys and two members of a set."""
    params = write_numbers(call.params)
    if params is call.params:
        return call, environ
    body = json.dumps(params).encode()
    return replace(call, params=params, body=body), with_body(environ, body)
