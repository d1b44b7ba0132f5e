"""`pentad vectors migrate` between real stores: from Pinecone's protocol to PostgreSQL, and back."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pentad.cli.main import app
from pentad.memory.retrieval.adapters.vectors_pinecone import PineconeVectors
from pentad.memory.retrieval.adapters.vectors_postgres import PostgresVectors
from pentad.memory.retrieval.ports import SearchRequest, Vector, VectorStore
from tests.contract.memory.vector_stores import SCHEMA
from twin.vectors import LocalIndex

pytestmark = pytest.mark.xdist_group("postgres")

TEXTS = ("Überweisungen werden geprüft", "客户可以冻结银行卡", "the overdraft of an account")


def run(*arguments: str) -> Any:
    result = CliRunner(env={"COLUMNS": "200"}).invoke(app, [*arguments])
    return result.exit_code, result.output


def find(store: VectorStore, text: str) -> list[str]:
    return [one.vector_id for one in store.search("acme", SearchRequest(k=5, text=text, where={"kind": "document"}))]


def test_vectors_go_to_postgres_and_back_and_are_found_there(tmp_path: Path, postgres_url: str) -> None:
    many = [
        Vector(
            vector_id=f"v{n:03}",
            values=(1, n, 0.5),
            text=TEXTS[n] if n < 3 else f"passage {n}",
            metadata={"kind": "document", "readers": ["*", "user:ada"], "start": n, "note": "é"},
        )
        for n in range(130)
    ]
    files = {name: tmp_path / f"{name}.json" for name in ("pinecone", "other", "postgres")}
    files["postgres"].write_text(json.dumps({"url": postgres_url}))
    with LocalIndex(tmp_path / "a.sqlite", 3, schema=SCHEMA) as one, LocalIndex(tmp_path / "b.sqlite", 3) as other:
        for name, index, kind in (("pinecone", one, "documents"), ("other", other, "vectors")):
            secret = {"api_key": "local", "index_host": index.url, "index_kind": kind}
            files[name].write_text(json.dumps(secret))
        source = PineconeVectors(lambda: json.loads(files["pinecone"].read_text()))
        source.upsert("acme", many)
        source.upsert("rival", many[:1])
        there = ("--from-secret", str(files["pinecone"]), "--to-secret", str(files["postgres"]))
        command = ("vectors", "migrate", "--from", "pinecone", "--to", "postgres", "--tenant", "acme", *there)
        code, said = run("--json", *command, "--dry-run")
        assert (code, json.loads(said)[0]["copied"], json.loads(said)[0]["verified"]) == (0, 130, None)
        code, said = run("--json", *command)
        [moved] = json.loads(said)
        assert (code, moved["read"], moved["copied"], moved["verified"], moved["extra"]) == (0, 130, 130, True, 0)
        code, said = run(*command)
        assert "130 read, 0 copied, 130 there already" in said
        target = PostgresVectors(lambda: {"url": postgres_url})
        assert [find(target, text) for text in ("uberweisungen", "银行卡", "overdrafts")] == [
            ["v000"],
            ["v001"],
            ["v002"],
        ]
        assert target.fetch("acme", ["v007"])["v007"].metadata == many[7].metadata
        assert target.list_ids("rival").items == ()
        target.close()
        source.close()
        there = ("--from-secret", str(files["postgres"]), "--to-secret", str(files["other"]))
        code, said = run("vectors", "migrate", "--from", "postgres", "--to", "pinecone", "--tenant", "acme", *there)
        assert code == 0, said
        back = PineconeVectors(lambda: json.loads(files["other"].read_text()))
        assert back.fetch("acme", ["v007"])["v007"].metadata == many[7].metadata
        back.close()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--from", "pinecone", "--to", "pinecone"), "same store"),
        (("--from", "pinecone", "--to", "oracle"), "no vector store 'oracle'"),
        (("--from", "postgres", "--to", "pinecone", "--from-secret", "/missing.json"), "can't read"),
    ],
)
def test_what_can_not_be_meant_is_refused(arguments: tuple[str, ...], message: str) -> None:
    code, said = run("vectors", "migrate", "--tenant", "acme", *arguments)
    assert code == 2
    assert message in said.replace("\n", " ")
