"""The next release of an assembly: another prompt, as a synth after an edit of prompt.md would give it."""

import hashlib
import json
import re
import shutil
from pathlib import Path
from typing import Any

Json = dict[str, Any]

_CATALOG = "Pentad: catalog"


def next_release(out: Path, folder: Path, *, agent: str, prompt: str) -> Path:
    """Write the release in which one agent has another prompt, and return its folder.

    Args:
        out: the assembly that runs; its assets stay where they are.
        folder: where the new one goes.
        agent: the agent.
        prompt: its new prompt.
    """
    folder.mkdir()
    [name] = [path.name for path in out.glob("*-agent.template.json")]
    template: Json = json.loads((out / name).read_text(encoding="utf-8"))
    old = _catalog_key(template)
    changed = json.loads(_catalog_file(out / f"asset.{old}").read_text(encoding="utf-8"))
    changed["agents"][agent]["prompt"] = prompt
    text = json.dumps(changed, indent=1)
    new = hashlib.sha256(text.encode()).hexdigest()
    shutil.copytree(out / f"asset.{old}", folder / f"asset.{new}")
    _catalog_file(folder / f"asset.{new}").write_text(text, encoding="utf-8")
    for path in out.iterdir():
        if path.name.startswith("asset.") and path.name != f"asset.{old}":
            (folder / path.name).symlink_to(path)
        elif path.is_file() and path.suffix == ".json":
            content = path.read_text(encoding="utf-8").replace(old, new)
            (folder / path.name).write_text(_versions_renamed(content, template), encoding="utf-8")
    return folder


def _catalog_key(template: Json) -> str:
    layers = [body["Properties"] for body in template["Resources"].values() if body["Type"].endswith("LayerVersion")]
    [key] = [one["Content"]["S3Key"] for one in layers if one["Description"] == _CATALOG]
    return str(key).removesuffix(".zip")


def _catalog_file(asset: Path) -> Path:
    return asset / "python" / "pentad_catalog" / "catalog.json"


def _versions_renamed(content: str, template: Json) -> str:
    """Give each published function version another id: the CDK derives it from the function's code and layers."""
    for logical_id, body in template["Resources"].items():
        if body["Type"] == "AWS::Lambda::Version":
            content = re.sub(rf"\b{logical_id}\b", f"{logical_id}next", content)
    return content
