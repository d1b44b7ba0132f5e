"""A twin of its own for the measurements, driven through the public API with a scripted model."""

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import history
from benchmarks.invocations import repeated_reads
from benchmarks.items import Stored, compare, difference, item_size
from benchmarks.requests import PREFIX, READS, Request, RequestLog, rows, short_table
from benchmarks.turn import Turn
from pentad.cli.client import ApiClient
from pentad.cli.commands.twin.options import make_options
from twin.host.model import InvocationReport
from twin.running.twin import Twin
from twin.simulator import SimulatorControl

AGENT = "assistant"
TENANT = "local"
_STATE_STACK = f"{PREFIX}state"
_RUN_SECONDS = 120.0
_POLL_SECONDS = 0.02
_QUIET_SECONDS = 1.0
_QUIET_WITHIN_SECONDS = 30.0
_OPEN = ("queued", "running")
_DONE = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")
_INPUT_TOKENS = ("input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens")
# Calls that the twin's pumps and interpreter make whether or not there is a run.
_NOT_OF_A_RUN = frozenset({("sqs", "ReceiveMessage"), ("sqs", "GetQueueAttributes"), ("dynamodb", "*")})


class BenchError(Exception):
    """A measurement could not be made; the message says why."""


@dataclass(frozen=True)
class Case:
    """One run to measure: what is asked and what the scripted model replies, a reply for each turn."""

    name: str
    message: str = "What is the capital of France?"
    tool_calls: tuple[tuple[str, dict[str, Any]], ...] = ()

    def replies(self) -> list[dict[str, Any]]:
        """Return the script's steps."""
        answer = {"reply": {"text": "That is settled: the answer is Paris."}}
        if not self.tool_calls:
            return [answer]
        calls = [{"name": name, "arguments": arguments} for name, arguments in self.tool_calls]
        return [{"reply": {"tool_calls": calls}}, answer]


@dataclass(frozen=True)
class _Before:
    counts: Counter[Any]
    reports: int
    tables: dict[str, dict[Any, Any]]
    buckets: dict[str, dict[str, int]]


@dataclass
class Stage:
    """The running twin and all that looks at it."""

    twin: Twin
    client: ApiClient
    control: SimulatorControl
    key: str = field(default="", repr=False)
    log: RequestLog = field(default_factory=RequestLog)
    requests: list[Request] = field(default_factory=list)
    """Those of the last measured run, everybody's."""

    def __post_init__(self) -> None:
        self.twin.front.register_override("dynamodb", self.log.watch)
        self._functions = {
            one.role_arn.rsplit("/", 1)[-1]: name for name, one in self.twin.deployment.functions.items()
        }
        self._machines = {role.rsplit("/", 1)[-1]: "(state machine)" for role in self._deployed_machines().values()}
        [self._machine] = (arn for arn in self._deployed_machines() if arn.endswith(f"agent-{AGENT}"))

    def _deployed_machines(self) -> Mapping[str, str]:
        return self.twin.deployment.state_machines

    def ask(self, case: Case, session_id: str | None = None) -> dict[str, Any]:
        """Return a run that was waited for through the API, as a client would.

        Raises:
            BenchError: it did not succeed.
        """
        self.control.load_script(*case.replies())
        view = self.client.start_run(AGENT, case.message, session_id=session_id, key=None, wait=25)
        if view["status"] in _OPEN:  # a busy machine: what is timed here is told, not judged
            path = f"/v1/runs/{view['run_id']}"
            self._until(f"{case.name}: the run did not end", lambda: self._view(path)["status"] not in _OPEN)
            view = self._view(path)
        if view["status"] != "succeeded":
            raise BenchError(f"{case.name}: the run is {view['status']}: {view['error']}")
        return view

    def _view(self, path: str) -> dict[str, Any]:
        found: dict[str, Any] = self.client.call("GET", path)
        return found

    def measure(self, case: Case, session_id: str | None = None, *, messages: int = 0) -> Turn:
        """Run a case once and return all that it did.

        Args:
            case: what is asked.
            session_id: go on in this session.
            messages: how many it has so far.

        Raises:
            BenchError: the run did not end in time, or the model was asked something else than the script expects.
        """
        self.control.load_script(*case.replies())
        self._quiet()  # memories are made after a run: those of an earlier one are not this case's
        before = self._look()
        self.log.take()
        body = {"agent": AGENT, "message": case.message} | ({"session": session_id} if session_id else {})
        run = str(self.client.call("POST", "/v1/runs", body=body)["run_id"])
        execution = self._machine.replace(":stateMachine:", ":execution:") + f":{run}"
        self._until(f"{case.name}: the execution did not end", lambda: self._ended(execution))
        self._quiet()
        requests = self.requests = self.log.take()
        self._check_script(case)
        return self._turn(case, run, execution, requests, before, messages)

    def _turn(
        self, case: Case, run_id: str, execution: str, requests: list[Request], before: _Before, messages: int
    ) -> Turn:
        counts = Counter(self.twin.count_calls())
        reports = self.twin.list_reports()[before.reports :]
        events = self._events(execution)
        states = history.entered(events)
        view = self.client.call("GET", f"/v1/runs/{run_id}")
        trace = self.client.call("GET", f"/v1/runs/{run_id}/trace")
        return Turn(
            name=case.name,
            tool_calls=len(case.tool_calls),
            status=view["status"],
            transitions=trace["transitions"],
            states=tuple(states),
            turns=tuple(len(turn) for turn in history.turns(states)),
            failures=history.failures(events),
            largest=history.largest(events),
            dynamodb=tuple(rows(requests, self._functions)),
            counted=self._dynamodb(counts - before.counts),
            other=self._other(counts - before.counts),
            invocations=dict(Counter(one.function.removeprefix(PREFIX) for one in reports)),
            stored=tuple(self._stored(before)),
            repeats=tuple(repeated_reads(requests, reports, self._functions)),
            read_bytes=self._read_bytes(requests),
            history=messages,
            input_tokens=sum(view["usage"][name] for name in _INPUT_TOKENS),
        )

    @property
    def principals(self) -> frozenset[str]:
        """The functions' roles."""
        return frozenset(self._functions)

    def role_of(self, function: str) -> str:
        """Return the name of a function's role."""
        return next(role for role, name in self._functions.items() if name == f"{PREFIX}{function}")

    def function_of(self, role: str) -> str:
        """Return the full name of the function whose role has this name."""
        return self._functions[role]

    def reports(self) -> list[InvocationReport]:
        """Return the REPORT records so far."""
        return self.twin.list_reports()

    def _look(self) -> _Before:
        counts, reports = Counter(self.twin.count_calls()), len(self.twin.list_reports())
        return _Before(counts, reports, self._tables(), self._buckets())

    def _ended(self, execution: str) -> bool:
        status = self.twin.get_admin_client("stepfunctions").describe_execution(executionArn=execution)["status"]
        return status in _DONE

    def _quiet(self) -> None:
        """Wait until no invocation has ended for a while, so that what follows a run's end is counted with it."""
        since, known = time.monotonic(), -1

        def calm() -> bool:
            nonlocal since, known
            if (now := len(self.twin.list_reports())) != known:
                since, known = time.monotonic(), now
            return time.monotonic() - since > _QUIET_SECONDS

        self._until("the functions do not come to rest", calm, _QUIET_WITHIN_SECONDS)

    def _until(self, otherwise: str, holds: Callable[[], bool], seconds: float = _RUN_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline:
                raise BenchError(f"{otherwise} within {seconds:g} s")
            time.sleep(_POLL_SECONDS)

    def _check_script(self, case: Case) -> None:
        try:
            self.control.assert_consumed()
        except AssertionError as error:
            raise BenchError(f"{case.name}: the model was not asked what the script expects: {error}") from error

    def _events(self, execution: str) -> list[dict[str, Any]]:
        pages = self.twin.get_admin_client("stepfunctions").get_paginator("get_execution_history")
        return [event for page in pages.paginate(executionArn=execution) for event in page["events"]]

    def _dynamodb(self, counts: Counter[Any]) -> int:
        return sum(n for key, n in counts.items() if key.service == "dynamodb" and key.principal in self._functions)

    def _other(self, counts: Counter[Any]) -> dict[str, int]:
        callers = {role: name.removeprefix(PREFIX) for role, name in self._functions.items()} | self._machines
        found: Counter[str] = Counter()
        for key, count in counts.items():
            if key.principal in callers and not {(key.service, key.operation), (key.service, "*")} & _NOT_OF_A_RUN:
                found[f"{key.service} {key.operation} by {callers[key.principal]}"] += count
        return dict(sorted(found.items()))

    def _tables(self) -> dict[str, dict[Any, Any]]:
        client = self.twin.get_admin_client("dynamodb")
        found: dict[str, dict[Any, Any]] = {}
        for name in client.list_tables()["TableNames"]:
            pages = client.get_paginator("scan").paginate(TableName=name)
            items = [item for page in pages for item in page["Items"]]
            found[short_table(name)] = {(item["pk"]["S"], item["sk"]["S"]): item for item in items}
        return found

    def _buckets(self) -> dict[str, dict[str, int]]:
        client = self.twin.get_admin_client("s3")
        found: dict[str, dict[str, int]] = {}
        for bucket in client.list_buckets()["Buckets"]:
            pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket["Name"])
            objects = [one for page in pages for one in page.get("Contents", [])]
            found[short_table(bucket["Name"], ("payload", "documents"))] = {one["Key"]: one["Size"] for one in objects}
        return found

    def _stored(self, before: _Before) -> Iterator[Stored]:
        for table, items in self._tables().items():
            yield compare(f"table {table}", before.tables[table], items)
        for bucket, sizes in self._buckets().items():
            yield difference(f"bucket {bucket}", before.buckets[bucket], sizes, 0)

    def _read_bytes(self, requests: list[Request]) -> int:
        """Read again, as administrator, what the functions read, and add up the sizes."""
        client, total = self.twin.get_admin_client("dynamodb"), 0
        for request in requests:
            if request.operation not in READS or request.principal not in self._functions:
                continue
            if request.operation == "GetItem":
                reply = client.get_item(**request.params)
                total += item_size(reply.get("Item", {}))
            elif request.operation == "BatchGetItem":
                replies = client.batch_get_item(**request.params)["Responses"].values()
                total += sum(item_size(item) for items in replies for item in items)
            else:
                total += sum(map(item_size, client.query(**request.params)["Items"]))
        return total


def _key(twin: Twin) -> str:
    from pentad.api.identity.adapters.keys_dynamodb import DynamoKeys
    from pentad.api.identity.caller import SCOPES
    from pentad.api.identity.keys import create_key
    from pentad.aws.table import Table

    table = Table(twin.get_admin_client("dynamodb"), twin.outputs[_STATE_STACK]["StateTable"])
    return create_key(DynamoKeys(table), TENANT, now=datetime.now(UTC), scopes=SCOPES, name="made by make bench")[1]


@contextmanager
def stage(assembly: Path) -> Iterator[Stage]:
    """Run a twin in a folder of its own, without real providers, and take it all away at the end."""
    with (
        tempfile.TemporaryDirectory(prefix="pentad-bench-") as folder,
        Twin.start(assembly, Path(folder), options=make_options()) as twin,
    ):
        key = _key(twin)
        client = ApiClient(twin.api_url, key)
        try:
            yield Stage(twin, client, SimulatorControl(twin.simulator_url), key)
        finally:
            client.close()
