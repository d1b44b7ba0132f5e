"""What Pentad tells the twin about itself."""

from pathlib import Path

from pentad.cli.commands.twin.options import STAND_INS, make_options, read_dimension
from pentad.models.catalog.catalog import load
from twin.deploy.assembly import Assembly, FileAsset, Stack

_OWN = "tiers: {embeddings: {chain: [text-embedding-3-small], dimensions: 256}}\n"


def an_assembly(*assets: Path) -> Assembly:
    files = {path.name: FileAsset(path.name, path, (path.name,)) for path in assets}
    return Assembly(Path("cdk.out"), (Stack("state", "state", {}, (), files),))


def test_without_keys_the_stand_ins_answer_for_every_provider() -> None:
    assert make_options().secrets == STAND_INS


def test_a_provider_with_a_real_key_is_called_for_real() -> None:
    secrets = make_options(provider_keys={"openai": "k", "gemini": "g", "anthropic": ""}).secrets
    assert secrets == {**STAND_INS, "openai": {"api_key": "k"}, "gemini": {"api_key": "g"}}


def test_the_index_has_the_dimensions_of_the_embedding_model() -> None:
    assert read_dimension(an_assembly()) == load().route(task="embed").dimensions


def test_the_assemblys_own_catalog_is_read(tmp_path: Path) -> None:
    package = tmp_path / "layer" / "python" / "pentad_catalog"
    package.mkdir(parents=True)
    (package / "models.yaml").write_text(_OWN)
    assert read_dimension(an_assembly(tmp_path / "layer")) == 256
