"""Faults that a twin is really given: what its own functions and services then measure is what alarms are drilled with.

Each is begun, used by requests through the API, and mended again; nothing is pretended but the time that passes.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from pentad.cli.client import ApiClient, ProblemError
from pentad.domain.ids import make_id

if TYPE_CHECKING:
    from twin.alarms.metric_store import MetricKey
    from twin.alarms.statistics import Bucket
    from twin.simulator.control import SimulatorControl

Json = dict[str, Any]
FaultClass = Literal["availability", "performance", "quality", "cost"]
AGENT: Final = "assistant"
_RUN_SECONDS = 120.0
_QUEUE_SECONDS = 60.0
_POLL_SECONDS = 0.2
_BUDGET_SECONDS = 11.0
"""For ten seconds functions remember which budgets there are."""
_AT_ONCE = 4
_OPEN = frozenset({"queued", "running"})
_DENIAL = "drill"
_DENY_ALL: Final = {"Effect": "Deny", "Action": "dynamodb:*", "Resource": "*"}


class Measures(Protocol):
    """Takes what a deployment measures."""

    def begin(self) -> None:
        """Forget what was measured so far."""
        ...

    def take(self) -> "Mapping[MetricKey, Bucket]":
        """Return what was measured since."""
        ...


@dataclass
class FaultWorld:
    """The running twin that faults are given to.

    Attributes:
        url: of its API.
        simulator: of its models' stand-in.
        aws: returns a client with an operator's rights.
        outputs: of the state stack.
        prefix: of its functions and queues.
    """

    url: str
    simulator: "SimulatorControl"
    aws: Callable[[str], Any]
    outputs: Mapping[str, str]
    prefix: str
    _clients: dict[str, ApiClient] = field(default_factory=dict)

    def open_tenant(self, tenant_id: str) -> ApiClient:
        """Return a client of a tenant, which is made where there is none."""
        from pentad.api.identity.adapters.keys_dynamodb import DynamoKeys
        from pentad.api.identity.caller import SCOPES
        from pentad.api.identity.keys import create_key

        if tenant_id not in self._clients:
            keys = DynamoKeys(self.open_table("StateTable"))
            _, token = create_key(keys, tenant_id, now=datetime.now(UTC), scopes=SCOPES, name="made by a drill")
            self._clients[tenant_id] = ApiClient(self.url, token)
        return self._clients[tenant_id]

    def open_table(self, output: str) -> Any:
        """Return a table by its output."""
        from pentad.aws.table import Table

        return Table(self.aws("dynamodb"), self.outputs[output])

    def find_queue(self, name: str) -> str:
        """Return a queue's URL."""
        return str(self.aws("sqs").get_queue_url(QueueName=f"{self.prefix}-{name}")["QueueUrl"])

    def close(self) -> None:
        """Close the connections."""
        for one in self._clients.values():
            one.close()


@dataclass(frozen=True)
class RealFault:
    """One fault.

    Attributes:
        name: what it is called.
        kind: what users lose.
        says: what is done.
        raises: the alarms that it has to raise, without the stage's prefix.
        begin: what goes wrong while it is entered.
        use: what is asked of the stage; it is told whether the fault is there.
    """

    name: str
    kind: FaultClass
    says: str
    raises: tuple[str, ...]
    begin: Callable[[FaultWorld], AbstractContextManager[None]]
    use: Callable[[FaultWorld, bool], None]


@dataclass(frozen=True)
class MeasuredFault:
    """What was measured while a fault was there, and after it was mended."""

    fault: RealFault
    faulty: "Mapping[MetricKey, Bucket]"
    mended: "Mapping[MetricKey, Bucket]"


def measure_fault(world: FaultWorld, fault: RealFault, measures: Measures) -> MeasuredFault:
    """Give a twin a fault, use it, mend it, use it again, and return what it measured each time."""
    measures.begin()
    with fault.begin(world):
        fault.use(world, True)
        faulty = measures.take()
    measures.begin()
    fault.use(world, False)
    return MeasuredFault(fault, faulty, measures.take())


def ask(client: ApiClient, message: str, **fields: Any) -> Json:
    """Return a run at its end, whatever that is.

    Raises:
        TimeoutError: it does not come.
    """
    view = client.start_run(AGENT, message, session_id=None, key=None, wait=25, **fields)
    until = time.monotonic() + _RUN_SECONDS
    while view["status"] in _OPEN:
        if time.monotonic() > until:
            raise TimeoutError(f"the run '{view['run_id']}' has not ended within {_RUN_SECONDS:g} s")
        time.sleep(_POLL_SECONDS)
        view = client.call("GET", f"/v1/runs/{view['run_id']}")
    return view


def _ask_many(world: FaultWorld, count: int, tenant_id: str = "drill") -> list[Json]:
    """Ask so many different questions, a few at once: no reply is kept from another one."""
    client, word = world.open_tenant(tenant_id), make_id("q", datetime.now(UTC))
    with ThreadPoolExecutor(_AT_ONCE, "drill") as pool:
        questions = [f"What is {number} + {number}? ({word}{number})" for number in range(count)]
        return list(pool.map(lambda question: ask(client, question), questions))


def _ask_of(count: int, broken_tenant_id: str = "drill") -> Callable[[FaultWorld, bool], None]:
    """Return what asks so many questions, while the fault is there those of a tenant that has it."""

    def use(world: FaultWorld, broken: bool) -> None:
        _ask_many(world, count, broken_tenant_id if broken else "drill")

    return use


@contextmanager
def _stop_providers(world: FaultWorld) -> Iterator[None]:
    world.simulator.add_faults({"kind": "status", "status": 529})
    try:
        yield
    finally:
        world.simulator.clear_faults()
        _close_circuits(world)


def _close_circuits(world: FaultWorld) -> None:
    """Close what the outage has opened, as ``pentad breaker close`` does; a function sees it within two seconds."""
    from pentad.models.breaker.adapters.breaker_dynamodb import DynamoCircuits
    from pentad.models.breaker.shared_breaker import CACHE_SECONDS, SharedBreaker

    breaker = SharedBreaker(DynamoCircuits(world.open_table("TransientTable")))
    for name in breaker.get_all(None):
        breaker.force(name, None)
    time.sleep(CACHE_SECONDS)


def _deny(function: str) -> Callable[[FaultWorld], AbstractContextManager[None]]:
    """Return what takes a function's rights on its tables, as a wrong policy does."""

    @contextmanager
    def begin(world: FaultWorld) -> Iterator[None]:
        iam, name = world.aws("iam"), f"{world.prefix}-{function}"
        about = world.aws("lambda").get_function_configuration(FunctionName=name)
        role = str(about["Role"]).rpartition("/")[2]
        policy = json.dumps({"Version": "2012-10-17", "Statement": [_DENY_ALL]})
        iam.put_role_policy(RoleName=role, PolicyName=_DENIAL, PolicyDocument=policy)
        try:
            yield
        finally:
            iam.delete_role_policy(RoleName=role, PolicyName=_DENIAL)

    return begin


def _list_runs(world: FaultWorld, broken: bool) -> None:
    client = world.open_tenant("drill")
    for _ in range(8):
        with suppress(ProblemError):
            client.call("GET", "/v1/runs?limit=1")


@contextmanager
def _slow_embedder(world: FaultWorld) -> Iterator[None]:
    _ingest(world)
    world.simulator.add_faults({"kind": "delay", "path": "embeddings", "seconds": 4})
    try:
        yield
    finally:
        world.simulator.clear_faults()


def _ingest(world: FaultWorld) -> None:
    """Give the tenant a document: where there is none, nothing is searched for."""
    client = world.open_tenant("drill")
    client.upload_document("drill.md", "text/markdown", b"# Sums\n\nTwo and two are four.")
    until = time.monotonic() + _QUEUE_SECONDS
    while time.monotonic() < until:
        with suppress(ProblemError):
            if client.call("GET", "/v1/documents/drill.md")["status"] == "indexed":
                return
        time.sleep(_POLL_SECONDS)
    raise TimeoutError(f"the drill's document was not indexed within {_QUEUE_SECONDS:g} s")


def _rate_answers(world: FaultWorld, broken: bool) -> None:
    """Let the run's user and the key's owner say that ten answers are wrong, or right."""
    client = world.open_tenant("drill")
    with ThreadPoolExecutor(_AT_ONCE, "drill") as pool:
        questions = [f"What is {number} + 1?" for number in range(10)]
        for run in pool.map(lambda question: ask(client, question, user="drill-user"), questions):
            for by in ({}, {"user": "drill-user"}):
                client.call("POST", f"/v1/runs/{run['run_id']}/feedback", body={"score": 0 if broken else 1, **by})


@contextmanager
def _use_up_budget(world: FaultWorld) -> Iterator[None]:
    from pentad.models.budgets.adapters.budget_definitions import DynamoBudgetStore
    from pentad.models.budgets.budgets import define

    store = DynamoBudgetStore(world.open_table("StateTable"))
    store.put(define("drill-poor", "tenant", "day", limit_nanousd=1))
    try:
        yield
    finally:
        store.remove("drill-poor", "tenant", "day", "*")
        time.sleep(_BUDGET_SECONDS)  # what is done after the runs asks models, too


@contextmanager
def _load_absurd_usage(world: FaultWorld) -> Iterator[None]:
    step = {"reply": {"text": "Four.", "usage": {"input": 1_000_000_000, "output": 5}}}
    world.simulator.load_script(*[step] * 20)
    try:
        yield
    finally:
        world.simulator.reset()


@contextmanager
def _send_poison(world: FaultWorld) -> Iterator[None]:
    sqs = world.aws("sqs")
    sqs.send_message(QueueUrl=world.find_queue("runs"), MessageBody="no request of ours")
    try:
        yield
    finally:
        sqs.purge_queue(QueueUrl=world.find_queue("runs-dlq"))


def _await_dead(world: FaultWorld, broken: bool) -> None:
    """Wait until the message that nothing can read is put aside."""
    sqs, url, until = world.aws("sqs"), world.find_queue("runs-dlq"), time.monotonic() + _QUEUE_SECONDS
    name = "ApproximateNumberOfMessages"
    while broken and time.monotonic() < until:
        if int(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name]):
            return
        time.sleep(_POLL_SECONDS)


FAULTS: Sequence[RealFault] = (
    RealFault(
        name="providers-down",
        kind="availability",
        says="every provider answers 529",
        raises=("models-unreachable", "runs-failing", "slo-success-fast-60m", "slo-success-fast-5m"),
        begin=_stop_providers,
        use=_ask_of(5),
    ),
    RealFault(
        name="right-missing",
        kind="availability",
        says="Recall's role may not use its tables any more",
        raises=("functions-failing",),
        begin=_deny("recall"),
        use=_ask_of(12),
    ),
    RealFault(
        name="api-denied",
        kind="availability",
        says="the API's role may not use its tables any more",
        raises=("api-failing",),
        begin=_deny("api"),
        use=_list_runs,
    ),
    RealFault(
        name="poison-message",
        kind="availability",
        says="a message that is not a request comes into the queue of runs",
        raises=("runs-dead",),
        begin=_send_poison,
        use=_await_dead,
    ),
    RealFault(
        name="embedder-slow",
        kind="performance",
        says="each embedding takes four seconds",
        raises=("recall-slow",),
        begin=_slow_embedder,
        use=_ask_of(4),
    ),
    RealFault(
        name="answers-wrong",
        kind="quality",
        says="users call twenty answers wrong",
        raises=("unsatisfied",),
        begin=lambda world: nullcontext(),
        use=_rate_answers,
    ),
    RealFault(
        name="budget-used-up",
        kind="cost",
        says="a tenant's budget of the day is used up",
        raises=("budget-refusals",),
        begin=_use_up_budget,
        use=_ask_of(2, broken_tenant_id="drill-poor"),
    ),
    RealFault(
        name="usage-absurd",
        kind="cost",
        says="a provider reports a thousand million tokens",
        raises=("usage-absurd",),
        begin=_load_absurd_usage,
        use=_ask_of(2),
    ),
)
"""At least one of each class; all other alarms are drilled by played signals."""
