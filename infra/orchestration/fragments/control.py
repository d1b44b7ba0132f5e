"""How steps follow each other: one after the other, at once, one of several, again until it is good enough."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from aws_cdk import aws_stepfunctions as sfn

from infra.orchestration.fragments.base import Fragment
from infra.orchestration.fragments.exports import Known
from infra.orchestration.fragments.jsonata import (
    DATA,
    ROUND,
    STOPS,
    build_catch_output,
    drop_fields,
    merge,
    pick_fields,
    to_literal,
    wrap_jsonata,
)
from infra.orchestration.fragments.states import create_pass
from infra.orchestration.fragments.steps import ModelTask, Nothing
from infra.orchestration.fragments.workflow import Workflow

_LARGEST_BRANCHES = 20


@dataclass(frozen=True)
class AtLeast:
    """As a branches' policy: so many of them have to succeed. As a case: a number from which on it is taken.

    Attributes:
        value: how many, or which number.
    """

    value: float


Case = str | int | bool | AtLeast
Cases = Mapping[Any, Fragment]
"""Parts by values (`Case`). ``Any``: a mapping's type of keys must fit exactly, and a file's has one kind only."""
Policy = Literal["all", "any"] | AtLeast


class Sequential(Fragment):
    """One part after the other. No state of its own."""

    def __init__(self, flow: Workflow, name: str, parts: Sequence[Fragment]) -> None:
        super().__init__(flow, name)
        if not parts:
            raise ValueError(f"'{name}' has no parts: give sequential() at least one")
        for part, following in pairwise(parts):
            part.connect_to(following)
        self._parts = parts
        self.owned = tuple(name for part in parts for name in part.owned)
        self.certain = tuple(name for part in parts for name in part.certain)
        self.span = max(part.span for part in parts)
        self.first, self.ends = parts[0].first, parts[-1].ends
        self.result = parts[-1].result

    def resolve(self, known: Known) -> Known:
        """See `Fragment`."""
        for part in self._parts:
            known = part.resolve(known)
        return known


class Parallel(Fragment):
    """Parts at once.

    ``all``: each has to succeed; the first failure ends the others. ``any`` or `AtLeast`: each branch is guarded, so
    that a failure ends that branch only; the data says which failed, templates say that there is no result, and the
    run has a notice. One state; with guards two more, and one more a branch.
    """

    def __init__(self, flow: Workflow, name: str, branches: Sequence[Fragment], needs: Policy = "all") -> None:
        super().__init__(flow, name)
        if not 0 < len(branches) <= _LARGEST_BRANCHES:
            raise ValueError(f"'{name}' has {len(branches)} branches: give parallel() 1 to {_LARGEST_BRANCHES}")
        self._branches = branches
        guarded = needs != "all"
        own = [(*branch.owned, *([] if branch.leaf or not guarded else [branch.name])) for branch in branches]
        self.owned = tuple(one for names in own for one in names)
        self.certain = tuple(name for branch in branches for name in branch.certain)
        self.span = max(branch.span for branch in branches)
        results = [pick_fields(f"$states.result[{place}]", names) for place, names in enumerate(own)]
        together = sfn.Parallel.jsonata(
            self, name, outputs=wrap_jsonata(merge(drop_fields(DATA, self.owned), *results))
        )
        for branch in branches:
            together.branch(Guard(flow, branch) if guarded else branch)
        self.first = together
        self.ends = [self._create_quorum_check(together, needs)] if guarded else [together]

    def _create_quorum_check(self, together: sfn.Parallel, needs: Policy) -> sfn.Pass:
        """Return the state that is entered where enough branches have succeeded."""
        least = round(needs.value) if isinstance(needs, AtLeast) else 1
        statuses = ", ".join(f"{DATA}.{branch.name}.status" for branch in self._branches)
        failures = f"$count([{statuses}][$ = 'failed'])"
        few = sfn.Fail.jsonata(
            self,
            f"{self.name}: too few",
            error="StepFailed",
            cause=f"fewer than {least} of the {len(self._branches)} branches of '{self.name}' succeeded",
        )
        on = create_pass(self, f"{self.name}: enough", DATA)
        choice = sfn.Choice.jsonata(self, f"{self.name}: how many")
        choice.when(sfn.Condition.jsonata(wrap_jsonata(f"{failures} > {len(self._branches) - least}")), few)
        choice.otherwise(on)
        together.next(choice)
        return on

    def resolve(self, known: Known) -> Known:
        """See `Fragment`."""
        after = dict(known)
        for branch in self._branches:
            after |= branch.resolve(known)
        return after


class Guard(Fragment):
    """A branch whose failure ends it alone. One state."""

    def __init__(self, flow: Workflow, inner: Fragment) -> None:
        super().__init__(flow, f"{inner.name}_guarded")
        self._inner = inner
        self.owned, self.span, self.leaf, self.certain = inner.owned, inner.span, inner.leaf, inner.certain
        self.result = inner.result
        # A failed branch leaves its own name only, with what failed.
        self._failed = create_pass(
            self,
            f"{inner.name}: failed branch",
            merge(f"{DATA}.data", f"{{'{inner.name}': {{'status': 'failed', 'error': {DATA}.error}}}}"),
        )
        self._stop = sfn.Fail.jsonata(
            self, f"{inner.name}: stop", error=wrap_jsonata(f"{DATA}.error"), cause=wrap_jsonata(f"{DATA}.cause")
        )
        kept = drop_fields("$states.result[0]", [] if inner.leaf else [inner.name])
        box = sfn.Parallel.jsonata(self, f"{inner.name}: branch", outputs=wrap_jsonata(kept))
        box.branch(inner)
        box.add_catch(self._stop, errors=list(STOPS), outputs=wrap_jsonata(build_catch_output(DATA)))
        box.add_catch(self._failed, errors=["States.ALL"], outputs=wrap_jsonata(build_catch_output(DATA)))
        self.first, self.ends = box, [box, self._failed]

    def resolve(self, known: Known) -> Known:
        """See `Fragment`."""
        return self._inner.resolve(known)


class Branch(Fragment):
    """One of several parts, by a field of an earlier result. One state, and one for a case without a part."""

    def __init__(
        self,
        flow: Workflow,
        name: str,
        on: str,
        cases: Cases,
        otherwise: Fragment | None = None,
    ) -> None:
        """Make a branch.

        Args:
            flow: the workflow.
            name: of the branch.
            on: ``step.field``: of the fields that the step exports, or ``status``.
            cases: the parts by the field's value; a number may be `AtLeast`. The first that fits is taken.
            otherwise: where none fits; nothing by default.
        """
        super().__init__(flow, name)
        if not cases:
            raise ValueError(f"'{name}' has no cases: give branch() at least one")
        self._step, _, self._field = on.partition(".")
        other = otherwise or Nothing(flow, f"{name}_otherwise")
        self._arms = [*cases.values(), other]
        self._values: list[str | int | bool] = [value for value in cases if not isinstance(value, AtLeast)]
        choice = sfn.Choice.jsonata(self, name)
        for value, arm in cases.items():
            choice.when(sfn.Condition.jsonata(wrap_jsonata(self._build_condition(value))), arm.first)
        choice.otherwise(other.first)
        self.owned = tuple(one for arm in self._arms for one in arm.owned)
        self.span = max(arm.span for arm in self._arms)
        self.first, self.ends = choice, [end for arm in self._arms for end in arm.ends]

    def _build_condition(self, value: Case) -> str:
        field = f"{DATA}.{self._step}.{self._field}"
        if isinstance(value, AtLeast):
            return f"$type({field}) = 'number' ? {field} >= {value.value} : false"
        return f"{field} = {to_literal(value)}"

    def resolve(self, known: Known) -> Known:
        """See `Fragment`."""
        self.flow.check_exported(self.name, "on", self._step, self._field, known, self._values)
        after = dict(known)
        for arm in self._arms:
            after |= arm.resolve(known)
        return after


class Refine(Fragment):
    """Produce, judge, improve, until a score is reached or all rounds are used. Keeps the best.

    After it, the draft's name refers to the best draft and the judge's to what the judge said of it; its own name has
    the fields ``status`` (``met`` or ``capped``), ``rounds`` and ``score``. While it runs, the draft's name refers to
    the newest draft. Two states of its own, and two more a further round.
    """

    FIELDS = frozenset({"rounds", "score"})

    def __init__(
        self,
        flow: Workflow,
        name: str,
        *,
        produce: Fragment,
        judge: ModelTask,
        improve: Fragment,
        score: str,
        threshold: float,
        rounds: int,
    ) -> None:
        """Make a loop.

        Args:
            flow: the workflow.
            name: of the loop.
            produce: makes the first draft; its last step is the draft.
            judge: gives the draft a score.
            improve: makes a better draft; its last step takes the draft's place.
            score: the judge's field with the score, a number.
            threshold: the score from which on a draft is good enough.
            rounds: drafts at most.
        """
        super().__init__(flow, name)
        if not 1 <= rounds <= 20:
            raise ValueError(f"'{name}' has {rounds} rounds: give refine() 1 to 20")
        self._parts = (produce, judge, improve)
        self._draft, self._better = result_of(name, produce), result_of(name, improve)
        self.result = self._draft
        self._judge, self._score = judge.name, score
        self._threshold, self._rounds = threshold, rounds
        self._stride = max(part.span for part in self._parts)
        self.span = self._stride * rounds
        self.certain = (*produce.certain, *judge.certain)
        self._own = f"_{name}"
        self.owned = tuple(dict.fromkeys([*(one for part in self._parts for one in part.owned), name]))
        self.first, self.ends = produce.first, [self._connect_parts(name)]

    def _connect_parts(self, name: str) -> sfn.Pass:
        """Put the parts into a circle, and return the state in which it ends."""
        produce, judge, improve = self._parts
        done = create_pass(self, f"{name}: best", self._finish_loop())
        again = create_pass(self, f"{name}: again", self._replace_draft())
        enough = sfn.Choice.jsonata(self, f"{name}: good enough", outputs=wrap_jsonata(self._record_best()))
        enough.when(self._build_met_condition(), done, outputs=wrap_jsonata(self._record_best()))
        enough.when(self._build_continue_condition(), improve.first, outputs=wrap_jsonata(self._begin_round()))
        enough.otherwise(done)
        again.next(judge.first)
        produce.connect_to(judge.first)
        judge.connect_to(enough)
        improve.connect_to(again)
        return done

    def resolve(self, known: Known) -> Known:
        """See `Fragment`."""
        produce, judge, improve = self._parts
        known = produce.resolve(known)
        known = judge.resolve(known)
        self.flow.check_exported(self.name, "score", self._judge, self._score, known, [], number=True)
        return {**improve.resolve(known), self.name: self.FIELDS}

    # What the loop keeps in the data: how often it went round, and the best draft with its score. All references.

    def _loop_data(self) -> str:
        return f"{DATA}.{self._own}"

    def _current_score(self) -> str:
        return f"{DATA}.{self._judge}.{self._score}"

    def _best_draft(self) -> str:
        """Return the expression of the best so far; of two that are as good, the first."""
        this = f"{{'score': {self._current_score()}, 'draft': {DATA}.{self._draft}, 'judged': {DATA}.{self._judge}}}"
        best = f"{self._loop_data()}.best"
        return f"($exists({best}) and {best}.score >= {self._current_score()} ? {best} : {this})"

    def _round_count(self) -> str:
        return f"($exists({self._loop_data()}) ? {self._loop_data()}.gone : 0)"

    def _record_best(self) -> str:
        """Return the data with the best so far."""
        return merge(DATA, f"{{'{self._own}': {{'gone': {self._round_count()}, 'best': {self._best_draft()}}}}}")

    def _begin_round(self) -> str:
        """Return the data as the next round begins: everything that is done again has a new place."""
        kept = f"{{'gone': {self._round_count()} + 1, 'best': {self._best_draft()}}}"
        return merge(DATA, f"{{'{ROUND}': {DATA}.{ROUND} + {self._stride}, '{self._own}': {kept}}}")

    def _replace_draft(self) -> str:
        """Return the data with the better draft in the draft's place."""
        return merge(DATA, f"{{'{self._draft}': {DATA}.{self._better}}}")

    def _build_met_condition(self) -> sfn.Condition:
        return sfn.Condition.jsonata(wrap_jsonata(f"{self._current_score()} >= {to_literal(self._threshold)}"))

    def _build_continue_condition(self) -> sfn.Condition:
        return sfn.Condition.jsonata(wrap_jsonata(f"{self._round_count()} < {self._rounds - 1}"))

    def _finish_loop(self) -> str:
        """Return the data after the loop: the best in place, the counter as it was before."""
        best = f"{self._loop_data()}.best"
        status = f"({best}.score >= {to_literal(self._threshold)} ? 'met' : 'capped')"
        told = f"{{'status': {status}, 'rounds': {self._loop_data()}.gone + 1, 'score': {best}.score}}"
        count = f"{DATA}.{ROUND} - {self._loop_data()}.gone * {self._stride}"
        kept = f"{{'{self._draft}': {best}.draft, '{self._judge}': {best}.judged}}"
        return merge(drop_fields(DATA, [self._own]), kept, f"{{'{self.name}': {told}, '{ROUND}': {count}}}")


def result_of(name: str, part: Fragment) -> str:
    """Return the name of the step that a part's result is."""
    if part.result is None:
        raise ValueError(f"'{name}': its part '{part.name}' has more than one result: end the part with one step")
    return part.result
