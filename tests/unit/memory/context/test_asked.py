# ruff: noqa: RUF001 - these are questions in many scripts
"""What is asked in a message, and what leans on the question before."""

from pathlib import Path

import pytest

from pentad.memory.context.asked import (
    ASKED_CHARACTERS,
    SHORT_WORDS,
    build_search_text,
    count_words,
    find_asked,
    is_follow_up,
)
from pentad.memory.context.wording.referring import leans_on_before

REPEATED = (Path(__file__).parents[3] / "data" / "question_at_the_end.txt").read_text()
LOG = "\n".join(f"2026-01-01T10:{i % 60:02} WARN svc{i} GET /a?x={i} took {i} ms; user={i * 7}" for i in range(400))
LETTER = "\n".join(
    f"On day {i} the keeper wrote that the lamp of the northern tower had burnt well." for i in range(90)
)


def test_a_question_behind_a_long_log_is_what_is_asked() -> None:
    assert find_asked(REPEATED) == "What is the refund period?"


@pytest.mark.parametrize(
    "question",
    [
        "What is the refund period?",
        "My order came broken. How long may I return it for, e.g. as a company?",
        "返金期間はどのくらいですか\uff1f",
        "退款期限是多久\uff1f谢谢",
        "ما هي مدة الاسترداد؟",
        "¿Cuál es el plazo de devolución?",
        "Summarise the refund rules for companies",
        'Which rule says "no refund"?',
    ],
)
@pytest.mark.parametrize("material", [LOG, LETTER], ids=["log", "letter"])
def test_a_question_before_or_behind_its_material_is_what_is_asked(question: str, material: str) -> None:
    assert find_asked(f"{material}\n\n{question}\n") == question
    assert find_asked(f"{question}\n\n{material}") == question


def test_a_question_in_the_middle_is_found_where_the_edges_ask_nothing() -> None:
    assert find_asked(f"{LOG}\n\nWhat is the refund period?\n\n{LOG}") == "What is the refund period?"


def test_a_question_within_a_tag_behind_its_material_is_found() -> None:
    asked = find_asked(f"<log>{LOG}</log>\n<question>What is the refund period?</question>")
    assert asked == "<question>What is the refund period?</question>"


def test_questions_of_the_material_do_not_hide_the_users_own() -> None:
    material = "\n\n".join(f"{i}. Does clause {i} hold?\nIt does, as the annex says at length." for i in range(200))
    asked = find_asked(f"{material}\n\nWhich clause is about refunds for companies?")
    assert asked.endswith("Which clause is about refunds for companies?")
    assert len(asked) < 500


FORM = "\n".join(f"Q{i}: is it on? yes" for i in range(400))
MIXED = "\n".join(
    f"Is the {name} ready?\nIt is, said {name}, and went on." for name in map("lamp{}of".format, range(9))
)


@pytest.mark.parametrize(
    "request_", ["Summarise the refund rules for lamps.", "Fasse die Regeln zur Rückgabe zusammen"]
)
@pytest.mark.parametrize("material", [FORM, f"{LOG}\n{MIXED}\n{LOG}", f"{MIXED}\n{LOG}\n{MIXED}"])
def test_a_request_without_a_mark_is_searched_for_beside_the_questions_of_the_material(
    request_: str, material: str
) -> None:
    assert request_ in find_asked(f"{request_}\n\n{material}")
    assert request_ in find_asked(f"{material}\n\n{request_}")
    assert request_ in find_asked(f"{request_}\n{material}")


def test_rows_of_the_material_that_ask_are_not_searched_for() -> None:
    assert find_asked(f"Summarise the refund rules for lamps.\n\n{FORM}") == "Summarise the refund rules for lamps."
    assert find_asked(f"{FORM}\n\nWhat is the refund period?") == "What is the refund period?"


def test_a_request_without_a_mark_in_the_middle_is_what_is_asked() -> None:
    assert find_asked(f"{LOG}\n\nExplain the refund period of lamps\n\n{LOG}") == "Explain the refund period of lamps"
    assert find_asked(f"{FORM}\n\nExplain the refund period\n\n{FORM}") == "Explain the refund period"


def test_a_question_that_says_little_comes_with_the_words_beside_it_and_no_rows_of_a_log() -> None:
    asked = find_asked(f"{LETTER}\n{LOG}\n\nWhat should I do?")
    assert asked.endswith("northern tower had burnt well.\nWhat should I do?")
    assert find_asked(f"{LOG}\n\nWhat should I do?") == "What should I do?"


def test_a_short_message_is_searched_for_as_it_is_and_a_long_one_without_a_question_by_its_ends() -> None:
    text = "word " * (ASKED_CHARACTERS // 5)
    assert find_asked(text) == text.strip()
    assert find_asked("a" * 5000 + "b" * 5000) == "a" * ASKED_CHARACTERS + "\n" + "b" * ASKED_CHARACTERS


SHORT_LETTER = "\n".join(LETTER.splitlines()[:45])
REQUEST = "Please tell me the refund period."


@pytest.mark.parametrize(
    ("greeting", "close"),
    [
        ("Hello,", "Kind regards\nAnna"),
        ("Dear Mr Berg:", "Thanks in advance!\n\nBest regards,\nAnna Berg\nLamps Ltd"),
        ("Hallo Frau Berg,", "Mit freundlichen Grüßen\nAnna"),
        ("Sehr geehrte Damen und Herren", "Vielen Dank im Voraus!\n\nViele Grüße\nAnna Berg"),
        ("Bonjour Madame,", "Cordialement,\nAnna"),
        ("Estimada Anna:", "Un cordial saludo"),
        ("Здравствуйте!", "С уважением\nАнна"),
        ("您好，", "此致\n\n敬礼"),
        ("佐藤様", "よろしくお願いします。"),
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r", "\u0085", "\u2028"])
def test_greetings_and_sign_offs_of_a_letter_do_not_hide_what_it_asks(greeting: str, close: str, line_end: str) -> None:
    for parts in ((greeting, SHORT_LETTER, REQUEST, close), (greeting, REQUEST, SHORT_LETTER, close)):
        assert find_asked("\n\n".join(parts).replace("\n", line_end)) == REQUEST


def test_paragraphs_are_told_by_the_separator_of_paragraphs_too() -> None:
    assert find_asked(f"Hello,\u2029{SHORT_LETTER}\u2029{REQUEST}\u2029Kind regards") == REQUEST


@pytest.mark.parametrize(
    "close", ["-- \nAnna Berg\nLamps Ltd", "Parimate soovidega\nAnna", "Kind regards\n\nAnna Berg"]
)
def test_what_may_be_a_signature_or_a_short_request_is_searched_for_beside_the_paragraph_before_it(close: str) -> None:
    assert find_asked(f"Hello,\n\n{SHORT_LETTER}\n\n{REQUEST}\n\n{close}").startswith(f"{REQUEST}\n")
    pasted = f"Hello,\n\n{SHORT_LETTER}\n\n{close}"
    assert find_asked(f"{pasted}\n\nSummarise the refund rules").endswith("Summarise the refund rules")
    assert find_asked(f"Hi, summarise the rules\n\n{pasted}").startswith("Hi, summarise the rules")
    assert find_asked(f"Care instructions for lamps\n\n{pasted}").startswith("Care instructions for lamps")
    assert find_asked(f"{pasted}\n\nThanks\nSummarise the refund rules").endswith("Summarise the refund rules")


def test_a_question_of_the_letter_does_not_hide_its_request() -> None:
    body = SHORT_LETTER.replace("On day 3 ", "Do you remember me? On day 3 ")
    assert find_asked(f"Hello,\n\n{body}\n\n{REQUEST}\n\nKind regards\nAnna").endswith(f"well.\n{REQUEST}")


def test_a_letter_whose_edges_only_greet_is_searched_for_by_its_ends() -> None:
    text = f"Hello,\n\n{SHORT_LETTER}\n\nKind regards\nAnna"
    assert find_asked(text) == f"{text[:ASKED_CHARACTERS]}\n{text[-ASKED_CHARACTERS:]}"


@pytest.mark.parametrize(
    "text",
    [
        "x? " * 60_000,
        "\n\nHello," * 30_000,
        "dear " * 50_000,
        "\n--\n" * 30_000,
        "GET /a?b=1&c=2 " * 9_000,
        "?" * 90_000,
        "x" * 700 + "a? " * 30_000 + "x" * 700,
        "\n" * 90_000 + "?",
    ],
    ids=[
        "marks",
        "greetings",
        "words of a greeting",
        "signatures",
        "addresses",
        "only marks",
        "marks in the middle",
        "lines",
    ],
)
def test_what_is_searched_for_is_bounded(text: str) -> None:
    assert len(find_asked(text)) <= 4_000


@pytest.mark.parametrize(
    ("question", "follows"),
    [
        ("Please describe the format of money amounts in the ledger", False),
        ("Please explain once more how long they are valid for", True),
        ("Bitte nenne mir die Rückgabefrist für Bücher in Österreich", False),
        ("Bitte erkläre mir noch einmal, was der Vertrag dazu sagt", True),
        ("Quel est le délai de retour pour les livres en France ?", False),
        ("Combien de temps est-ce que celui du contrat reste valable ?", True),
        ("¿Cuál es el plazo de devolución para los libros en España?", False),
        ("¿Y cuánto tiempo sigue siendo válido eso en la práctica?", True),
        ("退款期限是多久,适用于哪些商品和哪些国家的客户", False),
        ("那么这个规定适用于哪些商品和哪些国家的客户", True),
        ("为什么", True),
        ("それはなぜですか、詳しく説明してください", True),
        ("ما هي مدة استرداد ثمن الكتب للشركات في مصر؟", False),
        ("Каков срок возврата книг для компаний в России сегодня?", False),
        ("Berapa lama masa berlaku itu biasanya untuk pelanggan di luar negeri?", True),
        ("Điều đó áp dụng cho những khách hàng nào ở nước ngoài?", True),
        ("Hur länge gäller det vanligtvis för kunder som bor utomlands?", True),
        ("Hvor længe gælder denne normalt for kunder der bor i udlandet?", True),
        ("Kampuni hutumia muda gani kulipa hiyo kwa wateja wa nje?", True),
        ("Πόσο καιρό ισχύει αυτό συνήθως για τους πελάτες στο εξωτερικό;", True),
        ("Mennyi ideig érvényes ez általában a külföldön élő ügyfelek számára?", True),
        ("Kuinka kauan sitä yleensä sovelletaan ulkomailla asuviin asiakkaisiin nykyään?", True),
        ("Cât timp este valabil acesta de obicei pentru clienții din străinătate?", True),
        ("Berapa lama masa pengembalian buku untuk perusahaan di Indonesia saat sekarang?", False),
        ("Hur länge får man lämna tillbaka böcker i Sverige idag?", False),
        ("А сколько времени они обычно остаются действительными на деле?", True),
    ],
)
def test_a_follow_up_is_told_in_many_languages(question: str, follows: bool) -> None:
    assert is_follow_up(question) is follows


def test_a_follow_up_of_a_long_message_is_searched_with_what_that_asked() -> None:
    assert build_search_text("And why?", REPEATED) == "What is the refund period?\nAnd why?"


@pytest.mark.parametrize(
    "question",
    [
        "And what about customers in Norway who bought online yesterday",
        "Und wie ist das bei Kunden in Norwegen im Laden",
        "Wie ist das bei Kunden in Norwegen im Laden",
        "Gilt dasselbe auch für Kunden in Norwegen und Schweden",
        "Gelten die gleichen Fristen auch für Kunden in Norwegen",
        "Et pour les clients en Norvège qui achètent en ligne ?",
        "Est-ce la même chose pour les clients en Norvège ?",
        "¿Y para los clientes de Noruega que compraron en línea?",
        "¿Vale lo mismo para los clientes de Noruega en línea?",
        "E per i clienti in Norvegia che hanno comprato online?",
        "Vale lo stesso per i clienti che comprano in Norvegia?",
        "O mesmo vale para os clientes que compram na Noruega?",
        "En hoe zit het met klanten in Noorwegen die online kochten?",
        "Geldt hetzelfde ook voor klanten in Noorwegen en in Zweden?",
        "Och hur blir det för kunder i Norge som handlade online?",
        "Og hva med kunder i Norge som handlet på nett?",
        "Ve dün internetten satın alan Norveçli müşteriler için süre ne kadar?",
        "Ja entä asiakkaat Norjassa, jotka ostivat verkosta eilen illalla?",
        "A co z klientami w Norwegii, którzy kupili wczoraj przez internet?",
        "А для клиентов в Норвегии, купивших товар онлайн вчера?",
        "Действует ли то же правило для клиентов в Норвегии?",
        "Які документи потрібні клієнтам з Норвегії у цьому випадку сьогодні?",
        "Чи діє те саме правило для клієнтів у Норвегії?",
        "ノルウェーのお客様の場合はどうなりますか教えてください",
        "ノルウェーのお客様にも同じ期間が適用されますか",
    ],
)
def test_a_long_follow_up_is_told_by_how_it_begins_or_by_the_same(question: str) -> None:
    assert count_words(question) > SHORT_WORDS and leans_on_before(question)
    assert is_follow_up(question)


@pytest.mark.parametrize(
    "question",
    [
        "En France, quel est le délai de retour pour les livres ?",
        "¿En qué casos puede un cliente devolver los libros comprados?",
        "A számla kifizetése előtt milyen dokumentumokat kell küldenie egy szállítónak?",
        "I need the refund period for books bought in another country",
        "E-mail of suppliers: who may read what our company received?",
        "Na jakie produkty klient może dostać zwrot przed końcem roku?",
        "Ve kterých případech může zákazník vrátit knihy bez faktury?",
    ],
)
def test_words_that_go_on_in_one_language_only_do_not_go_on_in_another(question: str) -> None:
    assert not is_follow_up(question)
