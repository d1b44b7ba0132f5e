"""Rooms: a folder holds few modules, and its ports stand beside its adapters."""

from pathlib import Path

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
