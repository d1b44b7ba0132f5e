# ruff: noqa: RUF001 - these are words of many scripts
"""The language of a text, or that it can't be told."""

import pytest

from pentad.memory.documents.language import find_language

TEXTS = {
    "en": "The members of the club decide on the price of a berth in the harbour every year, and vote in March.",
    "de": "Die Mitglieder des Vereins beschließen jedes Jahr im März über den Preis eines Liegeplatzes im Hafen.",
    "fr": "Les membres du club décident chaque année en mars du prix d'une place dans le port de la ville.",
    "es": "Los miembros del club deciden cada año en marzo el precio de una plaza en el puerto de la ciudad.",
    "it": "I membri del club decidono ogni anno a marzo il prezzo di un posto nel porto della città e votano.",
    "pt": "Os membros do clube decidem todos os anos em março o preço de um lugar no porto da cidade e votam.",
    "nl": "De leden van de club beslissen elk jaar in maart over de prijs van een ligplaats in de haven.",
    "pl": "Członkowie klubu co roku w marcu decydują o cenie miejsca w porcie, a miejsce nie jest na sprzedaż.",
    "ru": "Члены клуба каждый год в марте решают, сколько стоит место в гавани, и это не зависит от размера.",
    "ja": "クラブの会員は毎年三月に港の停泊料を決めます。",
    "zh": "俱乐部成员每年三月决定港口泊位的价格。",
    "ko": "클럽 회원들은 매년 3월에 항구 정박료를 결정합니다.",
    "el": "Τα μέλη του συλλόγου αποφασίζουν κάθε χρόνο τον Μάρτιο.",
    "ar": "يقرر أعضاء النادي كل عام في مارس سعر الرصيف في الميناء.",
}


@pytest.mark.parametrize("code", TEXTS)
def test_a_sentence_or_two_tell_the_language(code: str) -> None:
    assert find_language(TEXTS[code] * 2) == code


@pytest.mark.parametrize("text", ["", "12 34 56", "def f(x): return x + 1", "ab cd ef", "x" * 500, "qwe rty uio " * 50])
def test_what_can_not_be_told_is_not_guessed(text: str) -> None:
    assert find_language(text) is None
