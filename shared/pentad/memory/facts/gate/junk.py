"""Tell what is not worth remembering by how it was said. Pure: tables of phrases, no model.

What the tables don't know they let pass: the extraction's own labels decide then.
"""

import re
from typing import Final

from pentad.memory.facts.gate import phrases
from pentad.memory.facts.normal_forms import find_content

_WORDS: Final = re.compile(r"\w+")
FEWEST_WORDS: Final = 3
_VAGUE_STEMS: Final = frozenset(find_content(" ".join(phrases.VAGUE)))


def is_question(sentence: str) -> bool:
    """Tell whether a sentence asks; ``I live in Bonn, remember?`` does not."""
    if not {"?", "\uff1f", "\u061f"}.intersection(sentence[-6:]):
        return False
    rest = phrases.TAG_QUESTION.sub("", sentence)
    return rest == sentence or phrases.ASKS.search(rest) is not None


def is_lasting(sentence: str) -> bool:
    """Tell whether a sentence says of itself that it holds for later."""
    return phrases.LASTING.search(sentence) is not None


def is_request(sentence: str) -> bool:
    """Tell whether a sentence asks for something to be done now."""
    return phrases.REQUEST.search(sentence) is not None


def is_guess(words: str) -> bool:
    """Tell whether something is supposed, weighed or given as an example."""
    return phrases.GUESS.search(words) is not None


def is_joke(message: str) -> bool:
    """Tell whether a message takes itself for a joke."""
    return phrases.JOKE.search(message) is not None


def is_laughing(sentence: str) -> bool:
    """Tell whether a sentence laughs about itself."""
    return phrases.LAUGH.search(sentence) is not None


def is_taken_back(rest: str) -> bool:
    """Tell whether what follows in the same message takes back what was said, or asks not to keep it."""
    return phrases.TAKEN_BACK.search(rest) is not None


def is_retraction(message: str) -> bool:
    """Tell whether a message begins by taking back what its speaker said in the one before."""
    return phrases.RETRACTED.search(message.replace("\u2019", "'")) is not None


def is_passing(sentence: str) -> bool:
    """Tell whether a sentence is about this moment: a mood, an errand."""
    return phrases.PASSING.search(sentence) is not None or phrases.MOOD.search(sentence) is not None


def is_passing_event(sentence: str) -> bool:
    """Tell whether a sentence is about something that its speaker did, which neither lasts nor has a date."""
    rest = cut_lead(sentence)
    done = phrases.PAST.search(rest)
    if done is None or done["verb"].lower() in phrases.LIFE:
        return False
    return phrases.TIME.search(sentence) is None


def is_reaction(sentence: str) -> bool:
    """Tell whether a sentence answers to what the other side said, and says nothing of its own."""
    return phrases.REACTION.search(sentence) is not None


def is_small_talk(sentence: str) -> bool:
    """Tell whether a sentence is too short to say anything; scripts without blanks count two letters as a word."""
    words = sum(1 if word.isascii() else max(1, len(word) // 2) for word in _WORDS.findall(sentence))
    return words < FEWEST_WORDS


def is_about_talk(text: str, sentence: str) -> bool:
    """Tell whether what would be kept is about the conversation itself."""
    return (
        any(pattern.search(sentence) for pattern in (phrases.TALK, phrases.TASK, phrases.THANKS))
        or phrases.ABOUT_TALK.search(text) is not None
    )


def is_instruction(text: str) -> bool:
    """Tell whether a text wants to change what the model may do, or claims a right."""
    return phrases.INSTRUCTION.search(text) is not None


def is_first_person(sentence: str) -> bool:
    """Tell whether a sentence speaks of its speaker; scripts that the tables don't know pass."""
    return phrases.FIRST_PERSON.search(sentence) is not None or is_foreign(sentence)


def cut_lead(sentence: str) -> str:
    """Return a sentence without interjections and labels in front."""
    plain = sentence.replace("\u2019", "'")
    lead = phrases.LEAD.match(plain)
    return plain if lead is None else plain[lead.end() :]


def is_definite_answer(sentence: str) -> bool:
    """Tell whether a short answer names something; ``Yes, please`` and ``the second one`` do not."""
    return phrases.BARE_ANSWER.search(sentence) is None and bool(find_content(sentence))


def is_own_claim(sentence: str) -> bool:
    """Tell whether a sentence claims something of its speaker: they stand at its front, and it says more than a mood.

    Sentences in a language that the tables don't know pass.
    """
    if is_foreign(sentence):
        return True
    if phrases.IDIOM.search(sentence) is not None:
        return False
    rest = cut_lead(sentence)
    if phrases.SPEAKER.search(rest) is None:
        return False
    return phrases.EMPTY_CLAIM.match(rest) is None


def is_foreign(sentence: str) -> bool:
    """Tell whether a sentence is in a language that the tables for claims don't know."""
    latin = sum(letter.isascii() for letter in sentence if letter.isalpha())
    if latin * 2 < sum(letter.isalpha() for letter in sentence):
        return True
    return len(phrases.FOREIGN.findall(sentence)) > len(phrases.ENGLISH.findall(sentence))


def is_of_other_side(sentence: str) -> bool:
    """Tell whether a sentence speaks to the other side about them."""
    return phrases.OTHER_SIDE.search(phrases.OTHER_SIDE_IDIOMS.sub("", sentence)) is not None


def is_vague(sentence: str) -> bool:
    """Tell whether a sentence has no word that says what, who, where or when."""
    return not [word for word in find_content(sentence) if word not in phrases.VAGUE and word not in _VAGUE_STEMS]


def is_dangling(text: str) -> bool:
    """Tell whether a text points to something that it does not name: ``The user made this``."""
    return phrases.NOT_ALONE.search(text) is not None


def is_correction(sentence: str) -> bool:
    """Tell whether a sentence corrects something."""
    return phrases.CORRECTION.search(sentence) is not None


def is_success(message: str) -> bool:
    """Tell whether a user says of an answer that it was what they wanted."""
    return phrases.WORKED.search(message) is not None and phrases.NOT_WORKED.search(message) is None
