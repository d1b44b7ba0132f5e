"""Tell a message that asks for something from one that only tells something. Pure, and a rule of thumb.

Two who talk have spoken of most things before, so what was said earlier is near to nearly every message. Who asks, or
looks back, may need it; who tells something does not. What the tables don't know counts as asking: then nearness alone
decides, as for every question.
"""

import re
from typing import Final

from pentad.memory.facts.gate.junk import is_foreign, is_lasting, is_request, is_small_talk
from pentad.memory.facts.gate.phrases import ASKS
from pentad.memory.facts.gate.sentences import split_spans

TOLD_CHARACTERS: Final = 1000
"""Of a longer message a part was pasted, and something is wanted of it."""
_MOST_SENTENCES: Final = 40
_COURTESY_CHARACTERS: Final = 100
_QUESTION: Final = re.compile("[?\uff1f\u061f\u037e][\"'\u201d\u2019\u00bb)\\]]*\\s*\\Z")
_LOOKS_BACK: Final = re.compile(
    r"\b(?:remember(?! to\b)|recall|remind (?:me|us)|i(?:'ve)? forg[eo]t\w*|last time|previous(?:ly)?|earlier|"
    r"as (?:usual|before|agreed)|the usual|same as|like (?:last|before)|"
    r"(?:you|i|we)(?:'ve| have| had)? (?:just |already |once |both )*"
    r"(?:said|told|mentioned|talked|spoke|discussed|agreed|promised|planned|decided)|"
    r"erinner\w*|letztes mal|vorhin|neulich|wie (?:immer|gehabt|besprochen|vereinbart)|vergess\w*|"
    r"(?:rappel|souv[ei]en)\w*|la derni[\u00e8e]re fois|comme (?:d'habitude|convenu)|oubli\w+|"
    r"recuerd\w+|acuerd\w+|la [\u00fau]ltima vez|como (?:siempre|acordamos)|olvid\w+)\b",
    re.IGNORECASE,
)
_FORMER: Final = re.compile(
    r"\b(?:before(?=\W*\Z)|before (?:that|this|now)|used to|so far|until now|originally|formerly|back then|"
    r"fr\u00fcher|vorher|zuvor|bisher|avant(?=\W*\Z)|auparavant|antes(?=\W*\Z)|hasta ahora)\b",
    re.IGNORECASE,
)
"""What was, where something else has just been told."""
_NO_REQUEST: Final = re.compile(
    r"^\W*(?:\w+[,!] )?(?:let['\u2019]s|let us|check (?:out )?(?:my|this|the|these)|"
    r"(?:ca|could|wo|would|do|did|is|are|was|have|has|should)n['\u2019]t)\b",
    re.IGNORECASE,
)
"""What begins as a request or a question does, and is none without a question mark."""

_TELLS: Final = re.compile(
    r"^\W*(?:\w+, )?(?:"
    # Who or what it is about stands in front, or a verb follows it.
    r"i|we|you|he|she|it|they|this|that|these|those|there|here|my|your|his|her|its|our|their|the|an?|some|every\w*|"
    r"each|all|both|one|no|none|nobody|nothing|\w+['\u2019](?:s|m|re|ve|ll|d)|"
    r"(?:\w+ ){1,3}(?:is|are|was|were|has|have|had|will|would|can|could|makes?|made|gives?|gave|helps?|takes?|took|"
    r"needs?|feels?|felt|looks?|seems?|means?|keeps?|brings?|lets?|got|went|came|said)|"
    # When, where, how and why.
    r"and|but|so|or|plus|also|besides|because|since|after|before|when|while|whenever|if|though|although|as|at|by|for|"
    r"from|in|on|to|with|without|last|next|just|still|now|then|lately|recently|yesterday|today|tomorrow|tonight|"
    r"sometimes|always|never|even|almost|really|actually|especially|(?:un)?fortunately|thankfully|hopefully|honestly|"
    # What is said to what was said.
    r"yes|yeah|yep|yup|yea|nope|nah|ok(?:ay)?|sure|right|true|exactly|absolutely|totally|definitely|agreed|of course|"
    r"oh|ah|aw+|wow|whoa|woah|oof|phew|oops|yay|ha(?:ha)*|lol|hey|hi|hello|bye|cheers|thanks?|thx|congrats|"
    r"congratulations|sorry|well|gotcha|"
    # Whose subject is left out.
    r"been|being|had|got|gotta|gonna|must|glad|happy|proud|excited|lucky|super|nice|good|great|cool|awesome|amazing|"
    r"sounds?|looks?|seems?|hope|love|loved|appreciate|believe|bet|wish|keep|take|stay|enjoy|go|see (?:you|ya)|"
    r"remember to|reminds?|lost|started|lots?|such|\w{3,}ing"
    r")(?![\w'\u2019])",
    re.IGNORECASE,
)
"""How a sentence begins that tells something. Of an imperative that the tables don't know it is not said."""

_COURTESY: Final = re.compile(
    r"\W*(?:(?:thanks?|thx|thank you|cheers|so|very|much|a lot|for|that|this|it|the|your|all|help|helps|helped|info|"
    r"information|answer|ok(?:ay)?|great|good|nice|cool|perfect|awesome|wonderful|bye|hi|hello|hey|i see|got it|"
    r"understood|fine|sure|yes|yeah|right|that's|danke|vielen|dank|sch\u00f6n|merci|beaucoup|gracias|muchas|grazie|"
    r"obrigad[oa]|tack|bedankt)(?:\W+|\Z))*",
    re.IGNORECASE,
)


def may_ask(text: str) -> bool:
    """Return whether a message asks for something, or looks back; false only where all of it is told.

    Args:
        text: the user's words.
    """
    if len(text) > TOLD_CHARACTERS or _LOOKS_BACK.search(text) is not None:
        return True
    spans = split_spans(text)
    if len(spans) > _MOST_SENTENCES:
        return True
    sentences = [text[start:end] for start, end in spans]
    return any(_asks(sentence) for sentence in sentences) or (bool(text.strip()) and is_foreign(text))


def is_mere_question(text: str) -> bool:
    """Return whether a message asks and tells nothing: what was asked does not answer what is asked again."""
    if len(text) > TOLD_CHARACTERS:
        return False
    sentences = [text[start:end] for start, end in split_spans(text)]
    if len(sentences) > _MOST_SENTENCES:
        return False
    asking = [_asks(sentence) for sentence in sentences]
    return any(asking) and all(asks or is_courtesy(sentence) for asks, sentence in zip(asking, sentences, strict=True))


def looks_back(text: str) -> bool:
    """Return whether a message asks for what was said or was so before: "as I said", "last time", "used to"."""
    if len(text) > TOLD_CHARACTERS:
        return False
    sentences = [text[start:end] for start, end in split_spans(text)]
    return any(
        _asks(one) and (_LOOKS_BACK.search(one) is not None or _FORMER.search(one) is not None)
        for one in sentences[:_MOST_SENTENCES]
    )


def is_courtesy(text: str) -> bool:
    """Return whether a message only thanks, greets or agrees: a question after it does not lean on it."""
    return len(text) <= _COURTESY_CHARACTERS and _COURTESY.fullmatch(text) is not None


def _asks(sentence: str) -> bool:
    if _QUESTION.search(sentence) is not None:
        return True
    if _NO_REQUEST.search(sentence) is not None or is_small_talk(sentence):
        return False
    if is_request(sentence) and not is_lasting(sentence):
        return True
    if sentence.rstrip("\"')").endswith("!"):
        return False
    return ASKS.search(sentence) is not None or _TELLS.search(sentence) is None
