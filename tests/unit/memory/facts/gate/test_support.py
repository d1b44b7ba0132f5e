"""A text that says something else than its evidence is refused: the contrary, somebody else's, another number."""

from typing import Any

import pytest

from pentad.memory.facts.gate import sentences
from pentad.memory.facts.gate.secrets import has_secret
from pentad.memory.facts.gate.write_gate import WriteGate
from tests.unit.memory.facts.talk import START, found, say

CONTRARY = "its text denies what its evidence says, or the other way round"
ANOTHER = "its evidence is about somebody else"
OTHER_NUMBER = "its text has a number of something else"
NO_NUMBER = "its text has a number that its evidence does not have"
TAKEN_BACK = "the user took it back in the next message"


def judge(said: str, text: str, *after: str, **changes: Any) -> str:
    gate = WriteGate("s-1", say(f"u: {said}", *after), START)
    return gate.judge(found(said, text, **changes)).verdict.reason


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("I don't eat meat.", "The user eats meat."),
        ("I'm not allergic to peanuts.", "The user is allergic to peanuts."),
        ("I no longer work at Acme.", "The user works at Acme."),
        ("I do not work at Acme any more.", "The user works at Acme."),
        ("I can't drive.", "The user can drive."),
        ("I have never smoked.", "The user has smoked."),
        ("We are not married, but we live together in Graz.", "The user is married."),
        ("I am vegetarian.", "The user is not vegetarian."),
        ("No, I don't live in Rome, I live in Bari.", "The user lives in Rome."),
        ("I neither drive nor cycle in Graz.", "The user does drive in Graz."),
        ("I hardly ever eat fish.", "The user eats fish."),
        ("I rarely eat fish.", "The user often eats fish."),
        ("I stopped smoking in May.", "The user smokes."),
    ],
)
def test_the_contrary_is_refused(said: str, text: str) -> None:
    assert judge(said, text) == CONTRARY


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("I don't eat meat.", "The user does not eat meat."),
        ("I no longer work at Acme.", "The user used to work at Acme."),
        ("I don't only speak German.", "The user speaks German."),
        ("I'm vegan, but I don't drink coffee.", "The user is vegan."),
        ("I don't drink coffee because I'm vegan.", "The user is vegan."),
        ("No I live in Kiel.", "The user lives in Kiel."),
        ("No, I live in Kiel, not in Bonn.", "The user lives in Kiel."),
        ("I have a wheelchair and can't use stairs.", "The user can't use stairs."),
        ("My wife and I live in Rome.", "The user lives in Rome."),
        ("My mother tongue is Polish.", "The user's mother tongue is Polish."),
        ("My husband Tom is a nurse.", "The user's partner Tom is a nurse."),
        ("My dog is called Rex.", "The user has a pet called Rex."),
        ("My daughter is allergic to nuts, so we avoid them.", "The user's daughter is allergic to nuts."),
        ("I have 2 dogs and 3 cats.", "The user has two dogs and three cats."),
        ("I have seven dogs.", "The user has 7 dogs."),
        ("I rarely eat fish.", "The user rarely eats fish."),
        ("I stopped smoking in May.", "The user stopped smoking in May."),
        ("I never stopped playing chess.", "The user plays chess."),
        ("I pay 1,000 euros of rent.", "The user pays 1000 euros of rent."),
        ("I pay 1 200 euros of rent.", "The user pays 1.200 euros of rent."),
        ("My flight leaves at 3pm on Friday.", "The user's flight leaves at 3 on Friday."),
        ("I moved to Kiel last year.", "The user moved to Kiel in 2025."),
        ("I worked 5 years at Acme, then 2 at Siemens.", "The user worked at Siemens for 2 years."),
        ("I have 2 big dogs and 3 cats.", "The user has 2 dogs."),
        ("I live with my wife in Berlin.", "The user lives in Berlin."),
        ("I'm a teacher with a PhD in physics.", "The user has a PhD in physics."),
        ("As a mother with two kids I get up at 5.", "The user has two kids."),
        ("I share a flat in Kiel with a friend who works at Acme.", "The user shares a flat in Kiel."),
        ("I have two kids with asthma.", "The user has two kids with asthma."),
    ],
)
def test_what_the_evidence_says_is_kept(said: str, text: str) -> None:
    assert judge(said, text) == "new"


@pytest.mark.parametrize(
    ("said", "text", "why"),
    [
        ("My father has diabetes.", "The user has diabetes.", ANOTHER),
        ("My sister lives in Rome.", "The user lives in Rome.", ANOTHER),
        ("My sister is allergic to nuts and I am not.", "The user is allergic to nuts.", ANOTHER),
        ("My friend says I am a great cook.", "The user is a great cook.", ANOTHER),
        ("My boss thinks I should move to Berlin.", "The user should move to Berlin.", ANOTHER),
        ("Our neighbour's dog is three years old.", "The user is three years old.", ANOTHER),
        ("My mother-in-law works at Acme.", "The user works at Acme.", ANOTHER),
        ("My character lives in Rome.", "The user lives in Rome.", ANOTHER),
        ("Yesterday I learned that my son has a peanut allergy.", "The user has a peanut allergy.", ANOTHER),
        ("I have a son with a peanut allergy.", "The user has a peanut allergy.", ANOTHER),
        ("I share a flat with a friend who works at Acme.", "The user works at Acme.", ANOTHER),
        ("I work with patients with diabetes.", "The user has diabetes.", ANOTHER),
        ("I am the mother of a girl who plays chess.", "The user plays chess.", ANOTHER),
        ("I have 2 dogs and 3 cats.", "The user has 3 dogs and 2 cats.", OTHER_NUMBER),
        ("I have 2 big dogs and 3 cats.", "The user has 3 dogs.", OTHER_NUMBER),
        ("I keep aquariums, 1 big and 2 small.", "The user keeps 12 aquariums.", NO_NUMBER),
        ("I have kids and I moved here in 2015.", "The user has 5 kids.", NO_NUMBER),
        ("I have lived in Kiel since 2015 with my kids.", "The user lives in Kiel with 3 kids.", NO_NUMBER),
        ("I pay 950 euros of rent.", "The user pays 95 euros of rent.", NO_NUMBER),
        ("I have two dogs and three cats.", "The user has two cats.", OTHER_NUMBER),
    ],
)
def test_what_it_says_of_another_is_refused(said: str, text: str, why: str) -> None:
    assert judge(said, text) == why


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("Mieszkam w Krakowie.", "The user lives in Kraków."),
        ("\u0130stanbul'da ya\u015f\u0131yorum.", "The user lives in Istanbul."),
        ("Asun Tampereella ja olen opettaja.", "The user lives in Tampere and teaches."),
    ],
)
def test_other_languages_are_the_users_own_words(said: str, text: str) -> None:
    assert judge(said, text) == "new"


def test_a_contrast_without_a_verb_corrects() -> None:
    changes = {"kind": "correction", "replaces": "Bonn"}
    assert judge("It's Kiel, not Bonn.", "The user lives in Kiel.", **changes) == "new"
    assert judge("It's Kiel, not Bonn.", "The user lives in Ulm.", **changes) != "new"


@pytest.mark.parametrize(
    "retraction",
    ["just kidding!", "Haha, I was joking.", "Actually that's wrong, ignore it.", "Scratch that.", "I made that up",
     "Forget what I said.", "Don\u2019t save that please.", "Das war nur Spa\u00df.", "Forget it, ok?", "jk lol",
     "I was only testing you.", "Scratch that, I am at Bolt.", "Don't store this in your memory.",
     "Vergiss das bitte."],
)  # fmt: skip
def test_what_the_next_message_takes_back_is_refused(retraction: str) -> None:
    assert judge("I work at Acme.", "The user works at Acme.", "a: Noted.", f"u: {retraction}") == TAKEN_BACK


@pytest.mark.parametrize(
    "following",
    ["That's wrong, the capital is Canberra.", "Never mind.", "It's not working.", "Forget it's raining, let's go.",
     "Ignore it if the test fails.", "Don't save that file yet, run it first.", "Scratch that itch!",
     "I was just testing the new camera and love it.", "Vergiss das Brot nicht.", "I lied down for an hour."],
)  # fmt: skip
def test_what_the_next_message_says_of_something_else_takes_nothing_back(following: str) -> None:
    assert judge("I work at Acme.", "The user works at Acme.", "a: Sydney.", f"u: {following}") == "new"


@pytest.mark.parametrize(
    "text",
    [
        "\u041c\u043e\u0439 \u043f\u0430\u0440\u043e\u043b\u044c \u0411\u0430\u0440\u0441\u0438\u043a.",
        "\u6211\u7684\u5bc6\u7801\u662f\u5c0f\u72d7\u56db\u4e8c\u3002",
        "\u30d1\u30b9\u30ef\u30fc\u30c9\u306f\u72ac42\u3067\u3059\u3002",
        "\ub0b4 \ube44\ubc00\ubc88\ud638\ub294 \ubcf4\ub9ac42\uc785\ub2c8\ub2e4.",
        "Minha senha \u00e9 cachorro42.",
        "Ma cl\u00e9 d'API est abcd1234efgh.",
        "Ma cl\u00e9 d\u2019API est abcd1234efgh.",
        "Moje has\u0142o to pies42.",
        "Mijn wachtwoord is hond42.",
        "My alarm code is 4821.",
        "The code to my safe is 48213.",
        "My wallet seed is apple banana cherry dog.",
        "My TAN list starts with 884213.",
        "My wifi key is blue-horse-77.",
        "My login is ada and hunter2 gets me in.",
        "I have number 078-05-1120 on my card.",
        "My card is 4111 1111 1111 1111.",
        "My card is 4111.1111.1111.1111.",
        "My card is 4111\u00a01111\u00a01111\u00a01111.",
        "My card is 4111\u20131111\u20131111\u20131111.",
        "My card is \uff14\uff11\uff11\uff11 1111 1111 1111.",
    ],
)
def test_secrets_are_told_in_many_languages_and_forms(text: str) -> None:
    assert has_secret(text)


@pytest.mark.parametrize(
    "text",
    [
        "My token ring collection has 30 pieces.",
        "I'm a cook with a secret sauce.",
        "I write code for my company in Kiel.",
        "The dress code of my office is casual.",
        "My area code is 030 and my zip code is 10115.",
        "I like a combination of tea and milk.",
        "I have a teaching credential.",
        "My order 4111 1111 1111 1112 has not arrived.",
        "I play the keys in a band.",
        "Io cerco una parola nuova.",
    ],
)
def test_words_that_only_resemble_secrets_are_none(text: str) -> None:
    assert not has_secret(text)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\v", "\f", "\x85", "\u2028", "\u2029"])
def test_a_sentence_ends_with_its_line(end: str) -> None:
    text = f"I met Dr.{end}I live in Rome{end}{end}ok"
    spans = [text[first:last] for first, last in sentences.split_spans(text)]
    assert spans == ["I met Dr.", "I live in Rome", "ok"]
