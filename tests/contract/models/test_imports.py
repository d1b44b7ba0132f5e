"""No SDK is loaded before the first request, and then only the one in use."""

import subprocess
import sys

import pytest

SDKS = ("anthropic", "openai", "httpx2", "jsonschema")
EVERYTHING = """
import pentad.models.gateway.gateway, pentad.models.gateway.embeddings, pentad.models.remote.wire, pentad.models.ports
import pentad.models.providers.adapters.anthropic, pentad.models.providers.adapters.openai
import pentad.models.providers.adapters.openai_embeddings
import pentad.models.ledger.adapters.ledger_dynamodb, pentad.models.ledger.adapters.ledger_memory
import pentad.models.providers.adapters.secrets, pentad.models.remote.adapters.gateway_lambda
from pentad.models.catalog.catalog import load
load()
"""
ONE = """
from pentad.models.providers.adapters.{provider} import {name}
from pentad.models.providers.adapters.secrets import FixedCredentials
from pentad.models.providers.exchange import ProviderFailure
from tests.unit.models.samples import {model}, request
try:
    {name}(FixedCredentials("k", "http://127.0.0.1:9")).send({model}, request(), max_output_tokens=9, timeout=60)
except ProviderFailure as failure:
    print(failure.outcome.value)
"""


def loaded(code: str) -> list[str]:
    script = f"{code}\nimport sys\nprint(*(name for name in {SDKS!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_importing_the_layer_loads_no_sdk() -> None:
    assert loaded(EVERYTHING) == []


@pytest.mark.parametrize(
    ("provider", "name", "model"), [("anthropic", "AnthropicChat", "SONNET"), ("openai", "OpenAIChat", "GPT")]
)
def test_a_request_loads_its_own_sdk_only(provider: str, name: str, model: str) -> None:
    assert loaded(ONE.format(provider=provider, name=name, model=model)) == ["connection", provider, "httpx2"]


def test_other_layers_take_the_ports_without_yaml() -> None:
    code = "import sys, pentad.models.ports, pentad.models.remote.wire, pentad.models.gateway.tokens"
    assert loaded(f"{code}\nassert 'yaml' not in sys.modules") == []
