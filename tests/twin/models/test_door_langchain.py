"""``langchain-openai`` against the door, with only ``base_url`` and ``api_key`` changed."""

from collections.abc import Callable

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel, Field, SecretStr

from tests.twin.stack.world import Stack, Tenant

pytestmark = pytest.mark.twin

Chat = Callable[[str], ChatOpenAI]


@pytest.fixture
def chat(stack: Stack, tenant: Tenant) -> Chat:
    """LangChain's chat model of a name."""
    return lambda model: ChatOpenAI(model=model, base_url=f"{stack.url}/v1", api_key=SecretStr(tenant.token))


@tool
def calculator(expression: str) -> str:
    """Evaluate an arithmetic expression such as 2 * (3 + 4)."""
    return {"17.5 * (3 + 4)": "122.5"}[expression]


class Person(BaseModel):
    """A person."""

    name: str = Field(description="the person's name")
    age: int = Field(description="in years")


def test_invoke_answers_with_usage(chat: Chat) -> None:
    message = chat("primary").invoke("What is 2 + 3?")
    assert "5" in message.text
    assert message.usage_metadata is not None
    assert message.usage_metadata["output_tokens"] > 0


def test_stream_gives_the_answer(chat: Chat) -> None:
    assert "5" in "".join(chunk.text for chunk in chat("fast").stream("What is 2 + 3?"))


def test_bound_tools_make_a_round_trip(chat: Chat) -> None:
    model = chat("primary").bind_tools([calculator])
    question = HumanMessage("What is 17.5 * (3 + 4)?")
    asked = model.invoke([question])
    assert isinstance(asked, AIMessage)
    [call] = asked.tool_calls
    result = calculator.invoke(call)
    assert isinstance(result, ToolMessage)
    assert "122.5" in model.invoke([question, asked, result]).text


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_structured_output_gives_the_pydantic_model(chat: Chat, method: str) -> None:
    model = chat("primary").with_structured_output(Person, method=method)  # type: ignore[arg-type]
    person = model.invoke("Ada is 36 years old. Extract the person.")
    assert isinstance(person, Person)
    assert person.age == 36


def test_embeddings_without_a_tokenizer(stack: Stack, tenant: Tenant) -> None:
    embeddings = OpenAIEmbeddings(
        model="text-embedding-3-small",
        base_url=f"{stack.url}/v1",  # type: ignore[call-arg]  # an alias that mypy does not see
        api_key=SecretStr(tenant.token),
        check_embedding_ctx_length=False,
    )
    assert [len(vector) for vector in embeddings.embed_documents(["a cat", "a dog"])] == [512, 512]
    assert len(embeddings.embed_query("a cat")) == 512
