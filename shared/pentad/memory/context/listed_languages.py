# ruff: noqa: RUF001 - these are words and letters of many scripts
"""Tell whether a question is in one of the languages whose referring words `wording` lists. Pure.

In another language nothing tells a follow-up that is longer than a few words, so there every question is taken for one:
it is then searched with the question before it, which widens the search and hides nothing. Related languages share
their common words, so a listed one is told only where none of its neighbours explains the question as well.
"""

import re
import unicodedata
from typing import Final

from pentad.memory.context.neighbour_languages import NEIGHBOURS
from pentad.memory.documents.language import list_common_words

_OWN_SCRIPTS: Final = re.compile(
    "[\u0370-\u03ff\u1f00-\u1fff\u0590-\u05ff\u0b80-\u0bff\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]"
)
"""Greek, Hebrew, Tamil, Thai, Japanese, Chinese, Korean: the script tells the language."""
_YIDDISH: Final = re.compile("[\u05d0\u05e4][\u05b7\u05b8\u05bc\u05bf]|[\u05f0-\u05f2]")
"""Pointed letters and ligatures that Hebrew is not written with."""
_ARABIC: Final = re.compile("[\u0620-\u06ff\u0750-\u077f]")
_NOT_ARABIC: Final = re.compile("[^\u0620-\u064a\u064b-\u0669\u0670\u067e\u0686\u0698\u06a9\u06af\u06cc\u06f0-\u06f9]")
"""Letters that neither Arabic nor Persian has: Urdu's, Pashto's, Kurdish's, Uyghur's."""
_SCRIPT_SHARE: Final = 4
"""A script with more than a quarter of a question's letters is the question's: names may stand in another."""
_WORD: Final = re.compile(r"[^\W\d_]+")
_MARKED: Final = re.compile("[\u0900-\u0963\u0966-\u097f]+")
_MORE: Final = {
    "en": "what who how when where why many much does do did can could should may will a your my our we i you has "
    "had been being would might must no than other between using after before during without within into over "
    "all any each more most less also only but they were their its there while if so up out about",
    "de": "wie was wer wo wann warum welche welcher welches welchen viele lange kann darf muss hat haben wird bitte "
    "wen wem schon wurde sein sind wir ich du mein unser ihr nach zwischen ohne noch kein keine müssen können "
    "will dann oder wenn bei bis",
    "fr": "quel quelle quels quelles comment combien quand où pourquoi doit peut faut je nous vous avant déjà été "
    "être sommes cette nos notre votre mon ma ses après entre sous aussi sans très autre autres faire fait a "
    "ont si",
    "es": "qué cuál cuáles cómo cuánto cuántos cuánta cuántas cuándo dónde puede debe tiene tienen hay antes "
    "necesita quién quiénes ya fue ser está están son esta este esto ese nos yo tú mi sus desde hasta entre "
    "sobre también sin muy cuando otro otra otros otras hacer hace ha han he",
    "it": "quali quale quanto quanti quante quando dove perché deve può hanno prima devo chi già essere sta questo "
    "questa noi io mio tuo suo sua dopo fino tra fra su anche senza molto altro altra fare ha stato",
    "pt": "qual quais quanto quantos quantas quando onde pode deve têm tem antes precisa quem já foi ser está estão "
    "são esta este isto nos eu meu minha seu sua seus desde até entre sobre também sem muito outro outra "
    "fazer faz há feito depois ele",
    "nl": "welke wat hoe hoeveel wanneer waar waarom kan moet mag heeft hebben krijgen eerste wie al ik wij we u "
    "mijn ons onze hun deze wordt worden na tussen zonder nog geen moeten kunnen wil dan toch zich uit over "
    "tot",
    "sv": "vilka vilken hur när varför får ska måste lång länge många behöver innan man tillbaka vem vi du min er "
    "utan mellan under också bara redan bli blir blev sin sitt eller hos efter",
    "da": "hvilke hvilken hvor hvornår hvorfor må skal før mange længe tilbage man hvem jeg vi du min jeres uden "
    "mellem under også kun allerede blive bliver blev sin sit hvis eller hos efter",
    "no": "hvilke hvilken hvor når hvorfor må skal før mange lenge tilbake man hvem vi du min deres uten mellom "
    "under også bare allerede bli blir ble kan sin sitt hvis eller hos etter",
    "fi": "mitä mikä mitkä kuinka miten milloin missä miksi monta saa pitää ennen jälkeen paljonko kuka ketkä jo "
    "olla tämä me te minä minun välillä ilman vielä vain voiko saako onko jos kanssa",
    "pl": "jakie jaki jaka ile kiedy gdzie dlaczego który która musi może można przed mają ma kto które już był "
    "była było między pod przy bez lub także tylko jeszcze będzie mój my wy jeśli żeby nas zostało we",
    "cs": "jaké jaký jaká kolik kdy kde proč která které musí může lze před mají má kdo už byla byl bylo být mezi "
    "pod bez nebo také jen ještě bude jsme jste můj můžu moci mohu té ten ta nový než kteří všechny",
    "hu": "milyen mennyi hány mikor hol miért melyik mi előtt után első jár",
    "tr": "hangi kaç nasıl nerede neden kim önce ilk yılda hakkı gün",
    "ro": "cum câte câți când unde cât trebuie poate înainte are fiecare cine deja fost fi această noi eu meu între "
    "fără foarte alt altă dacă pot",
    "ru": "какие какой какая каков сколько когда где почему кто до после должен можно ли который которые уже был "
    "была было быть между под без также только ещё будет мой мы вы нельзя если чтобы нас вам этот",
    "uk": "які який яка скільки коли де чому хто має мають після треба можна чи яке вже був була було між під без "
    "тільки ще буде мій ви якщо щоб нас вам цей",
    "vi": "nào gì bao nhiêu sao ai cần phải trước sau mới nếu bị ở tôi",
    "id": "apa berapa bagaimana kapan siapa mana harus bisa sebelum sesudah setelah lama masa saja sudah telah saya "
    "kami kita anda mereka antara tanpa jika",
    "hi": "का की के में से को पर और है हैं था थे थी लिए यह वह क्या कब कैसे कितने कितनी कितना कौन",
    "sw": "ya wa na kwa ni za la cha katika yangu gani au kama ili kuhusu",
}
_LEAST_SHARE: Final = 0.12
"""Of the words of a question: with less, words that many languages have decide too often."""


def _collect_words() -> dict[str, frozenset[str]]:
    known = {code: words for code, words in list_common_words().items() if code not in NEIGHBOURS}
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
        return not _YIDDISH.search(text)
    arabic = _ARABIC.findall(text)
    if len(arabic) * _SCRIPT_SHARE > letters:
        return not _NOT_ARABIC.search("".join(arabic))
    words = [*_MARKED.findall(text)] or _WORD.findall(text)
    best = max(_COMMON.values(), key=lambda common: sum(word in common for word in words))
    known = [word for word in words if word in best]
    if len(known) < max(1, _LEAST_SHARE * len(words)):
        return False
    others = ([word for word in words if word in common] for common in NEIGHBOURS.values())
    return not any(len(theirs) >= len(known) and not best.issuperset(theirs) for theirs in others)
