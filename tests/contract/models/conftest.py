"""The simulator on the wire, the real SDKs behind our adapters, and a gateway with its own ledger."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from pentad.domain.models import ChatReply, ChatRequest
from pentad.local.loopback import LoopbackServer, Request, Response
from pentad.local.simulator import Simulator, SimulatorControl
from pentad.models.adapters.anthropic import AnthropicChat
from pentad.models.adapters.ledger_memory import MemoryLedger
from pentad.models.adapters.openai import OpenAIChat
from pentad.models.adapters.openai_embeddings import OpenAIEmbeddings
from pentad.models.adapters.secrets import FixedCredentials
from pentad.models.catalog import load
from pentad.models.gateway import Gateway
from tests.unit.models.samples import NOW

KEY = "sk-contract-7f3a9c-do-not-show"


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


@dataclass
class Adapters:
    """Both chat adapters, and the embeddings, of one base URL."""

    url: str
    key: str = KEY
    anthropic: AnthropicChat = field(init=False)
    openai: OpenAIChat = field(init=False)
    embeddings: OpenAIEmbeddings = field(init=False)

    def __post_init__(self) -> None:
        self.anthropic = AnthropicChat(FixedCredentials(self.key, self.url))
        self.openai = OpenAIChat(FixedCredentials(self.key, f"{self.url}/v1"))
        self.embeddings = OpenAIEmbeddings(FixedCredentials(self.key, f"{self.url}/v1"))

    def close(self) -> None:
        for adapter in (self.anthropic, self.openai, self.embeddings):
            adapter.close()


@pytest.fixture
def adapters(simulator: Simulator) -> Iterator[Adapters]:
    made = Adapters(simulator.url)
    yield made
    made.close()


class Desk:
    """A gateway on the simulator. Backoff takes no time: what it waits is added to its own clock."""

    def __init__(self, adapters: Adapters) -> None:
        self.ledger = MemoryLedger()
        self.now = NOW.timestamp()
        self.gateway = Gateway(
            {"anthropic": adapters.anthropic, "openai": adapters.openai},
            load(),
            self.ledger,
            clock=lambda: self.now,
            sleep=self._sleep,
        )

    def _sleep(self, seconds: float) -> None:
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
