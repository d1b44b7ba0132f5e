"""What may happen once text from outside is in the context: ``policy.yaml`` at the project's root, as data."""

from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from pentad.domain.ids import AgentName, ToolName
from pentad.domain.taint.sources import MANY, Source
from pentad.domain.values import FrozenValue

Answer = Literal["allow", "ask", "deny"]
STRICTEST: Final = ("allow", "ask", "deny")
Host = Annotated[
    str,
    StringConstraints(pattern=r"^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$"),
]


class UntrustedDefaults(FrozenValue):
    """What tools may do, by their effects, where no rule says otherwise."""

    external: Answer = "ask"
    internal: Answer = "allow"
    none: Answer = "allow"
    addresses: Answer = Field(
        default="ask", description="a tool that may ask any address, with one that nobody gave the model"
    )
    addresses_from: Literal["context", "user"] = Field(
        default="context", description="whose addresses were given: also those of text from outside, or the user's only"
    )


class PolicyRule(FrozenValue):
    """One exception. It fits a call if all that it names fits; the first rule that fits a source decides for it."""

    agents: tuple[AgentName, ...] = Field(default=(), max_length=200, description="all where there are none")
    tools: tuple[ToolName, ...] = Field(default=(), max_length=200, description="all where there are none")
    sources: tuple[Source, ...] = Field(default=(), max_length=200, description="all where there are none")
    decide: Answer


class LinkPolicy(FrozenValue):
    """Where links and images in answers may lead once text from outside is in the context."""

    hosts: tuple[Host, ...] = Field(default=(), max_length=500, description="*.example.com: all hosts below it")


class PolicySpec(FrozenValue):
    """The policy of a project. Without a file it is the default one."""

    untrusted: UntrustedDefaults = UntrustedDefaults()
    rules: tuple[PolicyRule, ...] = Field(default=(), max_length=200)
    trusted: tuple[Source, ...] = Field(default=(), max_length=200, description="sources that taint nothing")
    links: LinkPolicy = LinkPolicy()

    def find_answer(self, agent: str, tool: str, effects: str, taint: tuple[str, ...]) -> Answer:
        """Return what a call may do in a context with text of these sources: the strictest answer of any of them."""
        answers = [
            self._find_answer_for(agent, tool, effects, source) for source in taint if source not in self.trusted
        ]
        return max(answers, key=STRICTEST.index, default="allow")

    def _find_answer_for(self, agent: str, tool: str, effects: str, source: str) -> Answer:
        answers: list[Answer] = []
        for rule in self.rules:
            named = (rule.agents, agent), (rule.tools, tool)
            if all(not names or name in names for names, name in named):
                applies = not rule.sources or source in rule.sources
                if applies or source == MANY:
                    answers.append(rule.decide)
                if applies:
                    break
        else:
            answers.append(getattr(self.untrusted, effects))
        # What stands for sources that are not known may be any of those that the rules name.
        return max(answers, key=STRICTEST.index)
