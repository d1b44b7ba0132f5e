# ruff: noqa: RUF001 - this is about letters of all scripts
"""Charsets that are declared wrongly, hidden in ASCII, or mixed: read rightly, or with a doubt."""

import pytest

from pentad.memory.documents.formats.charset import decode

LANGUAGES = {
    "de": "Die Rückgabe der Bücher erfolgt über das Büro; größere Mängel sind schriftlich zu melden.",
    "fr": "Le remboursement sera effectué dans un délai de quatorze jours; les pièces abîmées ne sont pas remplacées.",
    "es": "El reembolso se efectuará en catorce días según la dirección; ¿cuándo llegará el señor Núñez?",
    "sv": "Återbetalning sker inom fjorton dagar; större fel måste anmälas skriftligt till ägaren på ön.",
    "pl": "Zwrot pieniędzy następuje w ciągu czternastu dni; jeśli książki są uszkodzone, należy zgłosić to pisemnie.",
    "cs": "Vrácení peněz proběhne do čtrnácti dnů; větší závady je třeba nahlásit písemně správci budovy.",
    "hu": "A visszatérítés tizennégy napon belül történik; a nagyobb hibákat írásban kell jelenteni az üzemeltetőnek.",
    "ru": "Возврат денег производится в течение четырнадцати дней; о крупных недостатках следует сообщить письменно.",
    "uk": "Повернення коштів здійснюється протягом чотирнадцяти днів; про великі недоліки слід повідомити письмово.",
    "el": "Η επιστροφή χρημάτων γίνεται εντός δεκατεσσάρων ημερών· τα μεγάλα ελαττώματα πρέπει να αναφέρονται γραπτώς.",
    "tr": "Para iadesi on dört gün içinde yapılır; büyük kusurların yazılı olarak bildirilmesi gerekir. Işık.",
    "he": "החזר הכספי יבוצע תוך ארבעה עשר ימים; יש לדווח בכתב על פגמים גדולים להנהלת הבניין.",
    "ar": "يتم رد الأموال خلال أربعة عشر يوما؛ يجب الإبلاغ عن العيوب الكبيرة كتابة إلى إدارة المبنى.",
    "th": "การคืนเงินจะดำเนินการภายในสิบสี่วัน ข้อบกพร่องใหญ่ต้องแจ้งเป็นลายลักษณ์อักษร",
    "ja": "返金は十四日以内に行われます。大きな欠陥は書面で管理会社に報告しなければなりません。",
    "zh": "退款将在十四天内办理；重大缺陷必须以书面形式通知物业管理公司。如有疑问，请与我们联系。",
    "ko": "환불은 십사일 이내에 처리됩니다. 큰 결함은 서면으로 관리 회사에 알려야 합니다.",
    "lt": "Pinigai grąžinami per keturiolika dienų; apie didelius trūkumus būtina pranešti raštu. Žąsys skrenda.",
}
CHARSETS = {
    "de": "cp1252 cp850 cp437 mac_roman",
    "fr": "cp1252 cp850 mac_roman",
    "es": "cp1252 cp850 mac_roman",
    "sv": "cp1252 cp850 mac_roman",
    "pl": "cp1250 iso8859_2 cp852",
    "cs": "cp1250 iso8859_2 cp852",
    "hu": "cp1250 iso8859_2 cp852",
    "ru": "cp1251 koi8_r iso8859_5 cp866 mac_cyrillic",
    "uk": "cp1251 koi8_u iso8859_5 mac_cyrillic",
    "el": "cp1253 iso8859_7 cp737",
    "tr": "cp1254 iso8859_9 cp857",
    "he": "cp1255 iso8859_8 cp862",
    "ar": "cp1256 iso8859_6",
    "th": "cp874 tis_620",
    "ja": "cp932 euc_jp iso2022_jp",
    "zh": "gb18030 gbk hz",
    "ko": "cp949 euc_kr iso2022_kr",
    "lt": "cp1257 iso8859_13 cp775",
}
WIDE = ("utf-7", "utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
PAIRS = [(language, codec) for language, names in CHARSETS.items() for codec in (*names.split(), *WIDE)]
LABELS = (
    *("utf-8", "windows-1252", "iso-8859-1", "iso-8859-2", "windows-1250", "windows-1251", "koi8-r", "windows-1253"),
    *("shift_jis", "gb2312", "big5", "euc-kr", "euc-jp", "utf-16", "macintosh", "ibm850", None),
)


@pytest.mark.parametrize(("language", "codec"), PAIRS)
def test_no_sentence_is_read_wrongly_without_a_word_whatever_is_declared(language: str, codec: str) -> None:
    data = LANGUAGES[language].encode(codec)
    silent = [
        label for label in LABELS if (found := decode(data, label)).text != LANGUAGES[language] and not found.notes
    ]
    assert silent == []


@pytest.mark.parametrize(("language", "codec"), PAIRS)
@pytest.mark.parametrize("times", [1, 40])
def test_a_charset_that_is_declared_as_it_is_has_no_doubt(language: str, codec: str, times: int) -> None:
    text = "\n\n".join([LANGUAGES[language]] * times)
    found = decode(text.encode(codec), codec)
    assert (found.text, found.notes) == (text, ())


@pytest.mark.parametrize(
    ("language", "codec", "shown"),
    [
        ("zh", "hz", "hz"),
        ("ko", "iso2022_kr", "iso2022-kr"),
        ("ja", "iso2022_jp", "iso-2022-jp"),
        ("de", "utf-7", "utf-7"),
    ],
)
@pytest.mark.parametrize("label", [None, "utf-8", "windows-1252"])
def test_letters_that_are_written_in_ascii_are_found(language: str, codec: str, shown: str, label: str | None) -> None:
    found = decode(LANGUAGES[language].encode(codec), label)
    assert found.text == LANGUAGES[language]
    assert len(found.notes) == 1
    assert f"read as {shown} by its content" in found.notes[0]


@pytest.mark.parametrize(
    "text",
    [
        "a+b-c, C++-, +49-30-1234, 1+Ab-, x+foo-y, +-5",
        "dict = {'a': 1}~{b}~",
        "~{see}~ and ~{more}~",
        "\x1b[31mred\x1b[0m",
        "git checkout feature+fix-",
        "base64: +/+/aGVsbG8=-",
    ],
)
def test_ascii_with_plus_signs_braces_and_colours_is_ascii(text: str) -> None:
    found = decode(text.encode())
    assert (found.text, found.notes) == (text, ())


def test_chinese_in_escape_sequences_that_can_not_be_read_is_a_doubt() -> None:
    [note] = [one for one in decode(b"\x1b$)A\x0e=;;;\x0f hi").notes if "escape" in one]
    assert "iso-2022-cn, which can't be read" in note


@pytest.mark.parametrize(
    ("data", "label", "words"),
    [
        (
            (LANGUAGES["de"] * 9).encode("cp1252") + "Müller".encode(),
            "windows-1252",
            "parts of it look like UTF-8 that was read as another charset",
        ),
        (
            (LANGUAGES["de"] * 30 + "Müller für Söhne".encode().decode("cp1252")).encode(),
            None,
            "parts of it look like UTF-8 that was read as another charset",
        ),
        ((LANGUAGES["de"] * 5).encode() + (LANGUAGES["de"] * 5).encode("cp1252"), "utf-8", "does not fit"),
        ((LANGUAGES["de"] * 50).encode() + b"\xfc\xff", "utf-8", "not valid in utf-8"),
        ("Größere Mängel".encode("cp1252"), "utf-16", "the bytes may be another charset"),
        (b"man\x08n pages", None, "control characters"),
        ("合同编号".encode("utf-16-le"), "windows-1252", "control characters"),
    ],
)
def test_mixed_and_broken_text_is_a_doubt(data: bytes, label: str | None, words: str) -> None:
    assert any(words in note for note in decode(data, label).notes)


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        ("Bonn–Köln, “net”, it’s 5 €", "cp1252"),
        ("A café in München, señor Núñez", "cp1252"),
        ("Müller, Škoda, Ångström", "cp1252"),
        ("The size is 5 m² at 20 °C, see § 5; a half is ½ l", "cp1252"),
        ("データ ABC", "cp932"),
    ],
)
def test_signs_names_and_words_of_two_scripts_are_no_doubt(text: str, codec: str) -> None:
    assert decode(text.encode(codec), codec).notes == ()
