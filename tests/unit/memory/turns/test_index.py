"""What was said is found by its words, its meaning, its neighbours and its speaker."""

from dataclasses import replace

from pentad.memory.turns.index import WEIGHTS, Ranking, Weights, rank_said
from pentad.memory.turns.ports import Owner
from pentad.memory.turns.said import Said
from pentad.memory.turns.select import find_nearest
from tests.unit.memory.fakes import embed
from tests.unit.memory.turns.talk import ADA, LATER, MODEL, keep, say

TALK = (
    say("Where did you go last summer?", 0, speaker="assistant"),
    say("We hiked around the lakes of Carinthia.", 1),
    say("Was the food good?", 2, speaker="assistant"),
    say("Yes, the dumplings were great.", 3),
    say("My bank account is at the river branch.", 0, session="s2"),
    say("Noted.", 1, session="s2", speaker="assistant"),
    say("The printer on the third floor is broken.", 0, session="s3"),
)


def rank(question: str, *, store: Said | None = None, dense: bool = True, weights: Weights = WEIGHTS) -> Ranking:
    memory = (store or keep(*TALK)).load(ADA)
    return rank_said(memory, question, embed(question) if dense else None, model=MODEL, weights=weights)


def best(ranking: Ranking) -> str:
    return ranking.scored[0].utterance.text


def test_the_best_has_the_words_of_the_question_with_and_without_vectors() -> None:
    for dense in (True, False):
        assert best(rank("which printer is broken", dense=dense)) == "The printer on the third floor is broken."


def test_an_answer_is_found_by_the_question_before_it() -> None:
    found = [one.utterance.text for one in rank("summer", dense=False).scored[:2]]
    assert "We hiked around the lakes of Carinthia." in found
    without = replace(WEIGHTS, previous=0.0, near=0.0, next_near=0.0, session=0.0)
    scores = {one.utterance.text: one.score for one in rank("summer", dense=False, weights=without).scored}
    assert scores["We hiked around the lakes of Carinthia."] == scores["Noted."]


def test_a_speaker_whom_the_question_names_counts() -> None:
    store = keep(
        say("I like tea.", 0, speaker="Caroline"),
        say("I like tea.", 1, speaker="Melanie"),
        say("Good.", 2, speaker="Caroline"),
        say("Fine.", 3, speaker="Melanie"),
    )
    for name in ("Caroline", "Melanie"):
        ranking = rank(f"What does {name} like to drink, tea?", store=store)
        assert (ranking.scored[0].utterance.speaker, best(ranking)) == (name, "I like tea.")
        assert ranking.scored[0].signals["named"] == WEIGHTS.named
    both = rank("Do Caroline and Melanie like tea?", store=store)
    assert {one.signals["named"] for one in both.scored} == {0.0}


def test_a_score_is_the_sum_of_its_signals_and_an_equal_one_has_an_order() -> None:
    ranking = rank("the lakes of Carinthia")
    for one in ranking.scored:
        assert abs(sum(one.signals.values()) - one.score) < 1e-9
    assert ranking == rank("the lakes of Carinthia")


def test_vectors_of_another_model_are_not_compared() -> None:
    memory = keep(*TALK).load(ADA)
    ranking = rank_said(memory, "printer", embed("printer"), model="other/256")
    assert {one.cosine for one in ranking.scored} == {None}
    assert best(ranking) == "The printer on the third floor is broken."


def test_what_has_no_vector_yet_is_found_by_its_words() -> None:
    store = keep(*TALK)
    store.add(ADA, [say("The scanner is on fire.", 1, session="s3")], expires_at=LATER)
    assert best(rank("scanner", store=store)) == "The scanner is on fire."


def test_cover_and_cosine_tell_how_near_the_nearest_is() -> None:
    near, far = rank("printer third floor broken"), rank("quantum chromodynamics")
    first, second = find_nearest(near.scored, near.usual), find_nearest(far.scored, far.usual)
    assert (first.cover, second.cover) == (1.0, 0.0)
    assert first.is_needed
    assert not second.is_needed


def test_where_nothing_was_said_or_asked_there_is_no_error() -> None:
    assert rank_said(Said(keep()._items).load(Owner("acme", "nobody", "s")), "why?") == Ranking()
    assert len(rank("").scored) == len(TALK)
    assert len(rank("?!").scored) == len(TALK)
