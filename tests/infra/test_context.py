"""The context of ``cdk.json``: what is wrong with it is told in one line, and no key is passed over for a slip."""

from pathlib import Path

import pytest
from aws_cdk import App

from infra.config import read_stage
from infra.context import read_context
from pentad.domain.errors import ConfigurationError

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'{"context": {\n"stage": }}', "cdk.json:2: not JSON: Expecting value"),
        (b'{"context": {"cors": {}, "cors": {}}}', "cdk.json: 'cors' is defined twice"),
        (b'{"context": []}', "cdk.json: context: must be an object"),
        (b"[]", "cdk.json is not an object"),
        (b'{"app": "gr\xfc"}', "cdk.json is not UTF-8"),
        (b"[" * 200_000, "cdk.json nests too deep"),
    ],
)
def test_a_file_that_can_not_be_read_is_told_in_one_line(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "cdk.json").write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        read_context(tmp_path)
    assert caught.value.message.startswith(told)
    assert caught.value.fix


def test_a_file_is_read_with_the_mark_of_an_editor_and_without_a_context(tmp_path: Path) -> None:
    (tmp_path / "cdk.json").write_bytes(b'\xef\xbb\xbf{"context": {"cors": {}}}')
    assert read_context(tmp_path) == {"cors": {}}
    (tmp_path / "cdk.json").write_bytes(b"{}")
    assert read_context(tmp_path) == {}


@pytest.mark.parametrize(
    ("key", "meant"),
    [("alert", "alerts"), ("notice", "notices"), ("vector-store", "vector_store"), ("stge", "stage"), ("CORS", "cors")],
)
def test_a_key_of_ours_with_a_slip_is_told_and_not_passed_over(key: str, meant: str) -> None:
    with pytest.raises(ConfigurationError, match=f"nothing reads '{key}'") as caught:
        read_stage(App(context={key: "prod"}))
    assert caught.value.fix == f"do you mean '{meant}'?"


def test_keys_of_the_cdk_and_of_a_projects_own_constructs_are_no_slips() -> None:
    own = {"availability-zones:account=1:region=eu-west-1": ["a"], "domain": "example.com", "vpc": "vpc-1"}
    assert read_stage(App(context=read_context(ROOT) | own)).name == "dev"
