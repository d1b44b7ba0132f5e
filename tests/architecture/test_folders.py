"""Rooms: a folder holds few modules, its ports stand beside its adapters, and the docs list them all."""

import itertools
import re
from pathlib import Path

import pytest

MOST = 12
"""Modules of a folder, its subfolders (``adapters`` among them) not counted."""


def test_no_folder_holds_more_modules_than_one_can_overlook(root: Path) -> None:
    crowded = {}
    for tree in ("shared", "twin", "infra", "functions", "layers"):
        for folder in [root / tree, *(root / tree).rglob("*")]:
            if not folder.is_dir() or folder.name == "adapters":
                continue
            modules = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
            if len(modules) > MOST:
                crowded[folder.relative_to(root).as_posix()] = len(modules)
    assert crowded == {}


def test_adapters_stand_beside_the_ports_they_serve(root: Path) -> None:
    alone = [
        folder.relative_to(root).as_posix()
        for folder in (root / "shared" / "pentad").rglob("adapters")
        if any(folder.glob("*.py")) and not (folder.parent / "ports.py").is_file()
    ]
    assert alone == []


_ROOM = re.compile(r"`(\w+)/`")


@pytest.mark.parametrize("layer", ["models", "orchestration", "memory", "tools", "observability"])
def test_the_page_of_a_layer_lists_its_rooms(root: Path, layer: str) -> None:
    lines = (root / "docs" / "layers" / f"{layer}.md").read_text(encoding="utf-8").splitlines()
    begins = next(number for number, line in enumerate(lines) if line.startswith("| room"))
    listed = {
        name
        for line in itertools.takewhile(lambda line: line.startswith("|"), lines[begins + 1 :])
        for name in _ROOM.findall(line.split("|")[1])
    }
    folders = (root / "shared" / "pentad" / layer).iterdir()
    rooms = {one.name for one in folders if one.is_dir() and any(one.glob("*.py"))} - {"adapters"}
    assert listed == rooms
