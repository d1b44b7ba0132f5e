"""The stack as a test sees it: tenants with keys, the HTTP API, and the operator's view of what is stored.

What is here knows HTTP and names of tables; `pentad.testing.kit` makes of it what a test of an agent asks for.
"""

import hashlib
import json
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Literal, Self, TypeVar
from urllib.parse import quote

import boto3
import httpx
import psutil
from botocore.config import Config

from pentad.api.identity.adapters.keys_dynamodb import DynamoKeys
from pentad.api.identity.caller import ALL_GROUPS, ALL_USERS, SCOPES
from pentad.api.identity.keys import create_key
from pentad.api.identity.signed import sign_request
from pentad.aws.table import Table, from_dynamodb
from pentad.domain import keys
from pentad.tools.runtime.function_names import name_function
from twin.host.processes.finding import find_processes
from twin.simulator import SimulatorControl

Json = dict[str, Any]
T = TypeVar("T")

ENDED = frozenset({"succeeded", "degraded", "stopped", "failed", "cancelled"})
DEADLINE = 120.0  # Bounds what never happens; a machine under load may be slow.
CHAT_PATHS = {"anthropic": ["/v1/messages"], "openai": ["/v1/responses", "/v1/chat/completions"]}
_PAUSE = 0.05


def until(probe: Callable[[], T | None], what: str = "what was waited for", seconds: float = DEADLINE) -> T:
    """Return the first true result of a probe.

    Raises:
        AssertionError: there was none in time.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = probe()
        if found:
            return found
        time.sleep(_PAUSE)
    raise AssertionError(f"{what} did not happen within {seconds:g} s")


def word(prefix: str = "w") -> str:
    """Return a word that nothing else holds: a tenant, a key, the mark of a fault."""
    return prefix + uuid.uuid4().hex[:12]


class Stack:
    """A running twin.

    Args:
        facts: what it wrote about itself.
    """

    def __init__(self, facts: Json) -> None:
        self.facts = facts
        self.url: str = facts["api_url"]
        self.simulator = SimulatorControl(facts["simulator_url"])
        self.http = httpx.Client(base_url=self.url, timeout=httpx.Timeout(45.0, connect=5.0), trust_env=False)
        self._clients: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.http.close()
        for client in self._clients.values():
            client.close()

    def aws(self, service: str) -> Any:
        """Return a client with the operator's rights."""
        if service not in self._clients:
            connect: Callable[..., Any] = boto3.client
            retries: Any = {"mode": "standard", "total_max_attempts": 3}
            self._clients[service] = connect(
                service,
                endpoint_url=self.facts["aws_url"],
                region_name=self.facts["region"],
                aws_access_key_id=self.facts["access_key_id"],
                aws_secret_access_key=self.facts["secret_access_key"],
                config=Config(retries=retries, connect_timeout=5, read_timeout=30),
            )
        return self._clients[service]

    @property
    def outputs(self) -> Json:
        """The outputs of both stacks."""
        stacks = self.facts["outputs"]
        return {name: value for stack in stacks.values() for name, value in stack.items()}

    @cached_property
    def keys(self) -> DynamoKeys:
        """The store of API keys."""
        return DynamoKeys(Table(self.aws("dynamodb"), self.outputs["StateTable"]))

    def table(self, name: str) -> Table:
        """Return a table by a part of its name, such as ``records``."""
        return Table(self.aws("dynamodb"), next(one for one in self.tables if name in one.lower()))

    @cached_property
    def tables(self) -> list[str]:
        """The names of all tables."""
        return list(self.aws("dynamodb").list_tables()["TableNames"])

    def tenant(self, name: str | None = None, **options: Any) -> "Tenant":
        """Return a tenant with a key; a new one where no name is given. `options` are those of `create_key`.

        The key may do all and decides for all groups, where the options say no less; each is another person's.
        """
        name = name or word("t-")
        scopes = [scope for scope in SCOPES if scope != ALL_USERS]
        may: Json = {"scopes": scopes, "groups": (ALL_GROUPS,), "owner": word("own")}
        _, token = create_key(self.keys, name, now=datetime.now(UTC), **(may | options))
        return Tenant(self, name, token)

    def items(self, tenant_id: str, *tables: str) -> list[Json]:
        """Return all that DynamoDB holds of a tenant (in some tables), plain values, keys and API keys left out."""
        found = self._find_items(
            "scan", tables or self.tables, f"{keys.tenant_prefix(tenant_id)}#", FilterExpression="begins_with(pk, :own)"
        )
        return [item for item in found if not item["pk"].endswith("#KEYS")]

    def partition(self, pk: str) -> list[Json]:
        """Return all that DynamoDB holds under one partition key, in whichever table, plain values."""
        return self._find_items("query", self.tables, pk, KeyConditionExpression="pk = :own")

    def _find_items(
        self, operation: Literal["scan", "query"], tables: Iterable[str], own: str, **which: str
    ) -> list[Json]:
        pages = self.aws("dynamodb").get_paginator(operation)
        values = {":own": {"S": own}}
        return [
            from_dynamodb(item)
            for table in tables
            for page in pages.paginate(TableName=table, ConsistentRead=True, ExpressionAttributeValues=values, **which)
            for item in page["Items"]
        ]

    def queue_url(self, name: str) -> str:
        """Return the address of a queue by the end of its name."""
        return str(self.aws("sqs").get_queue_url(QueueName=f"pentad-dev-{name}")["QueueUrl"])

    def executions(self, run_id: str) -> list[Json]:
        """Return the executions of a run: their names are runs' ids."""
        machines = self.aws("stepfunctions").list_state_machines()["stateMachines"]
        found = []
        for machine in machines:
            if machine["type"] == "EXPRESS":
                continue  # Step Functions keeps no list of those.
            pages = self.aws("stepfunctions").get_paginator("list_executions")
            for page in pages.paginate(stateMachineArn=machine["stateMachineArn"]):
                found += [one for one in page["executions"] if one["name"] == run_id]
        return found

    def history(self, run_id: str) -> list[Json]:
        """Return the history of a run's one execution."""
        [execution] = self.executions(run_id)
        pages = self.aws("stepfunctions").get_paginator("get_execution_history")
        return [event for page in pages.paginate(executionArn=execution["executionArn"]) for event in page["events"]]

    def has_function(self, function: str) -> bool:
        """Tell whether a function is deployed, by the end of its name; a tool's by its name without its group."""
        pages = self.aws("lambda").get_paginator("list_functions").paginate()
        deployed = {one["FunctionName"] for page in pages for one in page["Functions"]}
        return not deployed.isdisjoint(self._name_functions(function))

    @staticmethod
    def _name_functions(function: str) -> set[str]:
        tool = function.removeprefix("tool-").replace("-", "_")
        names = {f"pentad-dev-{function}"}
        if function.startswith("tool-"):
            names |= {name_function("pentad-dev-tool-", tool, grouped=grouped) for grouped in (False, True)}
        return names

    def processes(self, function: str) -> list[psutil.Process]:
        """Return the live processes of a function, by the end of its name; a tool's by its name without its group."""
        return find_processes(self.facts["pid"], self._name_functions(function))

    @contextmanager
    def fault(self, text: str, *faults: Json) -> Iterator[None]:
        """Let calls to the models go wrong whose request holds a text; other tests' calls hold another."""
        self.simulator.add_faults(*({**fault, "text": text} for fault in faults))
        try:
            yield
        finally:
            self.simulator.clear_faults(text)

    def overload(self, text: str, *providers: str) -> Any:
        """Let the chat models of providers answer 529 to requests that hold a text."""
        return self.fault(
            text,
            *(
                {"kind": "status", "status": 529, "provider": provider, "path": path}
                for provider in providers
                for path in CHAT_PATHS[provider]
            ),
        )


def _expect(response: httpx.Response, *statuses: int) -> httpx.Response:
    """Return a response that has one of these statuses.

    Raises:
        AssertionError: it has another one; the message is what the API says.
    """
    if response.status_code not in statuses:
        asked = f"{response.request.method} {response.request.url.path}"
        raise AssertionError(f"{asked} answered {response.status_code}: {response.text}")
    return response


class Tenant:
    """A tenant with one API key.

    Args:
        stack: where it lives.
        name: the tenant.
        token: its key.
    """

    def __init__(self, stack: Stack, name: str, token: str) -> None:
        self.stack, self.name, self.token = stack, name, token

    def send(self, method: str, path: str, headers: dict[str, str] | None = None, **content: Any) -> httpx.Response:
        """Send a request with the key."""
        named = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        return self.stack.http.request(method, path, headers=named, **content)

    def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        """Send JSON; underscores in header names stand for dashes."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.send("POST", path, named, json=body)

    def sign(self, request: Json) -> str:
        """Return a request as a message for the runs queue, signed with the key."""
        return json.dumps(sign_request(self.token, request, now=datetime.now(UTC)))

    def get(self, path: str) -> Json:
        """Return the JSON of a path that must answer 200."""
        response = _expect(self.send("GET", path), 200)
        found: Json = response.json()
        return found

    def ask(self, message: str, *, agent: str = "assistant", key: str | None = None, **fields: Any) -> Json:
        """Start a run and return it once it has ended or waits for a human."""
        headers = {"Prefer": "wait=25"} | ({"Idempotency_Key": key} if key else {})
        response = _expect(self.post("/v1/runs", {"agent": agent, "message": message, **fields}, **headers), 200, 202)
        return self.settle(response.json()["run_id"])

    def settle(self, run_id: str, *, after: str | None = None) -> Json:
        """Return a run once it has ended or waits for another approval than `after`."""

        def look() -> Json | None:
            view = self.get(f"/v1/runs/{run_id}")
            # A run that waits for none yet, or no more, is on its way from or to a decision.
            waits = view["status"] == "awaiting_human" and view["pending_approval"] not in (None, after)
            return view if view["status"] in ENDED or waits else None

        return until(look, f"the end of {run_id}")

    def events(self, run_id: str, kind: str) -> list[Json]:
        """Return the details of a run's events of one kind."""
        return [one["detail"] for one in self.get(f"/v1/runs/{run_id}/events")["events"] if one["type"] == kind]

    def transitions(self, run_id: str) -> int:
        """Return how many states a run entered."""
        return int(self.get(f"/v1/runs/{run_id}/trace")["transitions"])

    def messages(self, session_id: str) -> list[Json]:
        """Return a session's messages."""
        return list(self.get(f"/v1/sessions/{session_id}/messages?limit=100")["items"])

    def items(self, kind: str | None = None) -> list[Json]:
        """Return all that is stored of the tenant but the counts of its requests, or what is of one type."""
        stored = [item for item in self.stack.items(self.name) if "RATES" not in item["pk"].split("#")]
        return [item for item in stored if kind is None or item.get("type") == kind]

    def notes(self) -> list[Json]:
        """Return what the notes tool stored."""
        return [json.loads(item["body"]) for item in self.stack.partition(keys.collection_pk(self.name, "NOTE"))]

    def lease_is_free(self, session_id: str) -> bool:
        """Tell whether no run holds a session."""
        return not any(item["sk"] == "LEASE" for item in self.stack.partition(keys.session_pk(self.name, session_id)))

    def decide(self, approval_id: str, decision: str, **fields: Any) -> httpx.Response:
        """Decide an approval."""
        return self.post(f"/v1/approvals/{approval_id}", {"decision": decision, **fields})

    def upload(self, name: str, text: str, media_type: str = "text/markdown") -> None:
        """Send a document to its bucket."""
        _expect(self.put(self.ask_upload(name, text.encode(), media_type), text.encode()), 200)

    def ask_upload(self, name: str, content: bytes, media_type: str = "text/markdown") -> Json:
        """Return where a document's content may be sent, and with which headers."""
        digest = hashlib.sha256(content).hexdigest()
        body = {"name": name, "media_type": media_type, "bytes": len(content), "sha256": digest}
        answer = _expect(self.post("/v1/documents", body), 201)
        ticket: Json = answer.json()["upload"]
        return ticket

    @staticmethod
    def put(ticket: Json, content: bytes, **headers: str | None) -> httpx.Response:
        """Send a document's content; ``headers`` replace what was given, or (None) leave it out."""
        sent = {name: value for name, value in {**ticket["headers"], **headers}.items() if value is not None}
        return httpx.request(
            ticket["method"], ticket["url"], headers=sent, content=content, timeout=60, trust_env=False
        )

    def document(self, name: str) -> Json | None:
        """Return a document's entry, or None."""
        response = _expect(self.send("GET", f"/v1/documents/{quote(name)}"), 200, 404)
        found: Json | None = response.json() if response.status_code == 200 else None
        return found

    def ingest(self, name: str, text: str, media_type: str = "text/markdown") -> Json:
        """Send a document and return its entry once this version is indexed, or has failed."""
        before = self.document(name)
        self.upload(name, text, media_type)
        return until(lambda: found if (found := self.document(name)) != before else None, f"the ingest of {name}")
