"""Who said what in a workflow's run: to tell addresses in its calls, and in its agents' calls, that nobody gave.

What the workflow's author wrote gives addresses as what the user wrote does, and so does a human's answer. What a model
or an agent said is a model's, and so is all that was put together with it: a text, an approved draft, the result of a
tool of our own that was handed it. The results of a tool that brings text from outside are from outside; of what a
model has said before, they are an echo.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pentad.domain.declarations.workflows import (
    AgentStep,
    AnyStep,
    HumanStep,
    ModelStep,
    StepResult,
    TextStep,
    ToolStep,
    WorkflowSpec,
)
from pentad.domain.errors import NotFound
from pentad.domain.messages import Message
from pentad.domain.runs import Run
from pentad.domain.taint.sources import MANY, merge_sources, name_tool_source
from pentad.orchestration.workflows.steps import Stores, parse_fields
from pentad.orchestration.workflows.templates import INPUT, STATUS, find_references
from pentad.tools.policy.given_addresses import SaidText, Speaker, iter_strings
from pentad.tools.policy.outside_words import UntrustedText

_FOREIGN_FIRST: Final[tuple[Speaker, ...]] = ("model", "outside")
_USER: Final[frozenset[Speaker]] = frozenset({"user"})


class WorkflowSaid:
    """Tells who said what in workflows' runs.

    Args:
        stores: where everything is.
    """

    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    def list_before(self, child: Run) -> list[SaidText]:
        """Return what was said before an agent was asked; nothing where no workflow asked it, or its run is gone.

        Raises:
            StoreUnavailable: a store did not answer.
        """
        if child.trigger != "workflow" or child.parent_run_id is None:
            return []
        try:
            return self.list_all(self._stores.runs.get(child.tenant_id, child.parent_run_id))
        except NotFound:
            return []  # It was erased, or its definition is no more: then nobody gave anything.

    def list_for_call(self, run: Run, step: ToolStep, arguments: Mapping[str, Any]) -> list[SaidText]:
        """Return what was said before a tool's step.

        An argument that was put together without a word of a model's is given as a whole: its author has said so.

        Args:
            run: the workflow's.
            step: the tool's.
            arguments: with the templates' values put in.

        Raises:
            NotFound: there is no such workflow.
            StoreUnavailable: a store did not answer.
        """
        origins = self._make_origins(run)
        if step.from_input:
            own = [SaidText(text, origins.of_input) for text in iter_strings(arguments)]
        else:
            own = [SaidText(text, by) for text, by in _iter_rendered(step.arguments, arguments, origins)]
        return [*(one for one in own if one.by != "model"), *self.list_all(run, origins)]

    def list_all(self, run: Run, origins: "_Origins | None" = None) -> list[SaidText]:
        """Return what was said in a run so far: what its author and humans wrote, and the rest in order.

        Raises:
            NotFound: there is no such workflow.
            StoreUnavailable: a store did not answer.
        """
        origins = origins or self._make_origins(run)
        results = self._stores.results.list_for_run(run.tenant_id, run.run_id)
        origins.tainted |= {one.name for one in results if one.taint}
        message = self._find_request(run)
        request = "" if message is None else message.text
        fields = iter_strings(parse_fields(request) or {})
        said = [SaidText(text, "user") for text in _iter_written(origins.spec)]
        said += [SaidText(text, "user") for one in results if _is_answer(one, origins) for text in _iter_words(one)]
        said += [SaidText(text, origins.of_input) for text in (request, *fields)]
        for one in sorted(results, key=lambda result: (result.ended_at, result.place)):
            speaker = None if _is_answer(one, origins) else origins.find_speaker(one.name)
            said += [] if speaker is None else [SaidText(text, speaker) for text in _iter_words(one)]
        return said

    def list_untrusted(self, run: Run) -> list[UntrustedText]:
        """Return the text from outside in a run so far, oldest first, to find its words in arguments.

        It is a request that came from outside, results of tools that bring such text, and what an agent answered that
        had any in its context. What a model made of them is no text of theirs.

        Raises:
            NotFound: there is no such workflow.
            StoreUnavailable: a store did not answer.
        """
        request = self._find_request(run)
        found: list[UntrustedText] = []
        if request is not None and request.taint:
            found.append(UntrustedText(_name_sources(request.taint), request.text))
        tools, steps = self._stores.catalog.tools, self._stores.get_workflow(run.agent).steps
        results = self._stores.results.list_for_run(run.tenant_id, run.run_id)
        for one in sorted(results, key=lambda result: (result.ended_at, result.place)):
            step = steps.get(one.name)
            sources = one.taint
            if isinstance(step, ToolStep) and (step.tool not in tools or not tools[step.tool].trusted_output):
                sources = merge_sources(sources, (name_tool_source(step.tool),))
            found += (UntrustedText(_name_sources(sources), text) for text in (_iter_words(one) if sources else ()))
        return found

    def _make_origins(self, run: Run) -> "_Origins":
        spec = self._stores.get_workflow(run.agent)
        untrusted = {name for name, tool in self._stores.catalog.tools.items() if not tool.trusted_output}
        request = self._find_request(run)
        return _Origins(spec, untrusted, "user" if request is not None and not request.taint else "outside")

    def _find_request(self, run: Run) -> Message | None:
        """Return the message that a run was started with; None where it has expired."""
        try:
            return self._stores.get_request_message(run)
        except NotFound:
            return None


class _Origins:
    """Whose words a step's result is made of, as its definition says.

    Args:
        spec: the workflow.
        untrusted: tools that bring text from outside.
        of_input: who wrote the message that the run was started with.
    """

    def __init__(self, spec: WorkflowSpec, untrusted: set[str], of_input: Speaker) -> None:
        self.spec = spec
        self.of_input: Speaker = of_input
        self._untrusted = untrusted
        self.tainted: set[str] = set()
        self._found: dict[str, frozenset[Speaker]] = {}

    def find_speaker(self, name: str) -> Speaker | None:
        """Return whose a result is; None for one of a tool of our own that may have changed a model's words."""
        step = self.spec.steps.get(name)
        if isinstance(step, ToolStep) and (step.tool in self._untrusted or name in self.tainted):
            return "outside"
        speaker = _find_least_trusted(self.find(name))
        return None if isinstance(step, ToolStep) and speaker == "model" else speaker

    def find_in(self, template: Any) -> Speaker:
        """Return whose a template is with its values put in: of several, whoever gives addresses the least."""
        return _find_least_trusted(self._of_template(template))

    def find(self, name: str) -> frozenset[Speaker]:
        """Return whose words a step's result holds; a step that there is not is a model's."""
        if name not in self._found:
            self._found[name] = frozenset()  # Steps of a loop refer to each other.
            self._found[name] = self._of_step(self.spec.steps.get(name))
        return self._found[name]

    def _of_step(self, step: AnyStep | None) -> frozenset[Speaker]:
        if step is None or isinstance(step, ModelStep | AgentStep):
            return frozenset({"model"})
        if isinstance(step, ToolStep):
            brought: frozenset[Speaker] = frozenset({"outside"} if step.tool in self._untrusted else set())
            given = frozenset({self.of_input}) if step.from_input else self._of_template(step.arguments)
            return given | brought
        if isinstance(step, HumanStep):
            return _USER if step.asks == "question" else self._of_template(step.text)
        return self._of_template(step.text)

    def _of_template(self, template: Any) -> frozenset[Speaker]:
        found = _USER
        for reference in find_references(template):
            if reference.step == INPUT:
                found |= {self.of_input}
            elif reference.field != STATUS:
                found |= self.find(reference.step)
        return found


def _name_sources(sources: tuple[str, ...]) -> str:
    return sources[0] if len(sources) == 1 else MANY


def _find_least_trusted(origins: frozenset[Speaker]) -> Speaker:
    return next((one for one in _FOREIGN_FIRST if one in origins), "user")


def _is_answer(result: StepResult, origins: _Origins) -> bool:
    step = origins.spec.steps.get(result.name)
    return isinstance(step, HumanStep) and step.asks == "question" and result.status == "answered"


def _iter_words(result: StepResult) -> Iterator[str]:
    yield result.text
    yield from iter_strings(result.fields or {})


def _iter_written(spec: WorkflowSpec) -> Iterator[str]:
    """Yield what a workflow's author wrote; where a template has a gap, an address ends."""
    for step in spec.steps.values():
        if isinstance(step, ToolStep):
            yield from iter_strings(step.arguments)
        elif isinstance(step, ModelStep):
            yield from (step.system, step.prompt)
        elif isinstance(step, AgentStep):
            yield step.prompt
        elif isinstance(step, TextStep | HumanStep):
            yield step.text


def _iter_rendered(template: Any, value: Any, origins: _Origins) -> Iterator[tuple[str, Speaker]]:
    """Yield the texts of arguments, each with whose words it was put together of."""
    if isinstance(template, Mapping) and isinstance(value, Mapping):
        for name, part in template.items():
            yield str(name), "user"
            yield from _iter_rendered(part, value.get(name), origins)
    elif _is_list(template) and _is_list(value):
        for part, found in zip(template, value, strict=False):
            yield from _iter_rendered(part, found, origins)
    elif isinstance(template, str):
        by = origins.find_in(template)
        yield from ((text, by) for text in iter_strings({"value": value}))


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)
