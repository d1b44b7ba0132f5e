"""A cloud assembly is read with its stacks in order and its assets in place."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from twin.deploy.assembly import AssemblyError, read_assembly


def write(folder: Path, stacks: dict[str, list[str]], files: dict[str, Any] | None = None) -> Path:
    artifacts: dict[str, Any] = {}
    for name, needs in stacks.items():
        (folder / f"{name}.template.json").write_text(json.dumps({"Resources": {}}))
        (folder / f"{name}.assets.json").write_text(json.dumps({"files": files or {}}))
        artifacts[f"{name}.assets"] = {
            "type": "cdk:asset-manifest",
            "properties": {"file": f"{name}.assets.json"},
        }
        artifacts[name] = {
            "type": "aws:cloudformation:stack",
            "properties": {"templateFile": f"{name}.template.json", "stackName": f"app-{name}"},
            "dependencies": [*needs, f"{name}.assets"],
        }
    (folder / "manifest.json").write_text(json.dumps({"version": "53.0.0", "artifacts": artifacts}))
    return folder


def asset(path: str, key: str) -> dict[str, Any]:
    return {"source": {"path": path, "packaging": "zip"}, "destinations": {"here": {"objectKey": key}}}


def test_stacks_come_after_those_they_need(tmp_path: Path) -> None:
    found = read_assembly(write(tmp_path, {"agent": ["state"], "state": []}))
    assert [stack.name for stack in found.stacks] == ["app-state", "app-agent"]


def test_resources_of_all_stacks_are_counted_by_their_type(tmp_path: Path) -> None:
    folder = write(tmp_path, {"a": [], "b": [], "c": []})
    resources = {"f": {"Type": "AWS::Lambda::Function"}, "g": {"Type": "AWS::Lambda::Function"}}
    for name, template in (
        ("a", {"Resources": resources}),
        ("b", {"Resources": {"f": resources["f"]}}),
        ("c", {"Resources": {}}),
    ):
        (folder / f"{name}.template.json").write_text(json.dumps(template))
    found = read_assembly(folder)
    assert found.count_resources("AWS::Lambda::Function") == 3
    assert found.count_resources("AWS::S3::Bucket") == 0


def test_folder_asset_is_used_in_place(tmp_path: Path) -> None:
    (tmp_path / "asset.a").mkdir()
    found = read_assembly(write(tmp_path, {"s": []}, {"a": asset("asset.a", "a.zip")}))
    wanted = found.stacks[0].find_asset("a.zip")
    assert wanted is not None
    assert wanted.resolve_directory(tmp_path / "scratch") == (tmp_path / "asset.a").resolve()


def test_zip_asset_is_unpacked_once(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "asset.b.zip", "w") as archive:
        archive.writestr("index.py", "x = 1")
    found = read_assembly(write(tmp_path, {"s": []}, {"b": asset("asset.b.zip", "b.zip")}))
    wanted = found.stacks[0].find_asset("b.zip")
    assert wanted is not None
    first = wanted.resolve_directory(tmp_path / "scratch")
    assert (first / "index.py").read_text() == "x = 1"
    assert wanted.resolve_directory(tmp_path / "scratch") == first


def test_nested_assembly_of_a_stage_is_read(tmp_path: Path) -> None:
    inner = tmp_path / "assembly-dev"
    inner.mkdir()
    write(inner, {"s": []})
    nested = {"dev": {"type": "cdk:cloud-assembly", "properties": {"directoryName": "assembly-dev"}}}
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": nested}))
    assert [stack.name for stack in read_assembly(tmp_path).stacks] == ["app-s"]


def test_missing_assembly_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(AssemblyError, match="cdk synth"):
        read_assembly(tmp_path)


def test_circle_of_stacks_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AssemblyError, match="depend on each other"):
        read_assembly(write(tmp_path, {"a": ["b"], "b": ["a"]}))
