"""The files of a new tool: its function, and a test that calls it by itself."""

import keyword
import re
import textwrap
from dataclasses import dataclass
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Literal

from pentad.cli.console import EXIT_USAGE, CommandError
from pentad.domain.errors import ConfigurationError
from pentad.domain.ids import TOOL_CHARACTERS, TOOL_PATTERN
from pentad.domain.knowledge import SEARCH_KNOWLEDGE
from pentad.tools.declare.context import ToolContext
from pentad.tools.declare.options import Effects
from pentad.tools.declare.reach import Reach, check_reach
from pentad.tools.declare.signature import read_signature

Approval = Literal["never", "always"]
"""Approval by rule is written by hand."""
_RESERVED = ("secrets", SEARCH_KNOWLEDGE)
"""The section of tools.yaml, and the built-in tool."""
_INPUT = Path("requirements", "tools.in")
_SHARED = Path("requirements", "lambda.txt")


@dataclass(frozen=True)
class NewTool:
    """What is asked for.

    Args:
        name: of the tool, its file and its function.
        description: what the model reads.
        effects: as for `pentad.tools.declare.declare.tool`.
        packages: names, with or without a version.
        secrets: names.
        hosts: that it may reach.
        approval: whether a human decides first.
        undo: it can be undone.
    """

    name: str
    description: str
    effects: Effects = "none"
    packages: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    approval: Approval = "never"
    undo: bool = False

    @property
    def package_names(self) -> list[str]:
        """The packages' names as requirements and declarations have them."""
        return [re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!~; ]", one, maxsplit=1)[0]).lower() for one in self.packages]

    @property
    def kind(self) -> str:
        """The kind of record that it keeps."""
        return self.name.upper()


def build_tool_files(root: Path, new: NewTool) -> dict[Path, str]:
    """Return the files of a new tool with their content; a list of packages with those that it adds.

    Raises:
        CommandError: something of it can't be, or is there already.
    """
    _check(root, new)
    files = {
        root / "functions" / "tools" / f"{new.name}.py": _build_source(new),
        root / "tests" / "unit" / "functions" / "tools" / f"test_{new.name}.py": _build_test(new),
    }
    for path in files:
        if path.exists():
            raise CommandError(f"'{new.name}' already exists: {path.relative_to(root).as_posix()}", code=EXIT_USAGE)
    shipped = list((root / "functions" / "library").glob(f"*/{new.name}.py"))
    if shipped:
        raise CommandError(
            f"Pentad has a tool '{new.name}': {shipped[0].relative_to(root).as_posix()}. Name it in an agent's tools, "
            "choose another name, or copy that file into functions/tools and change it",
            code=EXIT_USAGE,
        )
    return files


def list_new_packages(root: Path, new: NewTool) -> list[str]:
    """Return the packages that requirements/tools.in does not have yet, as they were given."""
    path = root / _INPUT
    there = {_read_name(line) for line in path.read_text(encoding="utf-8").splitlines()} if path.is_file() else set()
    return [one for one, name in zip(new.packages, new.package_names, strict=True) if name not in there]


def add_packages(root: Path, packages: list[str]) -> None:
    """Append packages to requirements/tools.in."""
    path = root / _INPUT
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    path.parent.mkdir(parents=True, exist_ok=True)
    gap = "" if not before or before.endswith("\n") else "\n"
    path.write_text(before + gap + "".join(f"{one}\n" for one in packages), encoding="utf-8")


def list_steps(new: NewTool, added: list[str], test: str) -> list[str]:
    """Return what to do next, in order."""
    steps = [f"run 'make lock' and 'make env': {', '.join(added)} is new in {_INPUT.as_posix()}"] if added else []
    guessed = [name for name in new.package_names if name not in _list_modules()]
    if guessed:
        # Only an installed package tells the name of its module: python-slugify is imported as slugify.
        named = ", ".join(f"'import {_find_module(name)}'" for name in guessed)
        steps.append(f"if the package's page gives its module another name, correct {named} and what uses it")
    steps += [
        f"edit functions/tools/{new.name}.py, then run 'pytest {test}'",
        f"add {new.name} to tools in an agent's agent.yaml, then run 'pentad update' while the twin runs, or deploy",
    ]
    steps += [
        f"store the secret once it is deployed: aws secretsmanager put-secret-value --secret-id "
        f"pentad-dev/tools/{name} --secret-string '...'"
        for name in new.secrets
    ]
    return steps


def _read_name(line: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!~;# ]", line.strip(), maxsplit=1)[0]).lower()


def _check(root: Path, new: NewTool) -> None:
    name = new.name
    if not re.fullmatch(TOOL_PATTERN.removeprefix("^").removesuffix("$"), name) or keyword.iskeyword(name):
        raise CommandError(
            f"invalid tool name '{name}': use small letters, digits and underscores, at most {TOOL_CHARACTERS}, "
            "such as find_order",
            code=EXIT_USAGE,
        )
    if name in _RESERVED:
        raise CommandError(f"the name '{name}' is reserved: choose another one", code=EXIT_USAGE)
    if new.undo and new.effects == "none":
        raise CommandError("--undo has nothing to undo with --effects none: add --effects internal", code=EXIT_USAGE)
    shared = root / _SHARED
    text = shared.read_text(encoding="utf-8") if shared.is_file() else ""
    for package in new.package_names:
        if re.search(rf"^{re.escape(package)}==", text, re.MULTILINE):
            raise CommandError(f"every function has '{package}': import it without --package", code=EXIT_USAGE)
    reach = Reach(secrets=new.secrets, egress=new.hosts, packages=new.package_names)
    try:
        check_reach("--secret, --host or --package", read_signature(_example), reach)
    except ConfigurationError as error:
        raise CommandError(f"{error.message}: {error.fix}", code=EXIT_USAGE) from error


def _example(context: ToolContext) -> str:
    return context.tenant


def _build_source(new: NewTool) -> str:
    parts = [f'"""The tool {new.name}."""\n', _build_imports(new)]
    if new.undo:
        parts.append(
            f"\ndef take_back(data: dict[str, Any], context: ToolContext) -> None:\n"
            f'    """Take back what a call did."""\n'
            f"    # Only what the call wrote: a record that somebody has changed since is theirs.\n"
            f'    gone = context.table("records").delete("{new.kind}", data["key"], if_value=data["value"])\n'
            f'    if gone == "changed":\n'
            f'        what = "the record was changed since, and was kept"\n'
            f'        raise ToolFailed(what, fix="look at it, and undo it by hand")\n'
        )
    result = "dict[str, str]"
    returned = f"Undoable[{result}]" if new.undo else result
    context = "    context: ToolContext,\n" if _needs_context(new) else ""
    parts.append(
        f"\n@tool({_build_options(new)})\n"
        f"def {new.name}(\n"
        f'    text: Annotated[str, Field(max_length=2_000, description="say here what the model gives")],\n'
        f"{context}"
        f") -> {returned}:\n"
        f"{_build_docstring(new.description)}\n"
        f"{_build_body(new)}"
    )
    return "\n".join(parts)


def _needs_context(new: NewTool) -> bool:
    return bool(new.secrets or new.hosts or new.effects != "none")


def _build_imports(new: NewTool) -> str:
    standard = ["import hmac"] if new.secrets and not new.hosts else []
    standard.append("from typing import Annotated" + (", Any" if new.undo else ""))
    others = [*(f"import {_find_module(name)}" for name in new.package_names), "from pydantic import Field"]
    named = ["Grant"] if new.effects != "none" else []
    named += ["ToolContext"] if _needs_context(new) else []
    named += ["Undoable"] if new.undo else []
    own = ["from pentad.domain.errors import ToolFailed"] if new.undo else []
    own.append(f"from pentad.tools.declare import {', '.join([*named, 'tool'])}")
    groups = [standard, sorted(others, key=lambda line: (line.startswith("from"), line)), own]
    return "\n\n".join("\n".join(group) for group in groups) + "\n"


def _find_module(package: str) -> str:
    """Return the name by which a package is imported: as it is installed, else as its own name."""
    return _list_modules().get(package, package.replace("-", "_"))


@cache
def _list_modules() -> dict[str, str]:
    """Return what is installed: the module of each package that has one."""
    found: dict[str, str] = {}
    for module, owners in packages_distributions().items():
        if module.isidentifier():
            for one in owners:
                found.setdefault(_read_name(one), module)
    return found


def _build_options(new: NewTool) -> str:
    options = [f'effects="{new.effects}"']
    if new.effects != "none":
        options.append(f'permissions=[Grant("records", "readwrite", keys="{new.kind}")]')
    for option, names in (("secrets", new.secrets), ("egress", new.hosts), ("packages", new.package_names)):
        if names:
            options.append(f"{option}=[{', '.join(_quote(one) for one in names)}]")
    if new.approval != "never":
        options.append(f'approval="{new.approval}"')
    if new.undo:
        options.append("undo=take_back")
    line = ", ".join(options)
    return line if len(line) <= 110 else "\n" + "".join(f"    {one},\n" for one in options)


def _build_docstring(description: str) -> str:
    said = " ".join(description.split()).replace('"""', "'''")
    begins = 'r"""' if "\\" in said else '"""'
    if not said.endswith((".", "!", "?")):
        said += "."
    if len(said) <= 105:
        return f'    {begins}{said}"""'
    first, _, rest = said.partition(". ")
    head = first + "." if rest and len(first) <= 105 else "What it is for:"
    body = textwrap.fill(
        rest if head != "What it is for:" else said,
        width=115,
        initial_indent="    ",
        subsequent_indent="    ",
        break_long_words=False,
    )
    return f'    {begins}{head}\n\n{body}\n    """'


def _build_body(new: NewTool) -> str:
    lines: list[str] = []
    found = ['"text": text']
    if new.secrets:
        # One of them is used; the others are read in the same way.
        lines.append(f"key = context.secret({_quote(new.secrets[0])}).text")
    if new.hosts:
        headers = ', headers={"authorization": f"Bearer {key}"}' if new.secrets else ""
        method = "GET" if new.effects == "none" else "POST"
        given = 'params={"text": text}' if new.effects == "none" else 'json={"text": text}'
        lines += [
            f'url = "{_build_address(new.hosts[0])}"',
            f'answer = context.http.request("{method}", url, {given}{headers})',
            "answer.check()  # 429, 408 and 5xx are tried again; of what else the host refuses the model is told",
        ]
        found.append('"answer": answer.text')
    elif new.secrets:
        lines.append('signature = hmac.new(key.encode(), text.encode(), "sha256").hexdigest()')
        found.append('"signature": signature')
    found += [f'"made_with": {_find_module(name)}.__name__' for name in new.package_names[:1]]
    kept = "kept" if new.undo else '{"text": text}'
    if new.undo:
        lines.append('kept = {"text": text}')
    if new.effects != "none":
        # The same on every try of a call, so that a call which is tried again keeps one record.
        lines.append(f'context.table("records").put("{new.kind}", context.effect_key, {kept})')
    shown = ", ".join(found)
    if new.undo:
        undo = '{"key": context.effect_key, "value": kept}'
        lines += [f"result = {{{shown}}}", f"return Undoable(result, undo={undo})"]
    else:
        lines.append(f"return {{{shown}}}")
    return "".join(f"    {line}\n" for line in lines)


def _build_address(host: str) -> str:
    if "://" in host:
        return host
    return f"https://{'example.com' if host == 'public' else host.replace('*.', 'api.')}/"


def _build_test(new: NewTool) -> str:
    given: list[str] = []
    if new.secrets:
        given.append(f"secrets={{{', '.join(_quote(one) + ': ' + _quote('a-word-for-tests') for one in new.secrets)}}}")
    if new.hosts:
        given.append('http=ScriptedHttp([(200, "from the host")])')
    names = "ScriptedHttp, ToolTrial" if new.hosts else "ToolTrial"
    trial = ", ".join([new.name, *given])
    if len(trial) > 100:
        trial = "\n" + "".join(f"        {one},\n" for one in [new.name, *given]) + "    "
    undo = _TEST_UNDO.format(kind=new.kind) if new.undo else ""
    imports = "import pytest\n\n" if new.undo else ""
    return _TEST.format(name=new.name, names=names, trial=trial, imports=imports) + undo


def _quote(text: str) -> str:
    return f'"{text}"'


_TEST = '''"""The tool {name}, by itself."""

{imports}from functions.tools.{name} import {name}
from pentad.testing.tools import {names}


def make_trial() -> ToolTrial:
    return ToolTrial({trial})


def test_it_answers() -> None:
    answer = make_trial().call(text="Hello")
    assert not answer.is_error, answer.text
    assert answer.value["text"] == "Hello"


def test_arguments_that_it_does_not_have_are_refused() -> None:
    assert make_trial().call(words="Hello").error_type == "InvalidInput"
'''
_TEST_UNDO = """

def test_a_call_is_undone() -> None:
    trial = make_trial()
    answer = trial.call(text="Hello")
    assert len(trial.records.get_store("acme").query("{kind}", limit=10)) == 1
    trial.undo(answer)
    assert not trial.records.get_store("acme").query("{kind}", limit=10)


def test_what_somebody_has_changed_since_is_kept() -> None:
    trial = make_trial()
    answer = trial.call(text="Hello")
    records = trial.records.get_store("acme")
    [record] = records.query("{kind}", limit=10)
    records.put("{kind}", record.key, {{"text": "changed since"}})
    with pytest.raises(AssertionError, match="changed since"):
        trial.undo(answer)
    assert [one.value for one in records.query("{kind}", limit=10)] == [{{"text": "changed since"}}]
"""
