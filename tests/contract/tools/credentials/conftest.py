"""Stores of secrets of each kind, and a vendor's token endpoint that behaves as RFC 6749 says."""

import json
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import pytest
from moto import mock_aws

from pentad.tools.credentials.adapters.store_memory import MemorySecrets
from pentad.tools.credentials.adapters.store_secretsmanager import SecretsManagerStore
from pentad.tools.credentials.ports import SecretStore
from tests.contract.tools.egress.servers import Answer, Got, run_http
from tests.moto_clients import client as moto_client
from tests.secrets_watch import MARK


@dataclass
class Kept:
    """A store under test, and what an operator does to it."""

    store: SecretStore
    set: Callable[[str, str], str]


def set_in(client: Any, name: str, text: str) -> str:
    """Store a value as an operator does, and return its version."""
    token = str(uuid.uuid4())
    try:
        made = client.put_secret_value(SecretId=name, SecretString=text, ClientRequestToken=token)
    except client.exceptions.ResourceNotFoundException:
        made = client.create_secret(Name=name, SecretString=text, ClientRequestToken=token)
    return str(made["VersionId"])


@pytest.fixture(params=["memory", "secretsmanager"])
def kept(request: pytest.FixtureRequest) -> Iterator[Kept]:
    if request.param == "memory":
        memory = MemorySecrets()
        yield Kept(memory, memory.set)
        return
    with mock_aws():
        client = moto_client("secretsmanager")
        yield Kept(SecretsManagerStore(client), lambda name, text: set_in(client, name, text))


@dataclass
class Vendor:
    """A token endpoint.

    Attributes:
        url: of it.
        rotates: each refresh token is taken once, and gives a new one; a second use ends them all.
        secret: the client's.
        refresh_token: the one that is valid.
        tokens: access tokens that were given.
        got: what it was asked.
        fail: answered in the place of a token.
    """

    url: str
    rotates: bool = False
    secret: str = f"{MARK}-client-1"
    refresh_token: str = f"{MARK}-refresh-1"
    seconds: int = 3_600
    tokens: list[str] = field(default_factory=list)
    got: list[Got] = field(default_factory=list)
    fail: Answer | None = None
    reused: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, got: Got) -> Answer:
        """Answer a request for a token."""
        form = {name: values[0] for name, values in parse_qs(got.body.decode()).items()}
        with self.lock:
            self.got.append(got)
            if self.fail is not None:
                return self.fail
            if form.get("client_secret") != self.secret and "authorization" not in got.headers:
                return _refuse(401, "invalid_client", form)
            if form["grant_type"] == "refresh_token" and (self.reused or form["refresh_token"] != self.refresh_token):
                self.reused = self.rotates
                return _refuse(400, "invalid_grant", form)
            self.tokens.append(f"{MARK}-access-{len(self.tokens) + 1}")
            given: dict[str, Any] = {
                "access_token": self.tokens[-1],
                "token_type": "bearer",
                "expires_in": self.seconds,
            }
            if form["grant_type"] == "refresh_token":
                if self.rotates:
                    self.refresh_token = f"{MARK}-refresh-{len(self.tokens) + 1}"
                given["refresh_token"] = self.refresh_token
        return Answer(headers=[("Content-Type", "application/json")], body=json.dumps(given).encode())

    def make_secret(self, **more: str) -> str:
        """Return the secret of a client of it."""
        return json.dumps({"token_url": self.url, "client_id": "agents", "client_secret": self.secret} | more)


def _refuse(status: int, code: str, form: dict[str, str]) -> Answer:
    """Refuse as a talkative vendor does, which repeats what it got."""
    return Answer(status, body=json.dumps({"error": code, "error_description": f"got {form}"}).encode())


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    with run_http() as server:
        made = Vendor(f"http://127.0.0.1:{server.port}/token")
        server.answer = made.answer
        yield made
