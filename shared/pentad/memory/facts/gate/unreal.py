"""Tell what holds in a play, a test or a wish, held once, or is what others say of the user. Pure: tables of phrases.

They know English best, and the commonest forms of German and French. The user may be quoted with each of them: what is
refused is a text that leaves it out ("My dream is to own a boat" is no evidence that the user owns one).
"""

import re
from collections.abc import Sequence
from typing import Final

from pentad.memory.facts.normal_forms import find_content

_FLAGS: Final = re.IGNORECASE
_KEPT_APART: Final = r"scene|scenario|sketch|skit|simulation|role-?play|story|song|poem|movie|film|dialogue|joke"
_STAGED: Final = re.compile(
    rf"\bin (?:this|that|the|our) (?:{_KEPT_APART}|exercise|test|demo)\b|"
    r"\bfor (?:this|the|our) (?:exercise|role-?play|scenario|demo|sake of (?:argument|the (?:example|argument)))\b|"
    r"\bin (?:another|my next|my (?:past|previous|dream)|a (?:previous|past|parallel)) (?:life|lives|universe|world)\b|"
    r"\bin my dreams?\b|\bmy (?:player )?(?:character|avatar|persona) (?:is|was|comes|'s)\b|"
    r"\b(?:test|dummy|sample|mock|fake|placeholder) (?:input|data|record|user|message|profile|entry|text|case|"
    r"customer|persona)s?\s*[:\u2013\u2014-]|\bthis is (?:only |just )?a test\b|"
    r"^\W*(?:test(?:ing)?|sample|dummy)\s*:|"
    r"\blorem ipsum\b|\bgesetzt den fall\b|\bnehmen wir (?:mal )?an\b|"
    r"\bin diesem (?:szenario|spiel|st[\u00fcu]ck|test)\b|"
    r"\bimaginons\b|\badmettons\b|\bdans cette sc[\u00e8e]ne\b|\bimaginemos\b|\bpongamos\b",
    _FLAGS,
)
_MOCKS: Final = re.compile(
    r"\bas one does\b|\bsaid no ?one ever\b|"
    r"^\W*(?:sure|yeah,? right|oh,? (?:sure|great|joy|wonderful)|of course)\b[^.?]*"
    r"\b(?:obviously|clearly|naturally|not)\W*$",
    _FLAGS,
)
_OTHERS_VIEW: Final = re.compile(
    r"\b(?i:(?:they|people|everyone|everybody|others|some|he|she|my \w+)(?: \w+)? (?:calls?|finds?|considers?|deems?|"
    r"labels?) (?:me|us)) (?![A-Z\u00c0-\u00de])"
)
_VIEWED: Final = re.compile(
    r"\b(?:call\w*|f(?:i|ou)nds?|consider\w*|deem\w*|label\w*|nick\w*|known|seen|said)\b", _FLAGS
)
_ONCE: Final = re.compile(
    r"\b(?:until|till) [^.;!?]{1,30}?,? (?:i|we) (?:was|were|had|lived|worked|owned)\b|"
    r"\b(?:i|we) (?:was(?! (?:born|raised|diagnosed|named|told)\b)|were|had|lived|worked|owned|played|smoked|ate|"
    r"drank)\b[^.;!?]*\b(?:until|till|before|once|"
    r"back (?:in|then|when)|formerly|previously|as a (?:child|kid|teenager|student))\b|"
    r"\b(?:back (?:in|then|when)|formerly|previously|once|as a (?:child|kid|teenager|student)),? (?:i|we) \w+|"
    r"\b(?:i|we) once \w+|\b(?:fr[\u00fcu]her|damals|ehemals|einst|autrefois|jadis|antes|antiguamente)\b",
    _FLAGS,
)
_NEARLY: Final = re.compile(
    r"\b(?:i|we)(?:'ve| have)? (?:almost|nearly) (?!(?:always|never|all|every|only|no|any|have|am|are)\b)[a-z]+\b|"
    r"\b(?:ich|wir) (?:h[\u00e4a]tten?|w[\u00e4a]ren?) (?:beinahe|fast)\b",
    _FLAGS,
)
_WISHED: Final = re.compile(
    r"\b(?:(?:my|our) (?:\w+ )?(?:dream|goal|wish|hope|aim|ambition|fantasy) (?:is|was|would be)|(?:i|we) (?:dream|"
    r"fantasi[sz]e) (?:of|about)|(?:mein|unser) traum (?:ist|w[\u00e4a]re)|mon r\u00eave)\b",
    _FLAGS,
)
_TOLD_ONCE: Final = re.compile(
    r"\b(?:was|were|had|did|used to|until|till|once|before|former\w*|previous\w*|earlier|no longer|not any ?more|"
    r"(?!(?:named|called|aged)\b)[a-z]{2,}ed|ate|drank|bought|went|took|left|sold|won|lost|grew|became|began|kept|wore|drove|rode|sang|swam)\b",
    _FLAGS,
)
_TOLD_NEARLY: Final = re.compile(r"\b(?:almost|nearly|close to|not)\b", _FLAGS)
_TOLD_WISHED: Final = re.compile(
    r"\b(?:dream\w*|goal\w*|wish\w*|hop\w+|aim\w*|ambition\w*|fantas\w+|want\w*|plan\w*|would|desir\w*|aspir\w*)\b",
    _FLAGS,
)
_LEFT_OUT: Final = (
    (_ONCE, _TOLD_ONCE, "it was so once, which its text leaves out"),
    (_NEARLY, _TOLD_NEARLY, "it nearly happened, which its text leaves out"),
    (_WISHED, _TOLD_WISHED, "it is a wish, which its text leaves out"),
    (_OTHERS_VIEW, _VIEWED, "it is what others say, which its text leaves out"),
)


def is_staged(sentence: str) -> bool:
    """Tell whether a sentence says of itself that it is played, made up for a test, or of another world."""
    return _STAGED.search(sentence.replace("\u2019", "'")) is not None


def is_mocking(sentence: str) -> bool:
    """Tell whether a sentence means the contrary of what it says, by how it begins and ends."""
    return _MOCKS.search(sentence) is not None


def find_left_out(text: str, clauses: Sequence[str]) -> str | None:
    """Return what a text leaves out that changes what its evidence says, or None where there is no such thing.

    Args:
        text: the candidate's.
        clauses: of the sentences that hold its evidence; those that have most of the text's words count, all where none
            has one.
    """
    content = set(find_content(text))
    shared = [len(content & set(find_content(clause))) for clause in clauses]
    best = [clause for clause, count in zip(clauses, shared, strict=True) if count == max(shared)]
    for marked, told, reason in _LEFT_OUT:
        if best and all(marked.search(clause.replace("\u2019", "'")) for clause in best) and not told.search(text):
            return reason
    return None
