"""What a fault is, and the twin that it is given to: it is begun, used by requests through the API, and mended."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any, Literal, Protocol

from pentad.cli.client import ApiClient

if TYPE_CHECKING:
    from twin.alarms.metric_store import MetricKey
    from twin.alarms.statistics import Bucket
    from twin.simulator.control import SimulatorControl

Json = dict[str, Any]
FaultClass = Literal["availability", "performance", "quality", "cost", "capacity"]


class Measures(Protocol):
    """Takes what a deployment measures."""

    def begin(self) -> None:
        """Forget what was measured so far."""
        ...

    def take(self) -> "Mapping[MetricKey, Bucket]":
        """Return what was measured since."""
        ...


def _refuse_to_pass(hours: float) -> None:
    raise NotImplementedError("no time can be passed on this twin")


def _refuse_to_kill(function: str) -> None:
    raise NotImplementedError("no process can be ended on this twin")


@dataclass
class FaultWorld:
    """The running twin that faults are given to.

    Attributes:
        url: of its API.
        simulator: of its models' stand-in.
        aws: returns a client with an operator's rights.
        outputs: of the state stack.
        prefix: of its functions and queues.
        agent: who is asked.
        rated_agent: an agent that rates its turns itself.
        pass_hours: lets its schedules fire that are due within so many hours, each once.
        kill_processes: ends the processes of a function, by its name without the prefix, as Lambda ends one.
    """

    url: str
    simulator: "SimulatorControl"
    aws: Callable[[str], Any]
    outputs: Mapping[str, str]
    prefix: str
    agent: str = "assistant"
    rated_agent: str = "assistant"
    pass_hours: Callable[[float], None] = _refuse_to_pass
    kill_processes: Callable[[str], None] = _refuse_to_kill
    _clients: dict[tuple[str, str], ApiClient] = field(default_factory=dict)

    def open_tenant(self, tenant_id: str, user_id: str | None = None) -> ApiClient:
        """Return a client of a tenant, which is made where there is none; its key is a user's where one is named."""
        from pentad.api.identity.adapters.keys_dynamodb import DynamoKeys
        from pentad.api.identity.caller import ALL_USERS, SCOPES
        from pentad.api.identity.keys import create_key

        whose = (tenant_id, user_id or "")
        if whose not in self._clients:
            keys = DynamoKeys(self.open_table("StateTable"))
            scopes = [one for one in SCOPES if user_id is None or one != ALL_USERS]
            values: Any = {"scopes": scopes, "user_id": user_id, "name": "made by a drill"}
            _, token = create_key(keys, tenant_id, now=datetime.now(UTC), **values)
            self._clients[whose] = ApiClient(self.url, token)
        return self._clients[whose]

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


Use = Callable[[FaultWorld, bool], None]
"""Asks something of a stage; it is told whether a fault is there."""


@dataclass(frozen=True)
class RealFault:
    """One fault.

    Attributes:
        name: what it is called.
        kind: what users lose.
        says: what is done.
        raises: the alarms that it has to raise, without the stage's prefix; ``link-*`` are all that begin so.
        use: what is asked of the stage; it is told whether the fault is there.
        begin: what goes wrong while it is entered; nothing where the use of the stage is the fault.
        silences: its alarms go on since what they look at does not come any more.
    """

    name: str
    kind: FaultClass
    says: str
    raises: tuple[str, ...]
    use: Use
    begin: Callable[[FaultWorld], AbstractContextManager[None]] = field(default=lambda world: nullcontext())
    silences: bool = False

    def is_to_raise(self, alarm: str) -> bool:
        """Tell whether an alarm, by its whole name, is one that it has to raise."""
        return any(fnmatch(alarm, f"*-{one}") for one in self.raises)


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


def measure_load(world: FaultWorld, uses: Sequence[Use], measures: Measures) -> "Mapping[MetricKey, Bucket]":
    """Use a twin that has no fault, once to start what is asleep and once more, and return what it then measured."""
    for use in uses:
        use(world, False)
    measures.begin()
    for use in uses:
        use(world, False)
    return measures.take()
