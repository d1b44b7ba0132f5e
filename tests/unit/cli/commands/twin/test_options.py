"""What Pentad tells the twin about itself."""

from pathlib import Path

import pytest

from pentad.cli.commands.twin.options import (
    SECRETS_FILE,
    STAND_INS,
    make_options,
    read_dimension,
    read_tool_secrets,
)
from pentad.domain.errors import ConfigurationError
from pentad.models.catalog.catalog import load
from tests.secrets_watch import MARK
from twin.deploy.assembly import Assembly, FileAsset, Stack

_OWN = "tiers: {embeddings: {chain: [text-embedding-3-small], dimensions: 256}}\n"


def an_assembly(*assets: Path) -> Assembly:
    files = {path.name: FileAsset(path.name, path) for path in assets}
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


def test_secrets_of_tools_come_from_a_file_by_declared_or_full_name(tmp_path: Path) -> None:
    assert read_tool_secrets(tmp_path) == {}
    text = '{"smtp": {"user": "a", "port": 25}, "hook": "https://x", "shared/erp/acme": "k"}'
    (tmp_path / SECRETS_FILE).write_text(text)
    options = make_options(tool_secrets=read_tool_secrets(tmp_path))
    assert options.secrets == {
        **STAND_INS,
        "pentad-dev/tools/smtp": '{"user": "a", "port": 25}',
        "pentad-dev/tools/hook": "https://x",
    }
    assert options.more_secrets == {"shared/erp/acme": "k"}


@pytest.mark.parametrize("text", [f"{{{MARK}", f'["{MARK}"]', f'{{"smtp": ["{MARK}"]}}', '{"smtp": ""}', '{"smtp": 5}'])
def test_a_file_that_cannot_be_read_is_told_without_what_is_in_it(tmp_path: Path, text: str) -> None:
    (tmp_path / SECRETS_FILE).write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        read_tool_secrets(tmp_path)
    assert SECRETS_FILE in caught.value.message
    assert MARK not in f"{caught.value} {caught.value.fix}"
