"""How commands fail."""

import json
import tomllib
from pathlib import Path

import pytest
import typer

from pentad.cli import console
from pentad.cli.client import ProblemError
from pentad.cli.console import CommandError, format_error, handle_errors, print_traceback, read_text, write_text
from pentad.domain.errors import InvalidInput


def test_a_refusal_names_status_field_and_fix() -> None:
    problem = {"detail": "no chat model has that name", "field": "tier", "fix": "use one of a, b"}
    assert str(ProblemError(400, problem)) == "400: tier: no chat model has that name (use one of a, b)"


@pytest.mark.parametrize(
    ("message", "field", "said"),
    [
        ("no such run", "run", "no such run"),
        ("nothing can follow that", "at", "at: nothing can follow that"),
        ("no", None, "no"),
    ],
)
def test_the_field_is_named_where_the_message_has_no_such_word(message: str, field: str | None, said: str) -> None:
    assert format_error(message, field, None) == said


def test_a_fix_that_the_message_has_said_is_not_said_again() -> None:
    assert format_error("at: should be an integer", "at", "should be an integer") == "at: should be an integer"


@pytest.mark.parametrize("error", [CommandError("no agent [/x]"), InvalidInput("no agent [/x]", field="agent")])
def test_what_was_typed_is_told_as_it_is_and_never_read_as_markup(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit), handle_errors():
        raise error
    assert capsys.readouterr().err == "error: no agent [/x]\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "No such file or directory"), (b"\xff", "it is not UTF-8 text")],
)
def test_a_file_that_can_not_be_read_is_told_by_name_and_reason(
    content: bytes | None, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "prompt.md"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CommandError, match=f"can't read '.*prompt.md': {said}"):
        read_text(path)


def test_a_key_that_is_not_accepted_is_told_with_where_it_came_from() -> None:
    assert "--key" in str(ProblemError(401, {"message": "Unauthorized"}))


def test_a_traceback_shows_what_its_message_hides(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise ValueError("no \x1b[2J\u202eagent")
    except ValueError as error:
        print_traceback(type(error), error, error.__traceback__)
    shown = capsys.readouterr().err
    assert shown.startswith("Traceback (most recent call last):\n")
    assert shown.endswith("ValueError: no \\u001b[2J\\u202eagent\n")


def test_a_file_is_written_with_its_folders_and_told_where_it_can_not_be(tmp_path: Path) -> None:
    write_text(tmp_path / "new" / "run.json", "{}")
    assert (tmp_path / "new" / "run.json").read_text() == "{}"
    with pytest.raises(CommandError, match=r"can't write .*: Is a directory"):
        write_text(tmp_path / "new", "{}")


@pytest.mark.parametrize(("said", "agreed"), [("y", True), (" YES ", True), ("n", False), ("", False), ("yess", False)])
def test_only_a_yes_is_a_yes(said: str, agreed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def answer(prompt: str) -> str:
        asked.append(prompt)
        return said

    monkeypatch.setattr(console.ERR, "ask", answer)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    if agreed:
        console.confirm("Delete it?")
    else:
        with pytest.raises(CommandError, match="nothing was done"):
            console.confirm("Delete it?")
    assert asked == ["Delete it? [y/N] "]


@pytest.mark.parametrize(("json", "terminal"), [(True, True), (False, False)])
def test_where_nobody_can_be_asked_nothing_is_done(json: bool, terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console.OPTIONS, "json", json)
    monkeypatch.setattr("sys.stdin.isatty", lambda: terminal, raising=False)
    with pytest.raises(CommandError, match="pass --yes") as refused:
        console.confirm("Delete it?")
    assert refused.value.code == 2


def test_the_pages_that_an_error_names_are_told_with_their_files(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(typer.Exit), console.handle_errors():
        raise InvalidInput("it is wrong", field="signed", fix="send it, as docs/security.md and docs/tools/mcp.md say")
    shown = " ".join(capsys.readouterr().err.split())
    for page in ("docs/security.md", "docs/tools/mcp.md"):
        path = console.find_pages(page)[page]
        assert path.read_text(encoding="utf-8").startswith("# ")
        assert f"{page} is {path}" in shown
    monkeypatch.setattr(console.OPTIONS, "json", True)
    with pytest.raises(typer.Exit), console.handle_errors():
        raise console.CommandError("see docs/erasure.md")
    told = json.loads(capsys.readouterr().out)
    assert list(told["pages"]) == ["docs/erasure.md"]


def test_an_installed_package_has_its_own_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pages" / "tools").mkdir(parents=True)
    page = tmp_path / "pages" / "tools" / "mcp.md"
    page.write_text("# MCP", encoding="utf-8")
    monkeypatch.setattr(console, "_PAGES", (tmp_path / "pages", tmp_path / "gone"))
    assert console.find_pages("see docs/tools/mcp.md.") == {
        "docs/tools/mcp.md": tmp_path / "pages" / "tools" / "mcp.md"
    }
    assert console.find_pages("see docs/security.md") == {}
    built = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]["targets"]
    assert built["wheel"]["force-include"] == {"docs": "pentad/pages"}


@pytest.mark.parametrize(
    "text", ["docs/../../etc/passwd.md", "docs//etc/x.md", "mydocs/security.md", "docs/.md", "docs/x.txt"]
)
def test_what_is_no_page_is_no_file(text: str) -> None:
    assert console.find_pages(f"see {text}") == {}


@pytest.mark.parametrize(("there", "told"), [(2, ""), (3, ""), (4, "There are more: only 3 are listed.")])
def test_a_list_that_is_cut_says_so(there: int, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert console.cut_list(iter(range(there)), 3) == list(range(min(there, 3)))
    assert capsys.readouterr().err.strip() == told
