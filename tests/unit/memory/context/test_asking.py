"""What asks may need what was said earlier; what only tells does not, and what is not known counts as asking."""

import pytest

from pentad.memory.context.asking import is_courtesy, is_mere_question, looks_back, may_ask


@pytest.mark.parametrize(
    "text",
    [
        "Where did we leave the car",
        "How's the store going?",
        "I moved to Graz. Do you know a good baker there?",
        "Book me a table for two on Friday.",
        "Plan my weekend!  What should I pack?",
        "Multiply seventeen by twelve",
        "Prepare the slides for Monday.",
        "Please write a birthday card for my sister!",
        "I can't remember the name of the vet.",
        "Same as last time.",
        "I told you about my knee, it is worse now.",
        "Remind me what the plumber wanted.",
        "Wo wohne ich",
        "Kannst du mir einen Tisch bestellen",
        "Où est ma voiture",
        "Recuérdame el nombre del médico",
        "Wie besprochen, am Freitag.",
        "我住在哪里",
        "私はどこに住んでいますか",
        "Где я живу",
        "أين أسكن؟",
        "Ich bin nach Graz gezogen. Die Wohnung ist schön.",
        "yes?",
        "x " * 600,
        "log line\n" * 60,
    ],
)
def test_a_question_a_request_and_a_look_back_may_ask(text: str) -> None:
    assert may_ask(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Thanks!",
        "Wow, that looks great! Congrats on the new piece.",
        "I moved to Graz last week, and the flat is lovely.",
        "Can't wait! See you on Friday.",
        "Let's keep going and chase our dreams!",
        "Check out my painting for the art show! Hope you like it.",
        "It reminds me of my grandma. Don't forget to smile.",
        "Remember to rest, and enjoy the sun.",
        "Dance makes me happy. Gina, that's so sweet of you.",
        "Glad you like it. Been hectic for me lately.",
        "Yes, we made pizza with the kids; it was so much fun.",
    ],
)
def test_what_only_tells_something_asks_nothing(text: str) -> None:
    assert not may_ask(text)


@pytest.mark.parametrize("text", ["?" * 5_000, "a? " * 300, "\ud800" * 10, "I " * 499, "." * 1_000, "\n" * 1_000])
def test_odd_texts_are_told_apart_too(text: str) -> None:
    assert may_ask(text) in (True, False)


@pytest.mark.parametrize(
    ("text", "courtesy"),
    [
        ("Thanks for that.", True),
        ("Thank you so much, that helps a lot! Bye.", True),
        ("OK", True),
        ("", True),
        ("Thanks. I moved to Graz last week.", False),
        ("Thanks, and where is it?", False),
        ("I bought a car.", False),
        ("Why?", False),
        ("ok. " * 100, False),
        ("Thanks for the long letter about the house in the hills, which my brother has bought from his aunt.", False),
    ],
)
def test_a_message_that_only_thanks_is_none_that_a_question_leans_on(text: str, courtesy: bool) -> None:
    assert is_courtesy(text) is courtesy


@pytest.mark.parametrize(
    ("text", "mere"),
    [
        ("Where do I live?", True),
        ("Thanks! Where do I live?", True),
        ("Where do I live? And since when?", True),
        ("Book me a table for two on Friday.", True),
        ("I moved to Graz. Do you know a baker there?", False),
        ("I moved to Graz.", False),
        ("Thanks.", False),
        ("", False),
        ("log line\n" * 120, False),
        ("Why? " * 60, False),
    ],
)
def test_a_mere_question_tells_nothing(text: str, mere: bool) -> None:
    assert is_mere_question(text) is mere


@pytest.mark.parametrize(
    ("text", "back"),
    [
        ("What did you say about Rome last time?", True),
        ("I like Rome. Can you recall the hotel?", True),
        ("As I said, where is it?", True),
        ("The gate code is 4712 now. What was it before?", True),
        ("Where did I use to live, and what have I paid so far?", True),
        ("Wo habe ich fr\u00fcher gewohnt?", True),
        ("Is it open before noon?", False),
        ("It made me remember how kind they are. What else is new?", False),
        ("Where is the hotel?", False),
        ("", False),
        ("Do you recall it? " * 100, False),
    ],
)
def test_who_asks_for_what_was_said_before_looks_back(text: str, back: bool) -> None:
    assert looks_back(text) is back
