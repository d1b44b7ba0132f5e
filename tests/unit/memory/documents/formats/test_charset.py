# ruff: noqa: RUF001 - this is about letters of all scripts
"""Words from bytes in the charsets that people have, and a doubt wherever they may be read wrongly."""

import pytest

from pentad.memory.documents.formats.charset import decode
from pentad.memory.documents.formats.parse import parse

SENTENCES = {
    "cp1252": "The price is 5 \u20ac \u2013 \u201cnet\u201d, it\u2019s final. Änderungen für München.",
    "cp1250": "Cena dla członków wynosi 80 złotych, jeśli zwrot nastąpi w ciągu 14 dni.",
    "cp1251": "Цена для членов клуба 80 рублей, возврат денег в течение 14 дней.",
    "koi8_r": "Цена для членов клуба 80 рублей, возврат денег в течение 14 дней.",
    "cp1253": "Η τιμή για τα μέλη είναι 80 ευρώ και η επιστροφή γίνεται σε 14 ημέρες.",
    "cp1254": "Üyeler için fiyat 80 lira, iade on dört gün içinde yapılır; ığşçöü.",
    "cp1255": "מחיר לחברים הוא 80 שקלים וההחזר תוך 14 ימים.",
    "cp1256": "السعر للأعضاء هو 80 ريال والاسترداد خلال 14 يوما.",
    "cp874": "ราคาสมาชิก 80 บาท คืนเงินภายใน 14 วัน",
    "cp932": "会員価格は80円です。返金は14日以内に行われます。",
    "euc_jp": "会員価格は80円です。返金は14日以内に行われます。",
    "iso2022_jp": "会員価格は80円です。返金は14日以内に行われます。",
    "gb18030": "产品会员价为八十元，退款在十四天内处理。",
    "big5": "產品會員價為八十元，退款在十四天內處理。",
    "cp949": "회원 가격은 80원입니다. 환불은 14일 이내에 처리됩니다.",
    "utf-16-le": "Preis 80 €, für alle",
    "utf-16-be": "Preis 80 €, für alle",
    "utf-32-le": "Preis 80 €, für alle",
    "mac_roman": "Änderungen für München, größere Straße",
}
LABELS = (
    *("iso-8859-1", "iso-8859-2", "windows-1250", "windows-1251", "windows-1253", "windows-1254", "windows-1255"),
    *("windows-1256", "koi8-r", "shift_jis", "gb2312", "big5", "euc-kr", "euc-jp", "utf-8", "macintosh", "no-such"),
)


@pytest.mark.parametrize("codec", SENTENCES)
def test_a_charset_that_is_not_declared_is_found_and_doubted(codec: str) -> None:
    found = decode(SENTENCES[codec].encode(codec))
    assert found.text == SENTENCES[codec]
    assert [note for note in found.notes if "no charset is declared" in note]


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("script", ["cp1251", "cp1253", "cp1255", "cp1256", "cp874", "cp932", "gb18030", "cp949"])
def test_utf_16_without_a_mark_is_found_in_every_script(script: str, codec: str) -> None:
    found = decode(SENTENCES[script].encode(codec))
    assert found.text == SENTENCES[script]
    assert found.notes == (f"no charset is declared: read as {codec} by its content",)


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        ("名前,年齢\n山田,30\n佐藤,25\n", "cp932"),
        ("合同编号\n供应商名称", "gb18030"),
        ("이름,나이\n김철수,30\n", "cp949"),
        ("ชื่อ,อายุ\nสมชาย,30\n", "cp874"),
        ("Договор аренды", "cp1251"),
    ],
)
def test_a_few_words_are_told_by_the_letters_that_a_language_has(text: str, codec: str) -> None:
    found = decode(text.encode(codec))
    assert found.text == text
    assert found.notes


def test_bytes_of_a_program_and_text_with_controls_are_no_utf_16() -> None:
    assert decode(b"\x1b[31mred\x1b[0m plain words \x01\x02").charset == "utf-8"
    assert decode(b"Bush hid the facts").charset == "utf-8"
    for data in (bytes(range(256)) * 8, b"\x7fELF\x02\x01\x01\x00" + b"\x00\x03\x00\x3e" * 40):
        assert not decode(data).charset.startswith("utf-16")


@pytest.mark.parametrize("codec", [one for one in SENTENCES if not one.startswith(("utf", "iso2022", "mac"))])
def test_nothing_is_read_wrongly_without_a_word_whatever_is_declared(codec: str) -> None:
    data = SENTENCES[codec].encode(codec)
    silent = [label for label in LABELS if (found := decode(data, label)).text != SENTENCES[codec] and not found.notes]
    assert silent == []


@pytest.mark.parametrize("codec", [one for one in SENTENCES if not one.startswith("utf")])
def test_a_charset_that_is_declared_as_it_is_has_no_doubt(codec: str) -> None:
    found = decode(SENTENCES[codec].encode(codec), codec.replace("cp12", "windows-12"))
    assert (found.text, found.notes) == (SENTENCES[codec], ())


@pytest.mark.parametrize(
    ("data", "label", "text", "notes"),
    [
        (b"", None, "", ()),
        (b"plain", "utf-16", "plain", ("'utf-16' is declared, but it is not: read as utf-8",)),
        (b"plain", "no-such", "plain", ()),
        ("Grüße".encode(), None, "Grüße", ()),
        ("Grüße".encode(), "utf8", "Grüße", ()),
        ("Grüße".encode(), "latin-1", "Grüße", ("'latin-1' is declared, but the bytes are UTF-8: read as utf-8",)),
        ("Grüße".encode("utf-8-sig"), "latin-1", "Grüße", ()),
        ("Grüße".encode("utf-16"), "latin-1", "Grüße", ()),
        ("Grüße".encode("utf-32"), None, "Grüße", ()),
        ("Grüße".encode("utf-16-le"), "utf-16-le", "Grüße", ()),
        # The web platform reads the label so: the letters between 80 and 9F are no controls.
        (b"5 \x80, it\x92s", "ISO-8859-1", "5 \u20ac, it\u2019s", ()),
        (b"5 \x80, it\x92s", "us-ascii", "5 \u20ac, it\u2019s", ()),
        ("\u2460 \uff5e".encode("cp932"), "Shift_JIS", "\u2460 \uff5e", ()),
        ("\u9555\u8d27".encode("gb18030"), "gb2312", "\u9555\u8d27", ()),
    ],
)
def test_bytes_become_words(data: bytes, label: str | None, text: str, notes: tuple[str, ...]) -> None:
    found = decode(data, label)
    assert (found.text, found.notes) == (text, notes)


@pytest.mark.parametrize(
    ("data", "label", "text", "words"),
    [
        (b"\xef\xbb\xbfab\xff", None, "ab\ufffd", "not valid in utf-8"),
        ("naïve \u2014 café".encode()[:-1], None, "naïve \u2014 caf\ufffd", "not valid in utf-8"),
        (("Grüße \n" * 50).encode() + b"\xfc", None, "Grüße \n" * 50 + "\ufffd", "not valid in utf-8"),
        ("x\ufffdy".encode(), None, "x\ufffdy", "lost before it was uploaded"),
        ("GrÃ¼ÃŸe aus MÃ¼nchen".encode(), None, "GrÃ¼ÃŸe aus MÃ¼nchen", "UTF-8 twice"),
        (b"a\x81b", "windows-1252", "a\ufffdb", "not valid in windows-1252"),
        (b"Gr\xfc\xdfe", "unicode_escape", "Grüße", "does not fit"),
        ("Grüße".encode(), "punycode", "Grüße", "'punycode' is unknown"),
        ("Preis 80 €".encode("utf-16-be"), "utf-16", "Preis 80 €", "the bytes are utf-16-be"),
        ("Grüße, schöne Grüße".encode() + b"\xff", "iso-8859-1", None, "looks like UTF-8 that is read as windows-1252"),
        (b"abc\x00defg", None, "abc\x00defg", "zeros were left out: 1"),
        (b"a\x00\x00\x00b c", "utf-8", "a\x00\x00\x00b c", "zeros were left out: 3"),
        (b"a\xc2\x85b\xc2\x92", None, "a\x85b\x92", "control characters"),
    ],
)
def test_what_is_lost_or_looks_lost_is_said(data: bytes, label: str | None, text: str | None, words: str) -> None:
    found = decode(data, label)
    assert text in (None, found.text)
    assert words in " ".join(found.notes)


@pytest.mark.parametrize(
    ("page", "codec"),
    [
        ('<html><head><meta charset="windows-1251"></head><p>{}</p>', "cp1251"),
        ("<meta http-equiv=content-type content='text/html; charset=windows-1251'><p>{}</p>", "cp1251"),
        ('<?xml version="1.0" encoding="windows-1251"?><html><p>{}</p></html>', "cp1251"),
        ('<!-- <meta charset="utf-16"> --><meta charset=windows-1251><p>{}</p>', "cp1251"),
        ("<script>'<meta charset=big5>'</script><meta charset=koi8-r><p>{}</p>", "koi8_r"),
    ],
)
def test_a_page_declares_its_charset(page: str, codec: str) -> None:
    words = SENTENCES["cp1251"]
    found = parse(page.format(words).encode(codec), name="a.html", media_type="text/html")
    assert (found.text, found.notes) == (words, ())


def test_what_a_page_is_uploaded_with_counts_before_what_it_says_of_itself() -> None:
    page = f"<meta charset=utf-8><p>{SENTENCES['cp1251']}</p>".encode("cp1251")
    found = parse(page, name="a.html", media_type="text/html; charset=windows-1251")
    assert (found.text, found.notes) == (SENTENCES["cp1251"], ())


def test_source_code_declares_its_charset() -> None:
    code = f"#!/usr/bin/python\n# -*- coding: cp1251 -*-\nx = '{SENTENCES['cp1251']}'\n"
    assert decode(code.encode("cp1251")).text == code


@pytest.mark.parametrize("codec", ["cp1251", "gb18030", "cp1252"])
def test_a_long_text_is_told_by_a_sample(codec: str) -> None:
    text = f"plain words\n{SENTENCES[codec]}\n" * 4000
    assert decode(text.encode(codec)).text == text
