"""Read a CDK cloud assembly (``cdk.out``): stacks in dependency order, their templates and their file assets."""

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from twin.deploy.nested import NestedStackError, inline_nested
from twin.private_files import unpack_private

JsonObject = dict[str, Any]


class AssemblyError(Exception):
    """The folder is not a cloud assembly that can be deployed; the message names the file and the reason."""


@dataclass(frozen=True)
class FileAsset:
    """A file asset: `path` is a folder used in place, or a file; `archive` tells that the file is a zip."""

    id: str
    path: Path

    @property
    def archive(self) -> bool:
        """Whether the asset is a zip file rather than a folder or a plain file."""
        return self.path.is_file() and zipfile.is_zipfile(self.path)

    def resolve_directory(self, scratch: Path) -> Path:
        """Return a folder with the asset's content: itself, or the zip unpacked once under `scratch`.

        Raises:
            AssemblyError: the asset is neither a folder nor a zip file.
        """
        if self.path.is_dir():
            return self.path
        if not self.archive:
            raise AssemblyError(f"asset '{self.id}': '{self.path.name}' is neither a folder nor a zip file")
        target = scratch / self.id
        if not target.is_dir():
            partial = scratch / f"{self.id}.partial"
            with zipfile.ZipFile(self.path) as archive:
                unpack_private(archive, partial)
            partial.rename(target)
        return target


@dataclass(frozen=True)
class Stack:
    """One stack of the assembly: its CloudFormation name, template and the stacks it needs first."""

    artifact_id: str
    name: str
    template: JsonObject
    dependencies: tuple[str, ...] = ()
    assets: Mapping[str, FileAsset] = field(default_factory=dict)

    def find_asset(self, object_key: str) -> FileAsset | None:
        """Return the asset published under `object_key` of the bootstrap bucket, or None."""
        return self.assets.get(object_key)


@dataclass(frozen=True)
class Assembly:
    """A cloud assembly: stacks, each after those it depends on."""

    directory: Path
    stacks: tuple[Stack, ...]

    def count_resources(self, kind: str) -> int:
        """Return how many resources of a type, such as ``AWS::Lambda::Function``, all stacks have."""
        every = (resource for stack in self.stacks for resource in stack.template.get("Resources", {}).values())
        return sum(resource.get("Type") == kind for resource in every)


def read_assembly(directory: Path) -> Assembly:
    """Read the assembly in `directory`, nested assemblies (CDK stages) included.

    Raises:
        AssemblyError: a file is missing or malformed, or the stacks depend on each other in a circle.
    """
    directory = directory.resolve()
    stacks = {stack.artifact_id: stack for stack in _read_stacks(directory)}
    if not stacks:
        raise AssemblyError(f"'{directory}/manifest.json' names no CloudFormation stack: run `cdk synth` again")
    graph = {key: [d for d in stack.dependencies if d in stacks] for key, stack in stacks.items()}
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise AssemblyError(f"{directory}: stacks depend on each other: {error.args[1]}") from error
    return Assembly(directory, tuple(stacks[key] for key in order))


def _read_stacks(directory: Path) -> list[Stack]:
    artifacts = _read_json(directory / "manifest.json").get("artifacts", {})
    found: list[Stack] = []
    for artifact_id, artifact in artifacts.items():
        properties = artifact.get("properties", {})
        if artifact["type"] == "aws:cloudformation:stack":
            found.append(_read_stack(directory, artifact_id, artifact, artifacts))
        elif artifact["type"] == "cdk:cloud-assembly":
            found.extend(_read_stacks(directory / properties["directoryName"]))
    return found


def _read_stack(directory: Path, artifact_id: str, artifact: JsonObject, artifacts: JsonObject) -> Stack:
    properties = artifact["properties"]
    assets: dict[str, FileAsset] = {}
    for dependency in artifact.get("dependencies", []):
        other = artifacts.get(dependency, {})
        if other.get("type") == "cdk:asset-manifest":
            assets.update(_read_file_assets(directory, other["properties"]["file"]))
    return Stack(
        artifact_id=artifact_id,
        name=properties.get("stackName", artifact_id),
        template=_read_template(directory / properties["templateFile"], assets),
        dependencies=tuple(artifact.get("dependencies", [])),
        assets=assets,
    )


def _read_template(path: Path, assets: Mapping[str, FileAsset]) -> JsonObject:
    """Return a stack's template with those of its nested stacks in it."""

    def read_nested(object_key: str) -> JsonObject:
        if object_key not in assets:
            raise AssemblyError(
                f"'{path.name}': the template '{object_key}' of a nested stack is not an asset of the stack"
            )
        return _read_json(assets[object_key].path)

    try:
        return inline_nested(_read_json(path), read_nested)
    except NestedStackError as error:
        raise AssemblyError(f"'{path.name}': {error}") from error


def _read_file_assets(directory: Path, manifest: str) -> dict[str, FileAsset]:
    assets: dict[str, FileAsset] = {}
    for asset_id, entry in _read_json(directory / manifest).get("files", {}).items():
        source = entry.get("source", {})
        if "path" not in source:
            raise AssemblyError(f"{manifest}: asset {asset_id} has no path (executables are not supported)")
        keys = tuple(destination["objectKey"] for destination in entry["destinations"].values())
        asset = FileAsset(asset_id, directory / source["path"])
        assets.update(dict.fromkeys(keys, asset))
    return assets


def _read_json(path: Path) -> JsonObject:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise AssemblyError(f"'{path}' is missing: run `cdk synth` first") from error
    except (ValueError, RecursionError) as error:
        raise AssemblyError(f"'{path}' is not valid JSON ({error}): run `cdk synth` again") from error
    if not isinstance(content, dict):
        raise AssemblyError(f"'{path}' is not a JSON object: run `cdk synth` again")
    return content
