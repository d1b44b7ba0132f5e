# ruff: noqa: RUF001 - these are words and letters of many scripts
"""Tell whether a question is in one of the languages whose referring words `asked.py` lists. Pure.

In another language nothing tells a follow-up that is longer than a few words, so there every question is taken for one:
it is then searched with the question before it, which widens the search and hides nothing.
"""

import re
import unicodedata
from typing import Final

from pentad.memory.documents.language import list_common_words

_OWN_SCRIPTS: Final = re.compile(
    "[\u0370-\u03ff\u1f00-\u1fff\u0590-\u05ff\u0b80-\u0bff\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]"
)
"""Greek, Hebrew, Tamil, Thai, Japanese, Chinese, Korean: the script tells the language."""
_ARABIC: Final = re.compile("[\u0620-\u06ff\u0750-\u077f]")
_NOT_ARABIC: Final = re.compile("[^\u0620-\u064a\u064b-\u0669\u0670\u067e\u0686\u0698\u06a9\u06af\u06cc\u06f0-\u06f9]")
"""Letters that neither Arabic nor Persian has: Urdu's, Pashto's, Kurdish's, Uyghur's."""
_SCRIPT_SHARE: Final = 4
"""A script with more than a quarter of a question's letters is the question's: names may stand in another."""
_WORD: Final = re.compile(r"[^\W\d_]+")
_MARKED: Final = re.compile("[\u0900-\u0963\u0966-\u097f]+")
_MORE: Final = {
    "en": "what which who how when where why many much does do did can could should may will a your my our we i you "
    "has had been being would might must no than other between using after before during without within into over "
    "all any each more most less also only but they were their its there while if so up out about",
    "de": "wie was wer wo wann warum welche welcher welches welchen viele lange kann darf muss hat haben wird bitte",
    "fr": "quel quelle quels quelles comment combien quand où pourquoi doit peut faut je nous vous sont avant",
    "es": "qué cuál cuáles cómo cuánto cuántos cuánta cuántas cuándo dónde puede debe tiene tienen hay antes necesita",
    "it": "quali quale come quanto quanti quante quando dove perché deve può hanno prima devo",
    "pt": "qual quais quanto quantos quantas quando onde pode deve têm tem antes precisa",
    "nl": "welke wat hoe hoeveel wanneer waar waarom kan moet mag heeft hebben krijgen eerste",
    "sv": "vilka vilken hur när var varför får kan ska måste lång länge många behöver innan man tillbaka",
    "da": "hvilke hvilken hvor hvornår hvorfor må skal før mange længe tilbage man",
    "no": "hvilke hvilken hvor når hvorfor må skal før mange lenge tilbake man",
    "fi": "mitä mikä mitkä kuinka miten milloin missä miksi monta saa pitää voi ennen jälkeen paljonko",
    "pl": "jakie jaki jaka ile kiedy gdzie dlaczego który która musi może można przed po mają ma",
    "cs": "jaké jaký jaká kolik kdy kde proč která které musí může lze před mají má",
    "hu": "milyen mennyi hány mikor hol miért melyik mi kell lehet előtt után első jár",
    "tr": "hangi kaç nasıl nerede neden kim önce ilk yılda hakkı gün",
    "ro": "ce cum câte câți când unde cât trebuie poate înainte au are fiecare",
    "ru": "какие какой какая каков сколько когда где почему кто до после должен можно ли у",
    "uk": "які який яка скільки коли де чому хто має мають після треба можна чи",
    "vi": "nào gì bao nhiêu sao ai cần phải trước sau mới nếu bị ở tôi",
    "id": "apa berapa bagaimana kapan siapa mana harus bisa sebelum sesudah setelah lama masa saja untuk",
    "hi": "का की के में से को पर और है हैं था थे थी लिए यह वह क्या कब कैसे कितने कितनी कितना कौन",
    "sw": "ya wa na kwa ni za la cha katika yangu gani au kama ili kuhusu",
}
_LEAST_SHARE: Final = 0.12
"""Of the words of a question: with less, words that many languages have decide too often."""


def _collect_words() -> dict[str, frozenset[str]]:
    known = list_common_words()
    return {code: known.get(code, frozenset()) | frozenset(_MORE.get(code, "").split()) for code in known | _MORE}


_COMMON: Final = _collect_words()


def is_listed(asked: str) -> bool:
    """Return whether the referring words of a question's language are listed.

    Args:
        asked: what is asked, of more than a few words.
    """
    text = unicodedata.normalize("NFC", asked).casefold()
    letters = sum(map(str.isalpha, text))
    if len(_OWN_SCRIPTS.findall(text)) * _SCRIPT_SHARE > letters:
        return True
    arabic = _ARABIC.findall(text)
    if len(arabic) * _SCRIPT_SHARE > letters:
        return not _NOT_ARABIC.search("".join(arabic))
    words = [*_MARKED.findall(text)] or _WORD.findall(text)
    most = max(sum(word in common for word in words) for common in _COMMON.values())
    return most >= max(1, _LEAST_SHARE * len(words))
