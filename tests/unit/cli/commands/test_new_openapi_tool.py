"""`pentad new tool --openapi`: one operation of a document becomes a tool that loads, and a test that passes."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pentad.cli.main import app
from pentad.tools.declare.discovery import load_tool
from tests.unit.tools.openapi.shop import SHOP

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Yield an empty project, whose tools can be imported in the place of this one's."""
    for folder in ("infra", "functions/tools", "requirements"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "cdk.json").write_text("{}", encoding="utf-8")
    (tmp_path / "shop.yaml").write_text(SHOP, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    import functions.tools as package

    monkeypatch.setattr(package, "__path__", [str(tmp_path / "functions/tools"), *package.__path__])
    known = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - known:
        del sys.modules[name]


def write(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["new", "tool", *arguments])
    return done.exit_code, " ".join(done.output.split())


def test_each_operation_becomes_a_tool_that_loads_and_a_test_that_passes(project: Path) -> None:
    operations = ("listOrders", "createOrder", "getOrder", "deleteOrder", "PATCH /orders/{order_id}")
    for number, operation in enumerate(operations):
        secret = [] if number == 4 else ["--secret", "shop"]
        arguments = [f"order_{number}", "--openapi", "shop.yaml", "--operation", operation]
        code, said = write(*arguments, *secret)
        assert code == 0, said
        made = load_tool(f"functions.tools.order_{number}")
        assert list(made.egress) == ["https://eu.shop.example"]
        assert list(made.secrets) == ([] if number == 4 else ["shop"])
        test = project / f"tests/unit/functions/tools/test_order_{number}.py"
        scope: dict[str, Any] = {}
        exec(compile(test.read_text(encoding="utf-8"), str(test), "exec"), scope)  # noqa: S102  (what was just written)
        [check] = [value for name, value in scope.items() if name.startswith("test_")]
        check()
    shown = ["--config", str(ROOT / "pyproject.toml"), "functions/tools", "tests"]
    first_party = ["--config", "lint.isort.known-first-party=['pentad', 'functions']"]
    for command in (["check", "--quiet", *first_party], ["format", "--check", "--quiet"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, *shown], cwd=project, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--openapi", "shop.yaml"], "go together"),
        (["--operation", "listOrders"], "go together"),
        (["--openapi", "shop.yaml", "--operation", "listOrders", "--host", "x.example"], "the document says"),
        (["--openapi", "none.yaml", "--operation", "listOrders"], "can't be read"),
        (["--openapi", "shop.yaml", "--operation", "nothing"], "no operation 'nothing'"),
        (["--openapi", "shop.yaml", "--operation", "upload"], "multipart/form-data"),
        (["--openapi", "shop.yaml", "--operation", "listOrders"], "--secret NAME"),
        (
            ["--openapi", "shop.yaml", "--operation", "PATCH /orders/{order_id}", "--secret", "shop"],
            "leave out --secret",
        ),
        (["--openapi", "shop.yaml", "--operation", "listOrders", "-d", "Lists."], "--description can't be used"),
        (["--openapi", "cdk.json", "--operation", "listOrders"], "does not say 'openapi: 3...'"),
    ],
)
def test_what_can_not_be_a_tool_is_told_and_nothing_is_written(project: Path, arguments: list[str], told: str) -> None:
    code, said = write("an_order", *arguments)
    assert code != 0 and told in said
    assert not (project / "functions/tools/an_order.py").exists()
