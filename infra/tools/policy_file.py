"""Read ``policy.yaml`` at the project's root, and hold its names against the agents, workflows and tools there are."""

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path

from pydantic import ValidationError

from pentad.domain.declarations.agents import ToolSpec
from pentad.domain.declarations.approval_rules import Ask, ContextIsTainted
from pentad.domain.declarations.policy import PolicySpec
from pentad.domain.errors import ConfigurationError
from pentad.domain.reading.yaml_file import YamlFile
from pentad.domain.taint.sources import PLAIN_SOURCES

FILE = "policy.yaml"
_TOOL = "tool:"
_SHOWN = 10
Loc = tuple[int | str, ...]


def read_policy(root: Path, *, runners: Collection[str], tools: Mapping[str, ToolSpec]) -> PolicySpec:
    """Return the policy of a project; the default one where it has no file.

    Args:
        root: the project's folder.
        runners: names of agents and workflows.
        tools: the tools there are.

    Raises:
        ConfigurationError: the file is wrong, or names what is not there; the message has file, line, field and fix.
    """
    path = root / FILE
    if not path.is_file():
        return PolicySpec()
    file = YamlFile(FILE, path.read_bytes())
    content = file.data
    if content is None:
        return PolicySpec()
    try:
        spec = PolicySpec.model_validate(content)
    except ValidationError as error:
        faults = [(one["loc"], _describe(one["type"], one["msg"])) for one in error.errors(include_url=False)]
        raise _make_error(file, faults) from error
    faults = [*_find_unknown(spec, runners, tools)]
    if faults:
        raise _make_error(file, faults)
    return spec


def check_taint_rules(tools: Mapping[str, ToolSpec]) -> None:
    """Check the sources that tools' own approvals ask for: one that nothing has would never ask.

    Raises:
        ConfigurationError: there is no such source; the message has tool and fix.
    """
    for tool in tools.values():
        rules = () if isinstance(tool.approval, str) else tool.approval
        conditions = [one for rule in rules if isinstance(rule, Ask) for one in (*rule.when, *rule.unless)]
        named = [source for one in conditions if isinstance(one, ContextIsTainted) for source in one.sources]
        for _, fault in (found for source in named for found in _check_source((), source, tools)):
            said = f"the approval of '{tool.name}' asks for text from outside: {fault}"
            raise ConfigurationError(said, field="approval", fix="correct its has_taint(...)")


def _find_unknown(
    spec: PolicySpec, runners: Collection[str], tools: Mapping[str, ToolSpec]
) -> Iterator[tuple[Loc, str]]:
    """Yield each name in the file that nothing has, with its place."""
    for number, rule in enumerate(spec.rules):
        for field, names, known in (("agents", rule.agents, runners), ("tools", rule.tools, tools)):
            for place, name in enumerate(names):
                if name not in known:
                    yield ("rules", number, field, place), _describe_unknown(field[:-1], name, known)
        for place, source in enumerate(rule.sources):
            yield from _check_source(("rules", number, "sources", place), source, tools)
    for place, source in enumerate(spec.trusted):
        yield from _check_source(("trusted", place), source, tools)


def _check_source(loc: Loc, source: str, tools: Mapping[str, ToolSpec]) -> Iterator[tuple[Loc, str]]:
    known = [*PLAIN_SOURCES, *(f"{_TOOL}{name}" for name in tools)]
    # Sources of other kinds, such as a server's tools, are known when they are asked for.
    if source not in known and (":" not in source or source.startswith(_TOOL)):
        yield loc, _describe_unknown("source", source, known)


def _describe_unknown(what: str, name: str, known: Collection[str]) -> str:
    near = get_close_matches(name, known, n=1)
    fix = f"do you mean '{near[0]}'?" if near else f"there are: {', '.join(sorted(known)[:20]) or 'none'}"
    return f"no {what} '{name}': {fix}"


def _describe(kind: str, message: str) -> str:
    return "no such field" if kind == "extra_forbidden" else message.removeprefix("Value error, ")


def _make_error(file: YamlFile, faults: list[tuple[Loc, str]]) -> ConfigurationError:
    told = [
        f"{FILE}:{file.find_line(loc)}: {'.'.join(map(str, loc)) or 'the file'}: {what}"
        for loc, what in faults[:_SHOWN]
    ]
    return ConfigurationError("; ".join(told), field="policy", fix="correct the lines that are named")
