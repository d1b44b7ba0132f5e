"""The simulator on the wire, the real SDKs behind our adapters, and a gateway with its own ledger."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from pentad.domain.models import ChatReply, ChatRequest
from pentad.models.catalog.catalog import ModelCatalog, ModelEntry, load
from pentad.models.catalog.provider_entries import Dialect, ProviderEntry
from pentad.models.gateway.gateway import Gateway
from pentad.models.ledger.adapters.ledger_memory import MemoryLedger
from pentad.models.providers.adapters.anthropic import AnthropicChat
from pentad.models.providers.adapters.bedrock import BedrockChat
from pentad.models.providers.adapters.openai import OpenAIChat
from pentad.models.providers.adapters.openai_compatible import OpenAICompatibleChat
from pentad.models.providers.adapters.openai_embeddings import OpenAIEmbeddings
from pentad.models.providers.adapters.secrets import FixedCredentials
from pentad.models.providers.ports import ProviderChat
from tests.contract.models.bedrock_fake import ACCESS_KEY, REGION, SECRET_KEY, BedrockFake
from tests.unit.models.samples import NOW
from twin.servers.loopback import LoopbackServer, Request, Response
from twin.simulator import Simulator, SimulatorControl

KEY = "sk-contract-7f3a9c-do-not-show"
OWN = """
providers:
  den: {kind: openai_compatible, base_url: "http://127.0.0.1:9/v1"}
models:
  den-large:
    label: Den Large
    id: gpt-4.1-mini
    provider: den
    kind: chat
    context_tokens: 200000
    output_tokens: 128000
    capabilities: {tools: true, forced_tools: true, images: true, documents: true, structured_output: true}
    prices: {source: our own machine, date: 2026-11-22, input: "0.01", output: "0.02", cache_read: "0.001"}
tiers:
  primary: {chain: [claude-sonnet-5-5, gpt-6.1-sol, den-large, claude-haiku-5-5-bedrock], attempt_seconds: 120}
"""
"""A project's own models: an OpenAI-compatible server, and Bedrock, in the chain."""
CATALOG = load(overlay=OWN)
MODELS: dict[str, ModelEntry] = {
    "anthropic": CATALOG.models["claude-sonnet-5-5"],
    "openai": CATALOG.models["gpt-6.1-sol"],
    "compatible": CATALOG.models["den-large"],
    "bedrock": CATALOG.models["claude-haiku-5-5-bedrock"],
}
PROVIDERS = tuple(MODELS)
SIMULATED = {"anthropic": "anthropic", "openai": "openai", "compatible": "openai", "bedrock": "anthropic"}
"""Which of the simulator's providers answers an adapter."""


@pytest.fixture(autouse=True)
def _aws_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a function's role would bring."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    monkeypatch.delenv("AWS_BEARER_TOKEN_BEDROCK", raising=False)


@pytest.fixture(scope="session")
def simulator() -> Iterator[Simulator]:
    with Simulator(seed="contract") as running:
        yield running


@pytest.fixture
def control(simulator: Simulator) -> Iterator[SimulatorControl]:
    client = SimulatorControl(simulator.url)
    client.reset()
    yield client
    client.reset()


@pytest.fixture(scope="session")
def bedrock_fake(simulator: Simulator) -> Iterator[BedrockFake]:
    fake = BedrockFake(simulator.url)
    fake.start()
    yield fake
    fake.stop()


@dataclass
class Adapters:
    """All chat adapters, and the embeddings, of one base URL."""

    url: str
    key: str = KEY
    bedrock_url: str | None = None
    dialect: Dialect = field(default_factory=Dialect)
    anthropic: AnthropicChat = field(init=False)
    openai: OpenAIChat = field(init=False)
    compatible: OpenAICompatibleChat = field(init=False)
    bedrock: BedrockChat = field(init=False)
    embeddings: OpenAIEmbeddings = field(init=False)

    def __post_init__(self) -> None:
        self.anthropic = AnthropicChat(FixedCredentials(self.key, self.url))
        self.openai = OpenAIChat(FixedCredentials(self.key, f"{self.url}/v1"))
        den = ProviderEntry(name="den", kind="openai_compatible", base_url=f"{self.url}/v1", dialect=self.dialect)
        self.compatible = OpenAICompatibleChat(den, FixedCredentials(self.key))
        cloud = ProviderEntry(name="bedrock", kind="bedrock", region=REGION, base_url=self.bedrock_url or self.url)
        self.bedrock = BedrockChat(cloud)
        self.embeddings = OpenAIEmbeddings(FixedCredentials(self.key, f"{self.url}/v1"))

    def close(self) -> None:
        for adapter in (self.anthropic, self.openai, self.compatible, self.bedrock, self.embeddings):
            adapter.close()

    def get_client(self, provider: str) -> ProviderChat:
        found: ProviderChat = getattr(self, provider)
        return found

    @property
    def by_provider(self) -> dict[str, ProviderChat]:
        """As the gateway takes them."""
        return {MODELS[name].provider: self.get_client(name) for name in MODELS}


@pytest.fixture
def adapters(simulator: Simulator, bedrock_fake: BedrockFake) -> Iterator[Adapters]:
    made = Adapters(simulator.url, bedrock_url=bedrock_fake.url)
    yield made
    made.close()


class Desk:
    """A gateway on the wire. Backoff takes no time: what it waits is added to its own clock."""

    def __init__(self, adapters: Adapters, catalog: ModelCatalog | None = None) -> None:
        self.adapters = adapters
        self.ledger = MemoryLedger()
        self.now = NOW.timestamp()
        self.slept: list[float] = []
        self.gateway = Gateway(
            adapters.by_provider,
            catalog or load(),
            self.ledger,
            clock=lambda: self.now,
            sleep=self.sleep,
        )

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.slept.append(seconds)
        self.now += seconds

    def complete(self, request: ChatRequest, seconds: float = 60) -> ChatReply:
        return self.gateway.complete(request, deadline=self.now + seconds)


@pytest.fixture
def desk(adapters: Adapters) -> Desk:
    return Desk(adapters)


Serve = Callable[[Callable[[Request], Response]], Adapters]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Return a function that puts a handler on the wire: for replies that no well-meaning server would send."""
    open_: list[tuple[LoopbackServer, Adapters]] = []

    def start(handler: Callable[[Request], Response]) -> Adapters:
        server = LoopbackServer(handler, name="raw-provider")
        made = Adapters(server.start())
        open_.append((server, made))
        return made

    yield start
    for server, made in open_:
        made.close()
        server.stop()
