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
        there: tuple[str, ...] = ("--from-secret", str(files["pinecone"]), "--to-secret", str(files["postgres"]))
        there = (*there, "--record", str(tmp_path / "records"))
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
        target.delete("acme", ["v007"])  # the stage uses the new store by now
        source.upsert("acme", [many[8].model_copy(update={"vector_id": "v200"})])
        code, said = run(*command, "--switched")
        assert "131 read, 1 copied" in said and "deleted in the other store since the last copy, and left so: 1" in said
        assert list(target.fetch("acme", ["v007", "v200"])) == ["v200"]
        source.delete("acme", ["v200"])
        assert "removed there, as the first store has them no more: 1" in run(*command, "--prune")[1]
        assert not target.fetch("acme", ["v200"])
        target.close()
        source.close()
        there = ("--from-secret", str(files["postgres"]), "--to-secret", str(files["other"]))
        there = (*there, "--record", str(tmp_path / "records"))
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
        (("--from", "postgres", "--to", "pinecone", "--prune", "--switched"), "--prune would remove what was ingested"),
    ],
)
def test_what_can_not_be_meant_is_refused(arguments: tuple[str, ...], message: str) -> None:
    code, said = run("vectors", "migrate", "--tenant", "acme", *arguments)
    assert code == 2
    assert message in said.replace("\n", " ")


def test_without_a_record_of_the_copy_before_the_switch_nothing_is_brought(tmp_path: Path) -> None:
    stores = ("--from", "postgres", "--to", "pinecone", "--switched", "--record", str(tmp_path))
    code, said = run("vectors", "migrate", "--tenant", "acme", *stores)
    assert code == 1
    assert "no record of the copy before the switch" in said
