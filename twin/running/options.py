"""What may differ from one start of a twin to the next; all that is special to one app comes in here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twin.deploy.assembly import Assembly

if TYPE_CHECKING:
    from twin.front.model import TableTimes
    from twin.pumps.schedules.clock import ScheduleClock
    from twin.vectors.schema import Schema

#: Returns the size of the vectors that an assembly's app stores.
ReadDimension = Callable[[Assembly], int]


@dataclass(frozen=True)
class TwinOptions:
    """The options of one start.

    Attributes:
        region: the AWS region that the twin plays.
        aws_port: port of the AWS endpoint; 0 lets the system choose.
        api_port: port of the first HTTP API; 0 lets the system choose.
        parameters: values of the stacks' parameters, by stack.
        secrets: fields or texts to store in secrets, by a secret's name or the last part of it (``openai`` for
            ``shop/openai``). ``{models_url}`` and ``{vectors_url}`` in a field become the addresses of the twin's
            stand-ins. Other secrets keep the value that the template gives them.
        more_secrets: texts of secrets by their names; one that no stack has is made.
        models: the model ids that the simulator serves, with their context windows in tokens. None: every
            ``claude-``, ``gpt-`` and ``text-embedding-`` id.
        vector_dimension: size of the vectors in the local vector index, in numbers, or a function that reads it from
            the assembly while the stacks are deployed. None: no vector index is served.
        vector_schema: makes the local vector index a document index with these fields. None: it has vectors.
        simulator_seed: makes the simulator's ids the same in each run.
        time_scale: factor on the seconds of a state machine's waits and retries, and on the waits and the greatest
            age of functions' asynchronous invocations.
        routing_seed: makes the choice between the two versions of an alias the same in each run.
        hosts: names of this machine, beside ``localhost`` and the loopback addresses, under which requests and web
            pages may reach the twin.
        clock: when schedules are due, and events of functions are tried again or too old. None: the system's clock.
        concurrency: calls of functions at once, those that wait for a process included; calls beyond it are throttled.
            AWS's default is 1,000, and a new account's may be 10.
        processes: processes of functions at once. None: 16 a core or one for each function, whichever is more, that
            fit into a quarter of the memory, 16 to 64. HTTP APIs have half as many of their own.
        modules: what most functions import from their layers and from installed packages, and that does the same in
            whatever environment it is imported: functions' processes are then forked with it, where the system can.
        keep: keep tables, objects and vectors in the state folder when the twin stops, and begin with what is kept
            there. Else every twin begins empty.
        table_times: how late DynamoDB's indexes follow their tables, and how long its transactions take.
    """

    region: str = "us-east-1"
    aws_port: int = 0
    api_port: int = 0
    parameters: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    secrets: Mapping[str, Mapping[str, str] | str] = field(default_factory=dict)
    more_secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    models: Mapping[str, int] | None = None
    vector_dimension: int | ReadDimension | None = None
    vector_schema: "Schema | None" = None
    simulator_seed: str | None = None
    time_scale: float = 1.0
    routing_seed: int | None = None
    hosts: tuple[str, ...] = ()
    clock: "ScheduleClock | None" = None
    concurrency: int = 1_000
    processes: int | None = None
    modules: tuple[str, ...] = ()
    keep: bool = False
    table_times: "TableTimes | None" = None
