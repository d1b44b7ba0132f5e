"""What is played, wished, held once or said by others is no fact, unless the text says so."""

import pytest

from pentad.memory.facts.gate import unreal
from pentad.memory.facts.gate.write_gate import WriteGate
from tests.unit.memory.facts.talk import START, found, say

STAGED = "it is played, or made up for a test"
ONCE = "it was so once, which its text leaves out"
NEARLY = "it nearly happened, which its text leaves out"
WISH = "it is a wish, which its text leaves out"
VIEW = "it is what others say, which its text leaves out"


def judge(said: str, text: str) -> str:
    return WriteGate("s-1", say(f"u: {said}"), START).judge(found(said, text)).verdict.reason


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("In this scene I am a surgeon from Boston.", "The user is a surgeon from Boston."),
        ("My character is a dwarf called Thrain and I live in Moria.", "The user lives in Moria."),
        ("For this exercise, I am a customer who owns a red Volvo.", "The user owns a red Volvo."),
        ("In another life I live in Lisbon and surf all day.", "The user lives in Lisbon and surfs."),
        ("Test input: my name is John Doe from Main Street.", "The user's name is John Doe from Main Street."),
        ("This is only a test: I am a diabetic from Graz.", "The user is a diabetic from Graz."),
        ("Dummy record: I work at ACME as a tester.", "The user works at ACME as a tester."),
        ("Gesetzt den Fall, ich wohne in Kiel.", "The user lives in Kiel."),
        ("Imaginons que j'habite \u00e0 Lyon.", "The user lives in Lyon."),
    ],
)
def test_what_is_played_or_made_up_is_refused(said: str, text: str) -> None:
    assert judge(said, text) == STAGED


@pytest.mark.parametrize(
    ("said", "text", "why"),
    [
        ("I was vegan until last year.", "The user is vegan.", ONCE),
        ("Until March I was head of sales at Bosch.", "The user is head of sales at Bosch.", ONCE),
        ("I once had a cat named Minka.", "The user has a cat named Minka.", ONCE),
        ("Fr\u00fcher habe ich in Bremen gewohnt.", "The user lives in Bremen.", ONCE),
        ("J'habitais autrefois \u00e0 Nantes.", "The user lives in Nantes.", ONCE),
        ("I nearly became a priest.", "The user is a priest.", NEARLY),
        ("I almost bought a Tesla last year.", "The user bought a Tesla last year.", NEARLY),
        ("My dream is to own a sailing boat.", "The user owns a sailing boat.", WISH),
        ("They call me lazy at work.", "The user is lazy at work.", VIEW),
    ],
)
def test_a_text_may_not_leave_out_what_changes_it(said: str, text: str, why: str) -> None:
    assert judge(said, text) == why


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("I was vegan until last year.", "The user was vegan until last year."),
        ("I once had a cat named Minka.", "The user once had a cat named Minka."),
        ("My dream is to own a sailing boat.", "The user's dream is to own a sailing boat."),
        ("I have almost 20 years of experience in welding.", "The user has 20 years of experience in welding."),
        ("I eat fish once a week.", "The user eats fish once a week."),
        ("As a student I lived in Leipzig, now I live in Bonn.", "The user lives in Bonn."),
        ("I was diagnosed with asthma as a child.", "The user has asthma, diagnosed as a child."),
        ("I play a character in the local theatre group.", "The user plays in the local theatre group."),
        ("My friends call me Sam.", "The user is called Sam."),
        ("Before I moved to Graz I worked at Bosch, now I work at AVL.", "The user works at AVL."),
    ],
)
def test_what_is_told_whole_is_kept(said: str, text: str) -> None:
    assert judge(said, text) == "new"


def test_what_nobody_does_is_denied() -> None:
    assert "denies" in judge("I say it as it is: nobody in my family speaks Dutch.", "The user's family speaks Dutch.")


def test_mocking_is_told_by_both_ends() -> None:
    assert judge("Sure, I'm a millionaire with three yachts, obviously.", "The user is a millionaire.") == (
        "the user was joking"
    )
    assert not unreal.is_mocking("Sure, I'm a millionaire with three yachts.")
    assert not unreal.is_mocking("I live in Graz, obviously.")
