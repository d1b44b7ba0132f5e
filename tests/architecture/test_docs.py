"""The documentation names what exists, and stays readable: line lengths, page lengths, links, paths and code names."""

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

LONGEST_LINE = 120
LONGEST_LAYER_PAGE = 250
# Files that a reader makes while following a page, and files that commands make.
MADE_BY_READERS = {
    "infra/workflows/translation.py",
    "agents/porter/agent.yaml",
    "agents/clerk/agent.yaml",
    "functions/graphs/briefing.py",  # copied from examples/langgraph, as the next ones
    "functions/tools/briefing.py",
    "functions/tools/slugify.py",
    "infra/workflows/topic_page.py",
    "agents/briefer",
    "functions/tools/_name.py",
    "docs/plan.md",
}
TREES = {
    "shared",
    "functions",
    "infra",
    "layers",
    "twin",
    "tests",
    "docs",
    "agents",
    "benchmarks",
    "examples",
    "scripts",
}
# Names of AWS, providers and libraries that no file of ours spells.
FOREIGN = {
    "CreateSchedule",
    "GetSchedule",
    "RedriveExecution",
    "TestState",
    "close_ticket",
    "get_weather_",
    "multi_turn_base",
    "multi_turn_base_173",
    "multi_turn_long_context",
    "multi_turn_miss_param",
}
_TICKS = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_PATH = re.compile(r"^[\w.-]+(?:/[\w.{},*-]+)*/?$")
_PLACEHOLDER = re.compile(r"[A-Z]{2,}|<|\*")
_DOTTED = re.compile(r"^(?:pentad|twin|infra|functions)(?:\.\w+)+$")
_IN_CODE = re.compile(r"`((?:pentad|twin|infra|functions|layers|tests|benchmarks)(?:\.\w+)+)`")
_CODE_NAME = re.compile(r"^(?!.*\.py$)(?:[A-Z]\w*[a-z]\w*[A-Z]\w*|[a-z]\w*_\w+)(?:\.\w+)?(?:\(.*\))?$")
_FENCE = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
_NAMED_PAGE = re.compile(r"\b(?:docs|twin)/[\w/-]+\.md\b")
NAMED_AS_AN_EXAMPLE = "docs/plan.md"
_LINK = re.compile(r"\]\(([^)\s#]+)(#[\w-]+)?\)")


def find_pages(root: Path, tracked: list[Path]) -> list[Path]:
    """Every page for readers: a prompt is what a model reads, and is left out."""
    return [path for path in tracked if path.suffix == ".md" and path.name != "prompt.md"]


_UNANSWERED = re.compile(r"<!-- generated: missing -->.*?<!-- end -->", re.DOTALL)


def quote_names(text: str) -> Iterator[str]:
    """What stands between backticks outside of code blocks."""
    for match in _TICKS.finditer(_FENCE.sub("", text)):
        yield match[1]


def expand_braces(name: str) -> list[str]:
    """``a/{b,c}.py`` is two names."""
    found = re.search(r"\{([\w,]+)\}", name)
    if found is None:
        return [name]
    return [whole for one in found[1].split(",") for whole in expand_braces(name.replace(found[0], one, 1))]


@pytest.fixture(scope="module")
def pages(root: Path, tracked: list[Path]) -> list[Path]:
    return find_pages(root, tracked)


def test_no_line_is_longer_than_the_house_allows(pages: list[Path], root: Path) -> None:
    """A row of a table can't be wrapped."""
    long = [
        f"{path.relative_to(root)}:{number}"
        for path in pages
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > LONGEST_LINE and not line.lstrip().startswith("|")
    ]
    assert not long, "\n".join(long)


def test_no_page_of_a_layer_is_longer_than_the_house_allows(root: Path) -> None:
    lengths = {
        path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in (root / "docs/layers").glob("*.md")
    }
    assert len(lengths) == 5
    assert max(lengths.values()) <= LONGEST_LAYER_PAGE, lengths


def test_every_link_leads_to_a_page_and_to_a_heading_of_it(pages: list[Path], root: Path) -> None:
    broken = []
    for page in pages:
        for target, anchor in _LINK.findall(_FENCE.sub("", page.read_text(encoding="utf-8"))):
            if "://" in target:
                continue
            path = page.parent / target
            if not path.exists() or (anchor and anchor[1:] not in find_anchors(path)):
                broken.append(f"{page.relative_to(root)}: {target}{anchor}")
    assert not broken, "\n".join(broken)


@cache
def find_anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def test_every_path_that_a_page_names_exists(pages: list[Path], tracked: list[Path], root: Path) -> None:
    """From the root, the page's folder, or one that the page names; a file that git does not know does not count."""
    files = {path.relative_to(root) for path in tracked}
    known = files | {folder for path in files for folder in path.parents}
    missing = []
    for page in pages:
        names = list(quote_names(page.read_text(encoding="utf-8")))
        folders = [
            Path(),
            page.relative_to(root).parent,
            *(Path(name) for name in names if name.endswith("/") and Path(name) in known),
        ]
        missing += [
            f"{page.relative_to(root)}: {one}"
            for name in names
            if is_path(name)
            for one in expand_braces(name)
            if one.rstrip("/") not in MADE_BY_READERS and not any(folder / one in known for folder in folders)
        ]
    assert not missing, "\n".join(missing)


def test_every_page_that_code_names_exists(tracked: list[Path], root: Path) -> None:
    """In messages of errors, alarms and comments: who is sent to a page finds it."""
    code = [path for path in tracked if path.suffix == ".py" and not path.is_relative_to(root / "tests")]
    named = {(path, page) for path in code for page in _NAMED_PAGE.findall(path.read_text(encoding="utf-8"))}
    assert named
    missing = [
        f"{path.relative_to(root)}: {page}"
        for path, page in sorted(named)
        if page != NAMED_AS_AN_EXAMPLE and not (root / page).is_file()
    ]
    assert not missing, "\n".join(missing)


def is_path(name: str) -> bool:
    """Whether what is quoted is a path of this repository, and no pattern."""
    return bool(
        "/" in name
        and _PATH.match(name)
        and not _PLACEHOLDER.search(name)
        and (name.endswith(".py") or name.split("/")[0] in TREES)
    )


def test_every_file_that_a_page_names_without_its_folder_exists(pages: list[Path], tracked: list[Path]) -> None:
    """In a sentence as well as in the maps of files, which are code blocks."""
    known = {path.name for path in tracked} | {Path(name).name for name in MADE_BY_READERS}
    missing = []
    for page in pages:
        for name in re.findall(r"(?<![\w/.*{}<>])([a-z_]\w*\.py)\b", page.read_text(encoding="utf-8")):
            if name not in known:
                missing.append(f"{page.name}: {name}")
    assert not missing, "\n".join(missing)


def test_every_dotted_name_in_a_page_exists(pages: list[Path], root: Path, code: str) -> None:
    """As a module, a name in one, or a string, such as an event's type."""
    missing = []
    for page in pages:
        for name in quote_names(page.read_text(encoding="utf-8")):
            if _DOTTED.match(name) and not find_dotted(root, name.split(".")) and f'"{name}"' not in code:
                missing.append(f"{page.name}: {name}")
    assert not missing, "\n".join(missing)


def test_every_dotted_name_in_a_docstring_or_a_comment_exists(tracked: list[Path], root: Path, code: str) -> None:
    """A move leaves the names in words behind, which no import error tells of."""
    missing = []
    for path in tracked:
        if path.suffix != ".py" or path.parent == Path(__file__).resolve().parent:
            continue
        for name in _IN_CODE.findall(path.read_text(encoding="utf-8")):
            if not find_dotted(root, name.split(".")) and f'"{name}"' not in code:
                missing.append(f"{path.relative_to(root)}: {name}")
    assert not missing, "\n".join(missing)


def find_dotted(root: Path, parts: list[str]) -> bool:
    """Whether a dotted name is a module, or a name that its module spells."""
    base = root / "shared" if parts[0] == "pentad" else root
    for length in range(len(parts), 0, -1):
        path = base.joinpath(*parts[:length])
        module = path.with_suffix(".py") if path.with_suffix(".py").is_file() else path / "__init__.py"
        if not module.is_file():
            continue
        text = module.read_text(encoding="utf-8")
        return all(re.search(rf"\b{re.escape(part)}\b", text) for part in parts[length:])
    return False


def test_every_code_name_in_a_page_is_spelled_in_the_code(pages: list[Path], words: set[str]) -> None:
    missing = []
    for page in pages:
        if page.name == "CHANGELOG.md" or "decisions" in page.parts:  # they tell of what was
            continue
        # The list of AWS's operations that nobody answers is made from botocore's model; the code has none of them.
        text = _UNANSWERED.sub("", page.read_text(encoding="utf-8"))
        for name in quote_names(text):
            if not _CODE_NAME.match(name):
                continue
            missing += [
                f"{page.name}: {name}"
                for part in name.split("(")[0].split(".")
                if part not in words and part not in FOREIGN
            ]
    assert not missing, "\n".join(missing)


def test_every_page_that_the_code_sends_a_reader_to_exists(tracked: list[Path], root: Path) -> None:
    examples = {"docs/plan.md"}  # names of documents that users upload
    trees = {"shared", "twin", "infra", "functions", "layers"}
    named = {
        (path.relative_to(root).as_posix(), page)
        for path in tracked
        if path.suffix == ".py" and path.relative_to(root).parts[0] in trees
        for page in re.findall(r"\bdocs/[\w/-]+\.md\b", path.read_text(encoding="utf-8"))
    }
    assert len(named) > 10
    assert not {(path, page) for path, page in named if page not in examples and not (root / page).is_file()}


def test_the_version_of_the_project_has_security_fixes(root: Path) -> None:
    version = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    supported = re.findall(r"^\| (\S+) \| yes \|$", (root / "SECURITY.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert supported == [f"{version.rpartition('.')[0]}.x"]
