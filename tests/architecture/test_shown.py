"""Text from outside meets a renderer in few places, each of which marks or escapes it: a new place can't forget to."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.trees import read_tree

SCREEN = "screen.py"
# What of rich neither prints nor reads markup.
LAYOUT = {"rich.console": {"Group", "RenderableType"}, "rich.text": {"Text"}}
# Where a string is put into a page, a chat or a mail: the modules that may, and do it by `pentad.domain.display`.
PAGES = {"shared/pentad/cli/commands/runs/trace_page.py", "shared/pentad/cli/commands/twin/docs_ui.py"}
SENDERS = {
    # Subscribes a queue to the topics of a twin's alarms: it sends nothing.
    "shared/pentad/cli/commands/operations/drill.py",
    # Spans only, which hold nobody's words.
    "shared/pentad/observability/export/adapters/sender_http.py",
    "shared/pentad/orchestration/approvals/adapters/notify_email.py",
    "shared/pentad/orchestration/approvals/adapters/notify_slack.py",
    "shared/pentad/orchestration/approvals/adapters/notify_sns.py",
    # What a human has approved, as it was shown: `email.message` and SES encode it, and headers hold no line break.
    "shared/pentad/tools/communication/adapters/mail_ses.py",
    "shared/pentad/tools/communication/emails.py",
    # A result of a tool, to the bucket of payloads, from where only the run itself reads it.
    "shared/pentad/tools/results/adapters/upload_http.py",
}


# A word of what is looked for: of the other modules nothing has to be made anew.
_MAY_SHOW = re.compile("h1|send_email|TopicArn|HTTPSConnection|EmailMessage")


def iter_modules(folder: Path) -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(folder.rglob("*.py")):
        yield path, read_tree(path)


@pytest.fixture(scope="module")
def commands(root: Path) -> list[tuple[Path, ast.Module]]:
    found = [one for one in iter_modules(root / "shared/pentad/cli") if one[0].name != SCREEN]
    assert len(found) > 30
    return found


def find_imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", one.name) for one in node.names)
        elif isinstance(node, ast.Import):
            yield from ((one.name, "") for one in node.names)


def test_only_the_screen_prints_to_the_terminal(commands: list[tuple[Path, ast.Module]]) -> None:
    printing = []
    for path, tree in commands:
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                if called == "print" or called.endswith((".echo", ".secho", "stdout.write", "stderr.write")):
                    printing.append(f"{path.name}:{node.lineno} {called}")
    assert not printing


def test_only_the_screen_knows_what_of_rich_reads_markup(commands: list[tuple[Path, ast.Module]]) -> None:
    knowing = [
        f"{path.name}: {module}.{name}"
        for path, tree in commands
        for module, name in find_imports(tree)
        if module.partition(".")[0] == "rich" and name not in LAYOUT.get(module, set())
    ]
    assert not knowing
    assert not [path.name for path, tree in commands if "from_markup" in ast.unparse(tree)]


def test_markup_is_a_literal(commands: list[tuple[Path, ast.Module]]) -> None:
    """An f-string as the template would let what is put in it be markup."""
    seen, wrong = 0, []
    for path, tree in commands:
        literals = {
            target.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "build_line":
                seen += 1
                first = node.args[0]
                if not (isinstance(first, ast.Constant) or (isinstance(first, ast.Name) and first.id in literals)):
                    wrong.append(f"{path.name}:{node.lineno}")
    assert seen > 20
    assert not wrong


def test_a_raw_text_of_rich_is_a_literal_or_made_of_marked_parts(commands: list[tuple[Path, ast.Module]]) -> None:
    """``Text(value)`` would keep a value's newlines; `build_styled` and `build_line` do not."""
    raw = [
        f"{path.name}: {ast.unparse(call.args[0])}"
        for path, tree in commands
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and ast.unparse(call.func) == "Text"
        and not isinstance(call.args[0], ast.Constant)
    ]
    assert raw == ["show.py: ' ' * left + '█' * length"]


def test_pages_and_notices_are_made_in_places_that_are_known(root: Path) -> None:
    pages, senders = set(), set()
    for path, tree in iter_modules(root / "shared/pentad"):
        name = path.relative_to(root).as_posix()
        if not _MAY_SHOW.search(path.read_text(encoding="utf-8")):
            continue
        code = ast.unparse(tree)
        if "<h1>" in code:
            pages.add(name)
        if any(one in code for one in ("send_email(", "TopicArn=", "HTTPSConnection(", "EmailMessage(")):
            senders.add(name)
    assert pages == PAGES
    assert senders == SENDERS
