"""Find which of several facts a correction is about. Pure.

"Not Berlin" alone does not say whether a home or a job is meant: of the facts that hold the wrong words, the one counts
that says the same otherwise, then one of the same subject, one that still holds, one that shares more words, and last
the newest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from pentad.memory.facts.normal_forms import find_content, split_words
from pentad.memory.facts.word_groups import find_groups

_LIGHT: Final = frozenset(find_content("call called name named names say says"))
"""Words by which a name is given: they don't tell what has it."""
_KINDS: Final = find_groups(
    "live work wife girlfriend boyfriend son daughter mother father brother sister friend boss colleague grandmother "
    "grandfather uncle aunt cousin neighbour"
)
"""Groups of words of which a correction changes none into another: whoever corrects a home corrects no job."""


class Correcting(Protocol):
    """A statement that says what was wrong."""

    @property
    def text(self) -> str:
        """What it says."""
        ...

    @property
    def subject(self) -> str:
        """What it is about."""
        ...

    @property
    def replaces(self) -> str:
        """The words that were wrong."""
        ...


class Candidate(Protocol):
    """A fact that may be meant."""

    @property
    def text(self) -> str:
        """What it says."""
        ...

    @property
    def words(self) -> frozenset[str]:
        """The words of its text that say something, by their stems."""
        ...

    @property
    def subject(self) -> str:
        """What it is about."""
        ...

    @property
    def is_open(self) -> bool:
        """Whether nothing stands in its place yet."""
        ...

    @property
    def since(self) -> datetime:
        """When it was first said."""
        ...


@dataclass(frozen=True, order=True)
class _Fit:
    """How well a fact fits a correction: compared from the first attribute to the last."""

    covered: bool
    same_subject: bool
    is_open: bool
    shared: int

    def is_near(self, other: "_Fit") -> bool:
        """Tell whether another one says the same of what is meant, wherever it stands."""
        return (self.covered, self.shared) == (other.covered, other.shared)


def find_targets(one: Correcting, candidates: Sequence[Candidate]) -> list[int]:
    """Return the places of the candidates that fit best, the newest first; none where none holds the wrong words."""
    fits = _find_fits(one, candidates)
    best = max((fit for _, fit in fits), default=None)
    equal = [place for place, fit in fits if fit == best]
    return sorted(equal, key=lambda place: candidates[place].since, reverse=True)


def find_all_ended(one: Correcting, candidates: Sequence[Candidate]) -> list[int]:
    """Return the places of all candidates of one subject that a correction puts an end to.

    Two that say the same in other words end both; of a cat and a dog of one name only the one that is named does.
    """
    fits = _find_fits(one, candidates)
    best = max((fit for _, fit in fits), default=None)
    return [place for place, fit in fits if best is not None and (fit.covered or fit.is_near(best))]


def is_ambiguous(one: Correcting, candidates: Sequence[Candidate]) -> bool:
    """Tell whether facts of several subjects fit a correction equally well."""
    return len({candidates[place].subject for place in find_targets(one, candidates)}) > 1


def _find_fits(one: Correcting, candidates: Sequence[Candidate]) -> list[tuple[int, _Fit]]:
    wrong, said = set(find_content(one.replaces)), set(find_content(one.text))
    groups = find_groups(one.text)
    fits: list[tuple[int, _Fit]] = []
    for place, candidate in enumerate(candidates):
        if not wrong or not wrong <= candidate.words:
            continue
        its, mine = find_groups(candidate.text) & _KINDS, groups & _KINDS
        if its - mine and mine - its:
            continue
        rest = candidate.words - wrong - _LIGHT
        groups_of = {stem: find_groups(word) for word in split_words(candidate.text) for stem in find_content(word)}
        covered = all(word in said or groups_of[word] & groups for word in rest)
        fits.append((place, _Fit(covered, candidate.subject == one.subject, candidate.is_open, len(rest & said))))
    return fits
