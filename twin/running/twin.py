"""The local twin: a cloud assembly deployed into a local AWS and running, in one process with its functions' own.

``python -m twin --assembly cdk.out --state .twin`` runs it until a signal ends it.
"""

import logging
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from twin.deploy.assembly import Assembly, read_assembly
from twin.deploy.deployment import Deployment
from twin.running import state_file as twin_file
from twin.running.background import Background
from twin.running.grant_uses import write_uses
from twin.running.kept_data import FOLDER, KeptData, KeptUnreadable
from twin.running.options import TwinOptions

if TYPE_CHECKING:
    from twin.alarms.watch import AlarmWatch
    from twin.front.front import AwsFront
    from twin.front.model import CountKey
    from twin.host.host import FunctionHost
    from twin.host.model import InvocationReport, LogEvent
    from twin.http_api.server import HttpApiServer
    from twin.pumps.pumps import Pumps
    from twin.running.clients import Clients
    from twin.running.function_logs import FunctionLogs
    from twin.running.updating import Updates
    from twin.simulator import Simulator
    from twin.vectors import LocalIndex

logger = logging.getLogger(__name__)

#: moto keeps its account in module globals, so a process has room for one twin.
_one_per_process = threading.Lock()


class TwinError(Exception):
    """The twin cannot start."""


class Twin:
    """A running twin. Use `Twin.start`, as a context manager or with `stop`."""

    def __init__(self, assembly: Assembly, state_dir: Path, options: TwinOptions) -> None:
        self._assembly, self._state_dir, self._options = assembly, state_dir, options
        self._cleanup = ExitStack()
        self._stopped = threading.Event()
        self._began = time.monotonic()
        self.timings: dict[str, float] = {}
        self.kept_count = 0
        self.region = options.region
        self._api_servers: dict[str, HttpApiServer] = {}
        self._deployment = Deployment()
        self._front: AwsFront
        self._clients: Clients
        self._logs: FunctionLogs
        self._host: FunctionHost
        self._pumps: Pumps
        self._simulator: Simulator
        self._vectors: LocalIndex | None = None
        self._kept = KeptData(self._state_dir) if options.keep else None
        self._keeping = False
        self._working = ExitStack()  # what writes data: it ends before they are kept
        self.updates: Updates
        self.alarms: AlarmWatch

    @classmethod
    def start(cls, assembly_dir: Path, state_dir: Path, *, options: TwinOptions | None = None) -> Self:
        """Deploy the assembly and return when everything answers.

        Raises:
            AssemblyError: the assembly cannot be read.
            DeployError: a resource cannot be created locally.
            TwinRunning: another process runs a twin in this state folder.
            PermissionError: the state folder is another user's.
        TwinError: this process runs one already, or a secret needs a stand-in that does not run.
        """
        if not _one_per_process.acquire(blocking=False):
            raise TwinError("this process already runs a twin; start another one in its own process")
        twin: Self | None = None
        try:
            twin = cls(read_assembly(assembly_dir), state_dir.resolve(), options or TwinOptions())
            twin._cleanup.callback(_one_per_process.release)
            twin._start()
        except BaseException:
            if twin is None:
                _one_per_process.release()
            else:
                twin.stop()
            raise
        return twin

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Keep what is to be kept, and stop everything, last started first. Idempotent."""
        if not self._stopped.is_set():
            self._stopped.set()
            with self._cleanup:
                self._save()
                if hasattr(self, "_front"):
                    write_uses(self._front)

    @property
    def aws_url(self) -> str:
        """The endpoint of all AWS services."""
        return self._front.url

    @property
    def api_urls(self) -> dict[str, str]:
        """The URL of each HTTP API by its name."""
        return {self._deployment.http_apis[key].name: one.url for key, one in self._api_servers.items()}

    @property
    def api_url(self) -> str:
        """The URL of the HTTP API.

        Raises:
            TwinError: the assembly has none.
        """
        for server in self._api_servers.values():
            return server.url
        raise TwinError("the assembly has no HTTP API: add one, or use the AWS endpoint")

    @property
    def simulator_url(self) -> str:
        """The base URL of the model simulator."""
        return self._simulator.url

    @property
    def vectors_url(self) -> str | None:
        """The base URL of the vector index; None where none is served."""
        return self._vectors.url if self._vectors is not None else None

    @property
    def outputs(self) -> dict[str, dict[str, str]]:
        """The stacks' outputs, by stack name."""
        return self._deployment.outputs

    @property
    def deployment(self) -> Deployment:
        """All that was deployed."""
        return self._deployment

    @property
    def ready_seconds(self) -> float:
        """How long the start took."""
        return sum(self.timings.values())

    @property
    def front(self) -> "AwsFront":
        """The front of all AWS calls."""
        return self._front

    @property
    def host(self) -> "FunctionHost":
        """The function host."""
        return self._host

    @property
    def pumps(self) -> "Pumps":
        """The event pumps."""
        return self._pumps

    def get_admin_client(self, service: str) -> Any:
        """Return a client with the administrator's rights."""
        return self._clients(service)

    def count_calls(self) -> "Mapping[CountKey, int]":
        """Return how many AWS calls were made, by service, operation and principal."""
        return self._front.count_calls()

    def list_reports(self) -> "list[InvocationReport]":
        """Return the REPORT records of the functions."""
        return self._host.list_reports()

    def flush_logs(self) -> bool:
        """Wait until the functions' log lines are in CloudWatch Logs."""
        return self._logs.flush()

    def _start(self) -> None:
        twin_file.acquire(self._state_dir)
        self._cleanup.callback(twin_file.release, self._state_dir)
        # Loading the model provider's stand-in and the index is independent of the deployment.
        side = Background(self._start_stand_ins)
        self._cleanup.callback(side.wait_quietly)
        self._run_phase("front", self._start_front)
        self._run_phase("deploy", self._deploy)
        self._run_phase("stand-ins", side.wait)
        self._run_phase("secrets", self._fill_secrets)
        self._run_phase("kept data", self._restore)
        self._run_phase("pumps", self._start_pumps)
        self._run_phase("http api", self._serve_apis)
        twin_file.write(self._state_dir, self._collect_facts())
        self._keeping = True

    def _run_phase(self, name: str, step: Callable[[], None]) -> None:
        began = time.monotonic()
        try:
            step()
        finally:
            self.timings[name] = round(time.monotonic() - began, 3)

    def _restore(self) -> None:
        if self._kept is None:
            return
        try:
            self.kept_count = self._kept.restore(*self._find_backends())
        except KeptUnreadable as error:
            raise TwinError(str(error)) from error

    def _save(self) -> None:
        """Keep the data, once nothing writes any more; a twin that never had the former data does not replace them."""
        if self._kept is None or not self._keeping:
            return
        # What was uploaded a moment ago is still to be indexed: its event would be lost.
        self._pumps.settle()
        self._working.close()
        self._kept.save(*self._find_backends(), self._vectors.write_copy if self._vectors is not None else None)

    def _find_backends(self) -> tuple[Any, Any]:
        """Return moto's backends of DynamoDB and S3."""
        from twin.front.account import GLOBAL

        account = self._front.account
        return account.get_service_backend("dynamodb"), account.get_service_backend("s3", GLOBAL)

    def _start_stand_ins(self) -> None:
        from twin.simulator import Simulator

        self._simulator = Simulator(self._options.models, seed=self._options.simulator_seed, hosts=self._options.hosts)
        self._cleanup.callback(self._simulator.stop)
        self._simulator.start()
        dimension = self._options.vector_dimension
        if dimension is not None:
            self._start_index(dimension if isinstance(dimension, int) else dimension(self._assembly))

    def _start_index(self, dimension: int) -> None:
        from twin.vectors import LocalIndex
        from twin.vectors.errors import IndexUnusable

        # Vectors of another twin than the one whose tables are taken up would belong to nothing.
        path = self._state_dir / "vectors.sqlite"
        for old in self._state_dir.glob("vectors.sqlite*"):
            old.unlink()
        kept = self._kept.vectors if self._kept is not None else None
        if kept is not None:
            shutil.copyfile(kept, path)
        try:
            self._vectors = LocalIndex(path, dimension, schema=self._options.vector_schema, hosts=self._options.hosts)
        except (IndexUnusable, sqlite3.DatabaseError) as error:
            raise TwinError(f"the kept vectors can't be used ({error}): delete {self._state_dir / FOLDER}") from error
        self._cleanup.callback(self._vectors.stop)
        self._vectors.start()

    def _start_front(self) -> None:
        from twin import machine
        from twin.front.account import reset_account
        from twin.front.front import AwsFront
        from twin.host.host import FunctionHost, HostSettings
        from twin.host.model import make_limits
        from twin.iam.model import ACCOUNT_ID
        from twin.moto_patches.stepfunctions import install as stepfunctions
        from twin.running.clients import Clients
        from twin.running.function_logs import FunctionLogs

        reset_account()
        self._front = AwsFront(self.region, hosts=self._options.hosts, table_times=self._options.table_times)
        self._cleanup.callback(self._front.stop)
        self._front.start(self._options.aws_port)
        self._clients = Clients(self._front.url, self.region, self._front.principals)
        self._cleanup.callback(self._clients.close)
        tasks = Clients(self._front.url, self.region, self._front.principals, validate=False)
        self._cleanup.callback(tasks.close)
        # SendTaskSuccess is authorised by the machine whose task the token stands for.
        self._front.resolve_tokens(machine.find_machine_arn)
        self._logs = FunctionLogs(ACCOUNT_ID, self.region)
        self._cleanup.callback(self._logs.stop)
        stepfunctions.install(
            tasks, time_scale=self._options.time_scale, routing_seed=self._options.routing_seed, logs=self._logs
        )
        self._cleanup.callback(stepfunctions.uninstall)
        principals, clock = self._front.principals, self._options.clock
        self._host = FunctionHost(
            self._logs,
            lambda role_arn: principals.issue(role_arn).to_environment(),
            HostSettings(
                region=self.region,
                state_dir=self._state_dir / "functions",
                extra_environment={"AWS_ENDPOINT_URL": self._front.url},
                modules=self._options.modules,
                read_seconds=None if clock is None else lambda: clock.now().timestamp(),
            ),
            make_limits(
                self._options.concurrency,
                self._options.processes,
                self._options.time_scale,
                functions=self._assembly.count_resources("AWS::Lambda::Function"),
            ),
        )
        self._cleanup.callback(self._host.stop)
        self._working.callback(self._host.stop)
        self._front.attach(self._host)

    def _deploy(self) -> None:
        from twin.deploy.deployer import Deployer
        from twin.deploy.registry import Place
        from twin.iam.model import ACCOUNT_ID
        from twin.running.updating import Updates

        scratch = self._state_dir / "assets"
        place = Place(self.region, ACCOUNT_ID, scratch=scratch, api_endpoint=self._reserve_api)
        deployer = Deployer(self._clients, place)
        self._deployment = deployer.deploy(self._assembly, parameters=self._options.parameters)
        self.updates = Updates(deployer, self._deployment, self._host, self._clients)
        self.updates.sync_host()
        secret = self._front.principals.administrator.secret_access_key
        self._front.serve_own(lambda path, key, body: self.updates.serve(path, key, body, secret))

    def _reserve_api(self, api_id: str) -> str:
        from twin.http_api.server import HttpApiServer

        port = self._options.api_port if not self._api_servers else 0
        server = HttpApiServer(port, hosts=self._options.hosts)
        self._cleanup.callback(server.stop)
        self._api_servers[api_id] = server
        return server.url

    def _fill_secrets(self) -> None:
        from twin.running.secrets import NoStandIn, add_secrets, fill_secrets

        try:
            fill_secrets(
                self._clients("secretsmanager"),
                self._deployment.secrets,
                self._options.secrets,
                models_url=self.simulator_url,
                vectors_url=self.vectors_url,
            )
        except NoStandIn as error:
            raise TwinError(str(error)) from error
        add_secrets(self._clients("secretsmanager"), self._deployment.secrets, self._options.more_secrets)

    def _start_pumps(self) -> None:
        from twin.alarms.services import measure_execution
        from twin.alarms.wiring import start_watch
        from twin.iam.model import ACCOUNT_ID
        from twin.pumps.pumps import Pumps
        from twin.running.invocations import Invocations

        invocations = Invocations(self._host, self._front.authorizer)
        self._host.on_async_failure(invocations.make_failure_handler(self._deployment, self._clients))
        place, stopping = (ACCOUNT_ID, self.region), ExitStack()  # it stops once, whoever asks first
        self._cleanup.callback(stopping.close)
        self._working.callback(stopping.close)
        alarms = (self._deployment.metric_alarms, self._deployment.composite_alarms)
        watch = self.alarms = start_watch(alarms, self._host, invocations.find_denial, place, stopping)
        self._pumps = Pumps(
            self._deployment,
            connect=self._clients,
            service_may=invocations.find_denial,
            invoke=invocations.invoke_for_queue,
            invoke_async=invocations.invoke_async,
            place=place,
            clock=self._options.clock,
            on_execution=lambda detail: watch.take(measure_execution(detail)),
        )
        stopping.callback(self._pumps.stop)
        self._pumps.start()
        self._logs.listen(self._on_log_lines)

    def _on_log_lines(self, group: str, stream: str, events: "Sequence[LogEvent]") -> None:
        self.alarms.on_log_lines(group, stream, events)
        self._pumps.on_log_lines(group, stream, events)

    def _serve_apis(self) -> None:
        from twin.alarms.services import measure_request
        from twin.http_api.events import ApiIdentity
        from twin.http_api.gateway import HttpGateway
        from twin.iam.model import ACCOUNT_ID
        from twin.running.invocations import Invocations

        invocations = Invocations(self._host, self._front.authorizer)
        for api_id, server in self._api_servers.items():
            identity = ApiIdentity(ACCOUNT_ID, self.region, api_id)
            api = self._deployment.http_apis[api_id]
            gateway = HttpGateway(
                api,
                identity,
                invocations.invoke_for_api,
                self._deployment.permissions,
                measure=lambda *answer: self.alarms.take(measure_request(*answer)),
            )
            server.serve(gateway)

    def _collect_facts(self) -> dict[str, Any]:
        administrator = self._front.principals.administrator
        return {
            "ready": True,
            "assembly": str(self._assembly.directory),
            "region": self.region,
            "aws_url": self.aws_url,
            "api_url": self.api_url if self._api_servers else None,
            "api_urls": self.api_urls,
            "simulator_url": self.simulator_url,
            "vectors_url": self.vectors_url,
            "access_key_id": administrator.access_key_id,
            "secret_access_key": administrator.secret_access_key,
            "outputs": self.outputs,
            "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "ready_seconds": round(time.monotonic() - self._began, 3),
            "timings": self.timings,
        }


@contextmanager
def run_twin(assembly_dir: Path, state_dir: Path, options: TwinOptions | None = None) -> Iterator[Twin]:
    """Run a twin for the length of a with block."""
    with Twin.start(assembly_dir, state_dir, options=options) as twin:
        yield twin
