"""Random nestings of fragments, as plain values: what hypothesis draws, what is built of it, what has to come of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from pydantic import BaseModel

from infra.orchestration.fragments import AtLeast, Flow, Fragment

Json = dict[str, Any]


@dataclass(frozen=True)
class Node:
    """One part.

    Attributes:
        kind: model, text, agent, broken (an agent whose run fails), tool, sequential, parallel, any, branch, refine.
        parts: those inside.
        score: what a refine's judge gives at first; each round adds 0.25.
    """

    kind: str
    parts: tuple["Node", ...] = ()
    score: float = 0.0


_LEAVES = st.sampled_from(["model", "text", "agent", "tool", "model", "text", "broken"]).map(Node)


def _some(kind: str, parts: st.SearchStrategy[Node], least: int, most: int) -> st.SearchStrategy[Node]:
    return st.lists(parts, min_size=least, max_size=most).map(lambda chosen: Node(kind, tuple(chosen)))


def _grown(parts: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    refines = st.tuples(parts, st.sampled_from([0.2, 0.6, 0.9])).map(
        lambda drawn: Node("refine", (drawn[0],), drawn[1])
    )
    return st.one_of(
        _some("sequential", parts, 1, 3),
        _some("parallel", parts, 1, 3),
        _some("any", parts, 1, 3),
        _some("branch", parts, 2, 2),
        refines,
    )


nodes: st.SearchStrategy[Node] = st.recursive(_LEAVES, _grown, max_leaves=6)


class Verdict(BaseModel):
    """What a judge says."""

    score: float


class Choice(BaseModel):
    """What a branch goes by."""

    first: bool


@dataclass
class Built:
    """Names of what was built, for what has to come of it."""

    count: int = 0
    scores: dict[str, float] = field(default_factory=dict)

    def name(self, stem: str) -> str:
        """Return a new name."""
        self.count += 1
        return f"{stem}{self.count}"


def build(flow: Flow, node: Node, built: Built) -> Fragment:
    """Return the fragment of a node; each of several steps ends with a text, so that it has one result."""
    if node.kind in ("model", "text", "agent", "broken", "tool"):
        return _leaf(flow, node.kind, built)
    if node.kind == "refine":
        return _refine(flow, node, built)
    parts = [build(flow, part, built) for part in node.parts]
    name = built.name("part_")
    if node.kind == "sequential":
        return flow.sequential(*parts, name=name)
    if node.kind == "branch":
        by = flow.model(built.name("choice"), "x", output=Choice)
        return flow.sequential(by, flow.branch(f"{by.name}.first", {True: parts[0]}, parts[1], name=name))
    return flow.parallel(*parts, needs="all" if node.kind == "parallel" else AtLeast(1), name=name)


def _leaf(flow: Flow, kind: str, built: Built) -> Fragment:
    name = built.name(kind)
    if kind == "model":
        return flow.model(name, "{{input}}")
    if kind == "text":
        return flow.text(name, "{{input}}")
    if kind == "tool":
        return flow.tool(name, "calculator", expression="1 + 1")
    return flow.agent(name, "broken" if kind == "broken" else "writer", "{{input}}")


def _refine(flow: Flow, node: Node, built: Built) -> Fragment:
    inner = build(flow, node.parts[0], built)
    draft, better, judge = built.name("draft"), built.name("better"), built.name("judge")
    built.scores[judge] = node.score
    produced = flow.sequential(inner, flow.text(draft, "{{input}}"), name=built.name("part_"))
    return flow.refine(
        built.name("loop"),
        produce=produced,
        judge=flow.model(judge, f"{{{{{draft}}}}}", output=Verdict),
        improve=flow.model(better, f"{{{{{draft}}}}} {{{{{judge}.score}}}}"),
        threshold=0.8,
        rounds=2,
    )


def succeeds(node: Node) -> bool:
    """Tell whether a part has to succeed: a broken agent fails all that is around it up to a guard with another way."""
    if node.kind == "broken":
        return False
    if node.kind == "any":
        return any(succeeds(part) for part in node.parts)
    if node.kind == "branch":
        return succeeds(node.parts[0])
    return all(succeeds(part) for part in node.parts)


def lacks(node: Node) -> bool:
    """Tell whether a part that succeeds has a branch that failed."""
    if node.kind == "any":
        return any(not succeeds(part) or lacks(part) for part in node.parts)
    if node.kind == "branch":
        return lacks(node.parts[0])
    return any(lacks(part) for part in node.parts)


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and all in it."""
    yield node
    for part in node.parts:
        yield from walk(part)
