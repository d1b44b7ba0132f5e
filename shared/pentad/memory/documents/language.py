# ruff: noqa: RUF001 - these are words of many scripts
"""Tell the language of a text by its script and its commonest words, or that it can't be told."""

import re
from collections import Counter

_SAMPLE_CHARACTERS = 20_000
_LEAST_WORDS = 12
_LEAST_SHARE = 0.06
"""Of the words that are among a language's commonest; in running text it is 0.2 to 0.4."""
_CLEARLY = 1.25
_LEAST_LETTERS = 12
_WORD = re.compile(r"[^\W\d_]+")
_COMMON = {
    "en": "the of and to in is that for it with as was on are by this be from or have not which at an",
    "de": "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an werden aus",
    "fr": "de la le et les des en un du une que est pour qui dans par sur plus pas au avec ce il sont ou à",
    "es": "de la que el en y a los del se las por un para con no una su al es lo como más o pero",
    "it": "di e il la che in un a per è una sono del con non si le dei da della al nel alla come più i",
    "pt": "de a o que e do da em um para é com não uma os no se na por mais as dos como mas ao",
    "nl": "de van het een en in is dat op te zijn met voor niet die aan er om ook als bij door maar naar",
    "sv": "och i att det som en på är av för med till den har de inte om ett men var jag från vid kan",
    "da": "og i at det er en til af på for med den de som der ikke et har om var fra men kan ved",
    "no": "og i det er på en til for av som med at den har de ikke et om men var fra jeg ved så",
    "fi": "ja on ei että se hän oli ovat mutta kun tai niin myös joka sen ole kuin voi mukaan sekä",
    "pl": "i w na z do się nie że to jest o jak po od przez za dla są co ale czy tym być oraz",
    "cs": "a v se na je že s z do o k i jako za by pro ve ale to po od si jsou který při",
    "hu": "a az és hogy nem is egy van meg ez csak de vagy volt mint már ha kell lehet még",
    "tr": "ve bir bu için ile de da çok olarak daha olan gibi kadar en ne ama her sonra var değil",
    "ro": "de și în a la cu care pe nu din este o un mai să sunt pentru ca ce au sau după",
    "ru": "и в не на что с по как это к из у за от но для а же его при или все так",
    "uk": "і в не на що з та до як це за від у для але або його при бути є ми також по",
    "bg": "и в на е да се за от не с че по като са това до ще или но при тази",
    "vi": "và của là có các được cho trong với một không những người này đã để khi từ",
    "id": "yang dan di dengan untuk dari ini itu pada tidak dalam adalah ke akan atau juga oleh",
}
_LANGUAGES: dict[str, tuple[str, ...]] = {}
for _code, _words in _COMMON.items():
    for _word in _words.split():
        _LANGUAGES[_word] = (*_LANGUAGES.get(_word, ()), _code)
_SCRIPTS = (
    ("ja", "\u3041", "\u30ff"),
    ("ko", "\uac00", "\ud7a3"),
    ("zh", "\u4e00", "\u9fff"),
    ("el", "\u0370", "\u03ff"),
    ("he", "\u0590", "\u05ff"),
    ("ar", "\u0600", "\u06ff"),
    ("hi", "\u0900", "\u097f"),
    ("th", "\u0e00", "\u0e7f"),
)
"""Languages that have a script of their own, or most of it; Japanese before Chinese, whose characters it uses."""
_LETTERS = (("ыэё", ("uk", "bg")), ("іїєґ", ("ru", "bg")))
"""Letters, and the languages that do not have them."""
_LEAST_OF_SCRIPT = 0.15


def list_common_words() -> dict[str, frozenset[str]]:
    """Return the commonest words of each language that is told by its words, by the language's code."""
    return {code: frozenset(words.split()) for code, words in _COMMON.items()}


def find_language(text: str) -> str | None:
    """Return the ISO 639-1 code of a text's language; None where it is too short, mixed, or none that is known.

    Args:
        text: of which the first 20,000 characters are looked at.
    """
    sample = text[:_SAMPLE_CHARACTERS].lower()
    letters = sum(map(str.isalpha, sample))
    if letters < _LEAST_LETTERS:
        return None
    for code, first, last in _SCRIPTS:
        if sum(first <= one <= last for one in sample) >= letters * _LEAST_OF_SCRIPT:
            return code
    words = _WORD.findall(sample)
    if len(words) < _LEAST_WORDS:
        return None
    others = {code for letters, codes in _LETTERS if any(one in sample for one in letters) for code in codes}
    counts = Counter(code for word in words for code in _LANGUAGES.get(word, ()) if code not in others)
    ranked = [*counts.most_common(2), ("", 0), ("", 0)]
    (best, most), (_, second) = ranked[:2]
    return best if most >= len(words) * _LEAST_SHARE and most >= second * _CLEARLY else None
