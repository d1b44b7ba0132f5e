"""What a function's asset holds."""

from pathlib import Path

from layers import build


def test_a_tools_asset_holds_its_module_and_the_code_that_tools_share(tmp_path: Path) -> None:
    tools = tmp_path / "functions" / "tools"
    tools.mkdir(parents=True)
    for path in (tools / "__init__.py", tools / "mine.py", tools / "other.py", tools / "_shared.py"):
        path.write_text(f'"""{path.stem}."""\n')
    (tmp_path / "functions" / "__init__.py").touch()
    asset = build.build_tool_asset(tmp_path, ["functions.tools.mine"])
    assert {path.relative_to(asset).as_posix() for path in asset.rglob("*.py")} == {
        "functions/__init__.py",
        "functions/tools/__init__.py",
        "functions/tools/_shared.py",
        "functions/tools/mine.py",
    }
