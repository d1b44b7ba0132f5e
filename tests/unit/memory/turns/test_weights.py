"""What each weight is worth: a turn that is found with it, and not without."""

from dataclasses import replace

import pytest

from pentad.domain.knowledge import Utterance
from pentad.memory.turns.index import WEIGHTS, Weights, rank_said
from pentad.memory.turns.segments import quantise
from tests.unit.memory.fakes import embed
from tests.unit.memory.turns.talk import ADA, LATER, MODEL, keep, say

FILLER = tuple(
    say(text, seq, session="s9", speaker="assistant" if seq % 2 else "ada")
    for seq, text in enumerate(
        (
            "The meeting is on Monday.",
            "Noted.",
            "Please order paper.",
            "It is ordered.",
            "The lamp flickers.",
            "I told the janitor.",
            "My train was late.",
            "That is a pity.",
        )
    )
)


def find_rank(
    question: str, evidence: Utterance, *others: Utterance, weights: Weights, meanings: dict[str, str] | None = None
) -> int:
    """Return the place of the evidence among all that was said; ``meanings``: texts whose vectors some have."""
    said = (evidence, *others, *FILLER)
    store = keep(*said, vectors=False)
    meant = {one.place: (meanings or {}).get(one.text, one.text) for one in said}
    store.add_vectors(ADA, MODEL, {place: quantise(embed(text)) for place, text in meant.items()}, expires_at=LATER)
    ranking = rank_said(store.load(ADA), question, embed(question), model=MODEL, weights=weights)
    return [one.utterance for one in ranking.scored].index(evidence)


CASES = {
    # A name that only one has, which vectors of whole sentences blur.
    "words": (
        "Did Zebulon call?",
        say("Zebulon rang at noon.", 0),
        (say("Somebody phoned you today.", 0, session="s2"),),
        {
            "Zebulon rang at noon.": "noon bell rang",
            "Somebody phoned you today.": "did call today",
        },
    ),
    # Other words for the same.
    "dense": (
        "What pet does she have?",
        say("A tabby lives with me.", 0),
        (say("What does it cost?", 0, session="s2"),),
        {"A tabby lives with me.": "what pet does she have", "What does it cost?": "cost price money"},
    ),
    # The answer says nothing by itself; the question before it does.
    "previous": (
        "favourite holiday destination",
        say("Portugal, always.", 1, session="s3"),
        (
            say("Your favourite holiday destination?", 0, session="s3", speaker="assistant"),
            say("Portugal, always again.", 0, session="s2"),
        ),
        {"Your favourite holiday destination?": "x", "Portugal, always.": "y", "Portugal, always again.": "y"},
    ),
    # Beside what fits.
    "near": (
        "the broken boiler in the cellar",
        say("Yes, since Tuesday.", 1, session="s3"),
        (
            say("Is the boiler in the cellar broken?", 2, session="s3", speaker="assistant"),
            say("Yes, since Tuesday evening.", 0, session="s4"),
        ),
        {"Yes, since Tuesday.": "y", "Yes, since Tuesday evening.": "y"},
    ),
    "next_near": (
        "the broken boiler in the cellar",
        say("Yes, since Tuesday.", 0, session="s3"),
        (
            say("I see.", 1, session="s3", speaker="assistant"),
            say("The boiler in the cellar is broken.", 2, session="s3"),
            say("Yes, since Tuesday evening.", 0, session="s4"),
        ),
        {"Yes, since Tuesday.": "y", "Yes, since Tuesday evening.": "y", "I see.": "z"},
    ),
    # In a session that is about it.
    "session": (
        "hiking boots for the trip",
        say("They cost ninety.", 0, session="s3"),
        (
            say("Ok.", 1, session="s3", speaker="assistant"),
            say("Fine.", 2, session="s3"),
            say("And hiking boots for the trip?", 3, session="s3"),
            say("They cost ninety euros.", 0, session="s1"),
        ),
        {"They cost ninety.": "y", "They cost ninety euros.": "y", "Ok.": "z", "Fine.": "z"},
    ),
    # Said by the one whom the question names.
    "named": (
        "What does Melanie drink?",
        say("I drink tea.", 0, session="s3", speaker="Melanie"),
        (
            say("Hello there.", 1, session="s3", speaker="Melanie"),
            say("I drink tea!", 0, session="s1", speaker="Caroline"),
            say("Hello.", 1, session="s1", speaker="Caroline"),
        ),
        {"I drink tea.": "drink", "I drink tea!": "drink"},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_turn_is_found_with_a_weight_and_stands_behind_without_it(name: str) -> None:
    question, evidence, others, meanings = CASES[name]
    # What stands beside a fitting turn has its score too: without that, the words before have to do it alone.
    base = replace(WEIGHTS, near=0.0, next_near=0.0, session=0.0) if name == "previous" else WEIGHTS
    found = find_rank(question, evidence, *others, weights=base, meanings=meanings)
    lost = find_rank(question, evidence, *others, weights=replace(base, **{name: 0.0}), meanings=meanings)
    assert found < lost
