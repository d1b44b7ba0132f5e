"""What can't be imported on Lambda is told at synth, with its place and the fix; what can is imported once."""

from pathlib import Path

import pytest

from layers import build
from layers.imports import FunctionCode, check_imports

ROOT = Path(__file__).resolve().parents[3]
FINE = '''"""A tool that needs what Lambda has, and asks for more only where it can do without."""

import contextlib
import os
import sys
from typing import TYPE_CHECKING

import boto3
import yaml
from functions.tools._words import WORDS
from pentad.tools.declare import ToolContext, tool

if TYPE_CHECKING:
    import pandas
try:
    import orjson_but_faster
except ImportError:
    orjson_but_faster = None
if sys.version_info < (3, 10):
    import a_backport
elif os.name == "nt":
    import winreg
with contextlib.suppress(ImportError):
    import rapid_but_optional


@tool(effects="none")
def fine(word: str) -> str:
    """Answer."""
    import dateutil.parser
    try:
        import torch
    except ModuleNotFoundError:
        torch = None
    if sys.platform == "win32":
        import winreg
    return WORDS
'''
FILES = {
    "fine": FINE,
    "neighbour": "import json\nfrom functions.tools.fine import fine\n",
    "inner": "def inner():\n    from functions.tools.fine import fine\n    return fine\n",
    "inner_from": "def inner():\n    from functions.tools import fine\n    return fine\n",
    "inner_dot": "def inner():\n    from . import _words as words, neighbour\n    return neighbour\n",
    "inner_call": "import importlib\n\n\ndef inner():\n    return importlib.import_module('functions.tools.fine')\n",
    "lacks_word": "def inner():\n    from functions.tools._words import WORDS, VERBS\n    return VERBS\n",
    "lacks_part": "def inner():\n    from pentad.tools import declare, declared\n    return declared\n",
    "lacks_now": "import json\nfrom functions.tools import fine\n",
    "api_user": "import functions.api.http\n",
    "lacks": "\nimport cfnlint\nimport moto.core\n",
    "lacks_later": "def lacks_later():\n    import aws_cdk\n    from yaml import nothing_checked\n",
    "builder": "from infra.config import Stage\n",
    "commands": "import pentad.cli\n",
    "old": "import cgi\n",
    "mistyped": "from functions.tools._wordz import WORDS\n",
    "raising": "import os\n\nHOME = os.environ['MY_OWN_SETTING']\n",
    "reading": "from pathlib import Path\nTEXT = Path(__file__).with_name('text.md').read_text()\n",
    "leaving": "raise SystemExit(3)\n",
    "broken": "def broken(:\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project of which each tool has its own kind of fault."""
    tools = tmp_path / "functions" / "tools"
    (tmp_path / "functions" / "api").mkdir(parents=True)
    tools.mkdir()
    for path in (tmp_path / "functions" / "__init__.py", tools / "__init__.py"):
        path.touch()
    (tmp_path / "functions" / "api" / "http.py").touch()
    (tools / "_words.py").write_text("import sqlite3\nWORDS = 'words'\n", encoding="utf-8")
    (tools / "text.md").write_text("text", encoding="utf-8")
    for name, text in FILES.items():
        (tools / f"{name}.py").write_text(text, encoding="utf-8")
    return tmp_path


def make_code(root: Path, tmp_path: Path, *names: str) -> list[FunctionCode]:
    """Return tools' functions beside Pentad's own layer and one with two of the packages that are really there."""
    packages = tmp_path / "layer-packages"
    for package in ("yaml", "pydantic", "pydantic_core", "annotated_types", "typing_inspection", "opentelemetry"):
        (packages / "python" / package).mkdir(parents=True, exist_ok=True)
    (packages / "python" / "typing_extensions.py").touch()
    (packages / build.THIRD_PARTY_MARK).touch()
    layers = (packages, build.build_pentad_layer(ROOT))
    return [
        FunctionCode(
            f"tool-{name}",
            build.build_tool_asset(root, [f"functions.tools.{name}"]),
            layers,
            (f"functions.tools.{name}",),
        )
        for name in names
    ]


def test_each_fault_is_a_line_with_place_and_fix_and_missing_packages_are_one(root: Path, tmp_path: Path) -> None:
    with pytest.raises(build.BuildError) as refused:
        check_imports(root, make_code(root, tmp_path, *FILES))
    first, *lines = str(refused.value).split("\n")
    assert first == (
        "packages are in no Lambda layer: 'aws_cdk' (functions/tools/lacks_later.py:2), "
        "'cfnlint' (functions/tools/lacks.py:2), 'moto' (functions/tools/lacks.py:3): "
        "name aws-cdk-lib cfn-lint moto in packages= of @tool; what is not in requirements/tools.in goes there first, "
        "then run 'make lock' and 'make env'"
    )
    told = {line.partition(":")[0].rpartition("/")[2]: line.partition(": ") for line in lines}
    assert len(lines) == len(told)
    said = {name.removesuffix(".py"): (place.rpartition(":")[2], text) for name, (place, _, text) in told.items()}
    move = "move what both need into functions/tools/_name.py"
    wanted = {
        "neighbour": ("2", move),
        "inner": ("2", move),
        "inner_from": ("2", move),
        "inner_dot": ("2", move),
        "inner_call": ("5", move),
        "lacks_word": ("2", "no 'functions.tools._words.VERBS': correct the name"),
        "lacks_part": ("2", "no 'pentad.tools.declared': correct the name"),
        "lacks_now": ("2", "cannot import name 'fine'"),
        "api_user": ("1", move),
        "builder": ("1", "never deployed"),
        "commands": ("1", "never deployed"),
        "old": ("1", "Python 3.13 has no such module"),
        "mistyped": ("1", "correct the name"),
        "raising": ("3", "KeyError: 'MY_OWN_SETTING'"),
        "reading": ("2", "FileNotFoundError"),
        "leaving": ("1", "SystemExit: 3"),
        "broken": ("1", "SyntaxError"),
    }
    assert said.keys() == wanted.keys()
    for name, (line, words) in wanted.items():
        assert said[name][0] == line, name
        assert words in said[name][1], name


@pytest.mark.parametrize(
    ("module", "taken"),
    [
        ("late = 1", "late"),
        ("def late(): ...", "late"),
        ("class late: ...", "late"),
        ("import json as late", "late"),
        ("import late.parts", "late"),
        ("from json import *", "dumps"),
        ("if True:\n    for late in (): ...", "late"),
        ("def make():\n    global late\n    late = 1", "late"),
        ("def __getattr__(name):\n    return name", "late"),
        ("globals().update(late=1)", "late"),
        ("import sys\nsys.modules[__name__].late = 1", "late"),
        ("match 1:\n    case late: ...", "late"),
        ("def broken(:", "late"),
    ],
)
def test_a_name_that_a_module_may_bind_is_taken(root: Path, tmp_path: Path, module: str, taken: str) -> None:
    tools = root / "functions" / "tools"
    (tools / "_words.py").write_text(module, encoding="utf-8")
    (tools / "asks.py").write_text(f"def inner():\n    from functions.tools._words import {taken}\n", encoding="utf-8")
    check_imports(root, make_code(root, tmp_path, "asks"))


def test_a_name_whose_absence_is_expected_is_taken(root: Path, tmp_path: Path) -> None:
    expects = """from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from functions.tools import fine
def inner():
    from yaml import nothing_checked
    try:
        from functions.tools import inner
    except ImportError:
        inner = None
"""
    (root / "functions" / "tools" / "asks.py").write_text(expects, encoding="utf-8")
    check_imports(root, make_code(root, tmp_path, "asks"))


def test_what_can_be_imported_is_noted_and_not_imported_again(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = make_code(root, tmp_path, "fine")
    check_imports(root, code)
    [note] = (root / "build" / "imports").iterdir()
    asset = {path: path.stat().st_mtime_ns for path in code[0].asset.rglob("*")}
    monkeypatch.setattr("layers.imports._probe", lambda layers, functions: pytest.fail("it was imported again"))
    check_imports(root, code)
    # Nothing is written into the asset, which would be another one then.
    assert {path: path.stat().st_mtime_ns for path in code[0].asset.rglob("*")} == asset
    note.unlink()
    with pytest.raises(pytest.fail.Exception):
        check_imports(root, code)


def test_a_function_that_does_not_end_is_told_and_stopped(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "functions" / "tools" / "waiting.py").write_text("import time\ntime.sleep(60)\n", encoding="utf-8")
    (root / "functions" / "tools" / "dying.py").write_text("import os\nos.abort()\n", encoding="utf-8")
    monkeypatch.setattr("layers.imports._FUNCTION_SECONDS", 1)
    with pytest.raises(build.BuildError) as refused:
        check_imports(root, make_code(root, tmp_path, "waiting", "dying"))
    waiting, dying = str(refused.value).split("\n")
    assert waiting.startswith("the function 'tool-waiting': ")
    assert "took more than 1 s" in waiting
    assert "ended the process" in dying


def test_a_function_that_writes_into_its_own_folder_is_told_and_leaves_nothing_there(
    root: Path, tmp_path: Path
) -> None:
    text = "from pathlib import Path\nPath(__file__).with_name('cache.json').write_text('{}')\n"
    (root / "functions" / "tools" / "writing.py").write_text(text, encoding="utf-8")
    code = make_code(root, tmp_path, "writing")
    files = sorted(code[0].asset.rglob("*"))
    with pytest.raises(build.BuildError, match=r"'tool-writing': .*writes 'functions/tools/cache\.json'.*read-only"):
        check_imports(root, code)
    assert sorted(code[0].asset.rglob("*")) == files


def test_more_faults_than_there_is_room_for_are_still_told(root: Path, tmp_path: Path) -> None:
    lines = ["def wanting():", *(f"    import {'wanting' * 20}_{number}" for number in range(400))]
    (root / "functions" / "tools" / "wanting.py").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(build.BuildError, match=r"'wanting.*functions/tools/wanting\.py:2"):
        check_imports(root, make_code(root, tmp_path, "wanting"))


def test_what_is_imported_finds_nothing_of_whoever_deploys(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "deployer")
    text = "import os, pathlib\nraise RuntimeError(sorted(os.environ), pathlib.Path.home().exists())\n"
    (root / "functions" / "tools" / "looking.py").write_text(text, encoding="utf-8")
    with pytest.raises(build.BuildError) as refused:
        check_imports(root, make_code(root, tmp_path, "looking"))
    assert "AWS_DEFAULT_REGION" in str(refused.value)
    assert "AWS_PROFILE" not in str(refused.value)
    assert "], False)" in str(refused.value)
