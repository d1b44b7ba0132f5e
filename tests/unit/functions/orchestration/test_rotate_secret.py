"""The handler of rotations: what Secrets Manager sends, step by step."""

import json
from typing import Any

import pytest

from functions.orchestration import rotate_secret
from pentad.domain.errors import InvalidInput
from pentad.observability.adapters.memory import MemoryTelemetry
from pentad.runtime import entrypoint
from pentad.runtime.wiring.tools import rotate_secret as wiring
from pentad.tools.credentials.adapters.store_memory import MemorySecrets
from pentad.tools.credentials.generated import GeneratedSecret
from pentad.tools.credentials.rotate import RotationPlan, SecretRotation
from tests.unit.functions.events import Context

ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:pentad-dev/tools/hook-AbC123"
TOKEN = "a" * 32


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> MemorySecrets:
    store = MemorySecrets({ARN: json.dumps({"password": "before-it"})})
    store.begin_rotation(ARN, TOKEN)
    plans = {"pentad-dev/tools/hook": RotationPlan(kind="password")}
    rotation = SecretRotation(store, plans, lambda kind: GeneratedSecret())
    monkeypatch.setattr(wiring, "make_rotation", lambda: rotation)
    monkeypatch.setattr(entrypoint, "telemetry_of", lambda service: MemoryTelemetry())
    return store


def send(step: str, **more: Any) -> None:
    rotate_secret.handler({"Step": step, "SecretId": ARN, "ClientRequestToken": TOKEN} | more, Context())


def test_the_four_steps_rotate_a_secret(secrets: MemorySecrets) -> None:
    for step in ("createSecret", "setSecret", "testSecret", "finishSecret"):
        send(step, RotationToken="of another account")
    found = secrets.read(ARN)
    assert found is not None
    assert found.version_id == TOKEN
    assert len(json.loads(found.text)["password"]) == 40


@pytest.mark.parametrize("event", [{"Step": "dropSecret"}, {"SecretId": ""}, {"ClientRequestToken": "x"}])
def test_what_is_no_step_is_refused(secrets: MemorySecrets, event: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        send("createSecret", **event)
