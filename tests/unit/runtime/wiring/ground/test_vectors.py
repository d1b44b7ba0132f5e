"""The vector store that the deployment chose."""

import subprocess
import sys
from typing import Any, get_args

import pytest

from pentad.domain.errors import ConfigurationError
from pentad.memory.retrieval.ports import VectorStoreName
from pentad.runtime.wiring.ground.vectors import open_vectors


@pytest.mark.parametrize("name", get_args(VectorStoreName))
def test_every_store_that_can_be_chosen_is_made_without_its_secret(name: VectorStoreName) -> None:
    def read() -> dict[str, str]:
        raise AssertionError("a secret is read with the first call")

    one = open_vectors(name, read, bucket="pentad-dev-vectors")
    other = open_vectors(name, read, bucket="pentad-dev-vectors")
    assert type(one) is type(other)


def test_each_name_is_another_store() -> None:
    made = {type(open_vectors(name, dict)) for name in get_args(VectorStoreName)}
    assert len(made) == len(get_args(VectorStoreName))


def test_a_name_that_there_is_not_is_refused() -> None:
    unknown: Any = "oracle"
    with pytest.raises(ConfigurationError, match="oracle"):
        open_vectors(unknown, dict)


@pytest.mark.parametrize("name", ["postgres", "weaviate"])
def test_a_choice_imports_no_other_store_and_no_driver(name: str) -> None:
    code = (
        f"import sys; from pentad.runtime.wiring.ground.vectors import open_vectors; open_vectors('{name}', dict);"
        "print([n for n in ('psycopg', 'pinecone', 'httpx2', 'grpc') if n in sys.modules],"
        "sorted(n for n in sys.modules if '.adapters.vectors_' in n))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True).stdout
    assert said.strip() == f"[] ['pentad.memory.retrieval.adapters.vectors_{name}']"
