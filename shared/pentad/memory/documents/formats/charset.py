"""Turn a document's bytes into words, and say each doubt about it.

In this order: a byte order mark, UTF-8 where the bytes can hardly be anything else, the declared charset (read as the
web platform reads the label: Encoding Standard, "Names and labels"), then detection. Whatever is guessed, replaced or
contradicted is a doubt, which stands on the document's entry.
"""

import codecs
import re
from dataclasses import dataclass

from charset_normalizer import from_bytes

from pentad.memory.documents.formats.charsets.letters import measure_oddness
from pentad.memory.documents.formats.charsets.seven_bits import UNREADABLE, find_seven_bits
from pentad.memory.documents.formats.charsets.wide import UNWRITTEN, detect_wide

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CODECS = {
    **dict.fromkeys(("iso-8859-1", "latin1", "latin-1", "l1", "ascii", "us-ascii", "iso8859-1"), "cp1252"),
    **dict.fromkeys(("iso-8859-9", "latin5", "iso8859-9"), "cp1254"),
    **dict.fromkeys(("iso-8859-11", "tis-620", "dos-874", "windows-874"), "cp874"),
    **dict.fromkeys(("gb2312", "gbk", "x-gbk", "gb_2312-80", "chinese", "cp936"), "gb18030"),
    **dict.fromkeys(("shift_jis", "shift-jis", "sjis", "x-sjis", "ms_kanji", "windows-31j"), "cp932"),
    **dict.fromkeys(("euc-kr", "ks_c_5601-1987", "ksc5601", "korean", "windows-949"), "cp949"),
    **dict.fromkeys(("big5", "x-x-big5", "cn-big5", "big5-hkscs"), "big5"),
    **dict.fromkeys(("macintosh", "x-mac-roman", "mac"), "mac_roman"),
    "x-mac-cyrillic": "mac_cyrillic",
    "iso-8859-8-i": "iso8859_8",
    "iso-2022-jp": "iso2022_jp_ext",
    "utf8": "utf-8",
    "unicode": "utf-16-le",
    "utf-16": "utf-16-le",
}
"""Codecs of labels that are read otherwise than Python reads them."""
_TEXT_CODEC = re.compile(r"(?:utf|iso|ibm|windows|cp|koi8|mac|gb|big5|euc|shift|johab|hz|tis|ptcp|kz|latin|x-)", re.I)
"""Python decodes text from ``unicode_escape``, ``punycode`` and the like too, which no document is in."""
_SHOWN = {"cp932": "shift_jis", "cp949": "euc-kr", "iso2022_jp_ext": "iso-2022-jp", "mac_roman": "macintosh"}
_SINGLE = (
    *("cp1252", "cp1251", "cp1250", "cp1253", "cp1254", "cp1256", "cp1255", "cp1257", "koi8_r", "cp866", "iso8859_2"),
    *("mac_roman", "cp850", "cp874"),
)
"""Charsets of a byte a character that are looked for, the likelier ones first."""
_DOUBLE = ("gb18030", "big5", "cp949", "cp932", "euc_jp")
_SELDOM = (
    *(
        "iso8859_5",
        "mac_cyrillic",
        "cp852",
        "koi8_u",
        "cp437",
        "iso8859_7",
        "cp857",
        "cp775",
        "iso8859_13",
        "iso8859_16",
    ),
    *(
        "mac_latin2",
        "mac_greek",
        "mac_turkish",
        "cp737",
        "cp862",
        "cp865",
        "cp860",
        "johab",
        "cp1258",
        "iso8859_6",
        "cp720",
    ),
)
"""Charsets that are looked for where the words look odd in all others."""
_WHOLE_WORDS = frozenset({"cp1251", "cp1253", "cp1255", "cp1256", "koi8_r", "cp866", "iso8859_5"})
"""Charsets of alphabets in which all letters of a word are beyond ASCII."""
_WESTERN = frozenset({"utf-8", "cp1252", "cp1254", "iso8859_15"})
_SYMBOL_WITHIN = re.compile("(?<=[A-Za-z])[\u00a1-\u00bf](?=[A-Za-z])")
_RUNS = re.compile(r"[^\x00-\x7f]+")
_SAMPLE_BYTES = 40_000
_HEAD_BYTES = 4096
_LEAST_BYTES = 4
"""Beyond ASCII, below which words say nothing of their charset."""
_CLEARLY = 0.05
_BEYOND_LETTER = re.compile(r"[^\W\d_\x00-\x7f\xaa\xb2\xb3\xb5\xb9\xba\xbc-\xbe]|[\x80-\x9f\u2500-\u259f\ufffd]")
_LEAST_ODD_BYTES = 2
_LEAST_ODDNESS = 0.02
_MOST_ODDNESS = 0.3
_MOST_BAD = 0.02
"""Share of the bytes beyond ASCII that may be broken in what is still UTF-8."""

_META = re.compile(rb"<meta\b[^>]{0,300}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{1,40})", re.IGNORECASE)
_XML = re.compile(rb"\s{0,20}<\?xml\b[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9_:.-]{1,40})", re.IGNORECASE)
_COOKIE = re.compile(rb"^[^\n]{0,10}#[^\n]{0,60}?coding[:=][ \t]*([-\w.]{1,40})", re.MULTILINE)
_UNSHOWN = re.compile(rb"<!--.*?(?:-->|\Z)|<(script|style)\b.*?(?:</\1|\Z)", re.IGNORECASE | re.DOTALL)
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")
# UTF-8 that was read as Windows-1252 and written as UTF-8 again: a letter of C2 to F4 and a character of 80 to BF.
_TWICE = re.compile(
    "[\u00c2-\u00f4][\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]"
)
_TWICE_IN_PART = re.compile("\u00c3[\u00a1-\u00bf\u2013-\u203a]")
_CONTROLS = re.compile("[\x01-\x08\x0e-\x19\x1c-\x1f\x80-\x9f]")


_SELDOM_THAI = frozenset("ฃฅฆฌฎฏฐฑฒฯฺ๏๚๛")
_USUAL_KOREAN = frozenset(
    "이다는에의가을하고지한를은사도로기인어자리서나아시정일해대그부수과들제라전소으있보장동구주원"
    "비만신면성여경오상스조공안우세유무학선러게고요용문트개중생국년계월위진모방었합니습번실적간"
)


@dataclass(frozen=True)
class Decoded:
    """Words, the charset that they were in, and what is doubtful about it."""

    text: str
    charset: str
    notes: tuple[str, ...] = ()


def decode(data: bytes, declared: str | None = None, *, markup: bool = False) -> Decoded:
    """Return the words of a document.

    Args:
        data: the document.
        declared: the charset that it was uploaded with.
        markup: it is HTML or XML, which may declare a charset itself.
    """
    for mark, marked in _BOMS:
        if data.startswith(mark):
            return _finish(data[len(mark) :], marked, "its byte order mark")
    label = declared or _find_declaration(data, markup)
    codec = _find_codec(label)
    wide = detect_wide(data) if UNWRITTEN.search(data) else None
    if wide is not None and label is None:
        return _finish(data, wide, "its content", f"no charset is declared: read as {wide} by its content")
    if wide is not None and codec != wide:
        return _finish(data, wide, "its content", f"'{label}' is declared, but the bytes are {wide}: read as such")
    if _BEYOND_ASCII.search(data) is None and (found := find_seven_bits(data)) is not None:
        return _read_seven_bits(data, found, label, codec)
    if _is_utf8(data):
        return _finish_utf8(data, label, codec)
    if codec is not None and codec != "utf-8":
        return _read_declared(data, str(label), codec)
    return _detect(data, label)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _finish_utf8(data: bytes, label: str | None, codec: str | None) -> Decoded:
    """Return what is valid UTF-8. Of several characters beyond ASCII no other charset makes that by chance."""
    plain = _BEYOND_ASCII.search(data) is None
    if plain and codec is not None and codec.startswith(("utf-16", "utf-32", "utf-7", "hz", "iso2022")):
        # Only these write ASCII bytes for something else. A page says UTF-16 of itself in ASCII: then it is not.
        if codec.startswith(("utf-7", "hz", "iso2022")) or b"\x00" in data:
            return _finish(data, codec, "its declaration")
        return Decoded(data.decode(), "utf-8", (f"'{label}' is declared, but it is not: read as utf-8",))
    if plain or codec in (None, "utf-8"):
        notes = [] if label is None or codec is not None or plain else [f"the declared charset '{label}' is unknown"]
        return _finish(data, "utf-8", "its content", *notes)
    return _finish(data, "utf-8", "its content", f"'{label}' is declared, but the bytes are UTF-8: read as utf-8")


def _read_seven_bits(data: bytes, found: str, label: str | None, codec: str | None) -> Decoded:
    """Return text of a charset that writes its letters in ASCII bytes."""
    if found == UNREADABLE:
        note = f"it has escape sequences of {UNREADABLE}, which can't be read: its words are missing"
        return _finish(data, "utf-8", "its content", note)
    shown = _show(found)
    if codec == found or (found.startswith("iso2022_jp") and str(codec).startswith("iso2022_jp")):
        return _finish(data, found, f"its declaration '{label}'")
    said = f"'{label}' is declared" if label else "no charset is declared"
    return _finish(data, found, "its content", f"{said}: read as {shown} by its content")


def _read_declared(data: bytes, label: str, codec: str) -> Decoded:
    """Return what is in the declared charset; a declaration that the words speak against is a doubt."""
    text = data.decode(codec, "replace")
    # Of Vietnamese, whose tones are characters of their own, and of signs alone, what is compared there knows nothing.
    known = not codec.startswith(("utf", "iso2022", "hz", "cp1258")) and _BEYOND_LETTER.search(text) is not None
    better = _find_better(data, codec) if known else None
    odd = 0.0
    if better is None and len(_BEYOND_ASCII.findall(data[:_SAMPLE_BYTES])) >= _LEAST_ODD_BYTES:
        odd = measure_oddness(text)
        better = _find_less_odd(data, odd) if odd >= _LEAST_ODDNESS else None
    if better is not None and _take_sample(data).decode(better, "replace") == _take_sample(data).decode(
        codec, "replace"
    ):
        better = None
    if codec.startswith(("utf-16", "utf-32")) and b"\x00" not in data and detect_wide(data) != codec:
        return _finish(data, codec, "its declaration", f"'{label}' is declared, but the bytes may be another charset")
    if better is None:
        looks = f"'{label}' is declared, but the words look as in no language that is known: read as declared"
        return _finish(data, codec, f"its declaration '{label}'", *([looks] if odd > _MOST_ODDNESS else []))
    shown, broken = _show(better), text.count("\ufffd")
    if broken * 20 > len(_BEYOND_ASCII.findall(data)):
        return _finish(data, better, "its content", f"the bytes are not '{label}', as declared: read as {shown}")
    note = f"'{label}' is declared, but the words look like {shown}: read as declared"
    return _finish(data, codec, f"its declaration '{label}'", note)


def _find_less_odd(data: bytes, odd: float) -> str | None:
    """Return the charset in which words look as in a language and not, as in another charset, odd; None of none."""
    sample = _take_sample(data)
    found: list[tuple[float, str]] = []
    for codec in (*_SINGLE, *_DOUBLE, *_SELDOM):
        try:
            words = sample.decode(codec)
        except UnicodeDecodeError:
            continue
        found.append((round(measure_oddness(words), 2), codec))
    best = min(found, key=lambda one: one[0], default=None)
    return best[1] if best is not None and best[0] <= odd / 2 else None


def _find_better(data: bytes, codec: str) -> str | None:
    """Return the charset in which the words look clearly better than in the declared one, or None."""
    if len(_BEYOND_ASCII.findall(data[:_SAMPLE_BYTES])) < _LEAST_BYTES:
        return None
    ranked = _rank(data, codec)
    if not ranked or ranked[0][0] == codec:
        return None
    own = next((chaos for found, chaos in ranked if found == codec), 1.0)
    same = data.decode(codec, "replace") == data.decode(ranked[0][0], "replace")
    return None if same or own - ranked[0][1] < _CLEARLY else ranked[0][0]


def _detect(data: bytes, label: str | None) -> Decoded:
    """Return what nothing is known of: mostly UTF-8, or the charset in which the words look best."""
    beyond = len(_BEYOND_ASCII.findall(data))
    broken = data.decode("utf-8", "replace").count("\ufffd") - data.count("\ufffd".encode())
    ends_early = _is_utf8(data[:-3]) or _is_utf8(data[:-2]) or _is_utf8(data[:-1])
    said = f"'{label}' is declared and does not fit" if label else "no charset is declared"
    if broken <= beyond * _MOST_BAD or (ends_early and beyond > 3):
        return _finish(data, "utf-8", "its content")
    found = _rank(data)
    if not found:
        return _finish(data, "cp1252", "a guess", f"{said}, and none fits: read as windows-1252, which takes any byte")
    codec = found[0][0]
    odd = measure_oddness(_take_sample(data).decode(codec, "replace"))
    if odd >= _LEAST_ODDNESS and (better := _find_less_odd(data, odd)) is not None:
        found = [(better, found[0][1]), *((one, chaos) for one, chaos in found if one != better)]
        codec = better
    text = data.decode(codec, "replace")
    others = [
        _show(one) for one, chaos in found[1:] if chaos <= found[0][1] + 0.02 and data.decode(one, "replace") != text
    ]
    rest = f" (or {', '.join(others[:2])})" if others else ""
    return _finish(data, codec, "its content", f"{said}: read as {_show(codec)} by its content{rest}")


def _rank(data: bytes, declared: str = "") -> list[tuple[str, float]]:
    """Return charsets and how disorderly the words look in each (0 to 1), the best first."""
    sample = _take_sample(data)
    if _BEYOND_ASCII.search(sample) is None:
        return []
    found: list[tuple[tuple[float, ...], str, float]] = []
    known = [*_SINGLE, *_DOUBLE] + ([declared] if declared and declared not in (*_SINGLE, *_DOUBLE) else [])
    matches = from_bytes(sample, cp_isolation=known, threshold=0.35, preemptive_behaviour=False)
    for match in matches:
        for codec in {match.encoding, *match.could_be_from_charset} & set(known):
            words = str(match)
            chaos = match.chaos + _compute_oddness(words, codec, sure=match.coherence > 0)
            prior = _SINGLE.index(codec) if codec in _SINGLE else 0
            found.append(((round(chaos, 1), -round(match.coherence, 1), prior), codec, chaos))
    return [(codec, chaos) for _, codec, chaos in sorted(found)]


def _compute_oddness(text: str, codec: str, *, sure: bool) -> float:
    """Return by how much words are less likely in a charset than they look; ``sure``: a language was recognised."""
    beyond = [character for character in text if character > "\x7f"]
    if not beyond:
        return 0.0
    if codec in _DOUBLE or codec == "cp874":
        return _compute_asian_oddness(beyond, codec)
    runs = _RUNS.findall(text)
    if codec in _WHOLE_WORDS:
        # Single letters beyond ASCII are Western or Eastern European.
        single: bool = sum(len(run) > 1 for run in runs) < len(runs) / 2
        inverted: bool = sum(run[0].islower() and run[1:].isupper() for run in runs if len(run) > 2) > len(runs) / 5
        # Hebrew has no capitals, and the other alphabets have its bytes as small letters.
        no_case = not (any(map(str.isupper, beyond)) and any(map(str.islower, beyond)))
        no_capital = not sure and codec not in ("cp1255", "cp1256") and no_case
        return 0.2 * single + 0.3 * inverted + 0.1 * no_capital
    # Turkish in its own charset, read as Western: Icelandic letters without those that Icelandic has most.
    if len(_SYMBOL_WITHIN.findall(text)) > len(beyond) / 10:
        return 0.2
    if codec == "cp1254" and "\u0131" in beyond and set("\u011f\u015f") & set(beyond):
        return -0.15
    turkish = (
        codec == "cp1252"
        and set("\u00f0\u00fd\u00fe") & set(beyond)
        and not set("\u00e1\u00ed\u00f3\u00e6") & set(beyond)
    )
    return 0.15 if turkish else 0.0


def _compute_asian_oddness(beyond: list[str], codec: str) -> float:
    def count_in(*ranges: tuple[str, str]) -> float:
        return sum(any(low <= one <= high for low, high in ranges) for one in beyond) / len(beyond)

    if codec == "cp874":
        seldom = sum(one in _SELDOM_THAI for one in beyond) > len(beyond) / 10
        return 0.3 * (count_in(("\u0e01", "\u0e5b")) <= 0.9) + 0.2 * seldom
    if codec in ("cp932", "euc_jp"):
        return 0.15 * (count_in(("\u3041", "\u30ff")) < 0.1) + 0.4 * count_in(("\uff61", "\uff9f"))
    if codec == "cp949":
        # Korean of today has next to no Chinese characters and no single letters.
        unusual = sum(one in _USUAL_KOREAN for one in beyond) < len(beyond) / 7
        return (
            0.15 * (count_in(("\uac00", "\ud7a3")) < 0.7)
            + 0.2 * unusual
            + count_in(("\u3130", "\u318f"), ("\u4e00", "\u9fff"))
        )
    # Chinese has no kana, and the word for "of" is in almost every text.
    return count_in(("\u3041", "\u30ff"), ("\ue000", "\uf8ff"), ("\u3400", "\u4dbf")) + 0.05 * ("\u7684" not in beyond)


def _take_sample(data: bytes) -> bytes:
    """Return the lines with characters beyond ASCII, the first 40 kB of them."""
    if len(data) <= _SAMPLE_BYTES:
        return data
    lines = [line for line in data[: 50 * _SAMPLE_BYTES].splitlines(keepends=True) if _BEYOND_ASCII.search(line)]
    first = _BEYOND_ASCII.search(data)
    kept = b"".join(lines) or (data[first.start() :] if first else b"")
    kept = kept[:_SAMPLE_BYTES]
    # Not within a character: bytes below those of digits are never the second one of a character.
    end = max(kept.rfind(mark) for mark in (b"\n", b" ", b",", b"\r"))
    return kept[: end + 1] if end > 0 else kept


def _find_declaration(data: bytes, markup: bool) -> str | None:
    """Return the charset that a document declares of itself."""
    head = data[:_HEAD_BYTES]
    found = _XML.match(head)
    if found is None and markup:
        found = _META.search(_UNSHOWN.sub(b"", head))
    if found is None and not markup:
        found = _COOKIE.search(b"\n".join(head.splitlines()[:2]))
    return found[1].decode("ascii", "replace") if found else None


def _find_codec(label: str | None) -> str | None:
    """Return the codec of a label as the web platform reads it; None of one that is unknown."""
    if label is None:
        return None
    name = label.strip().strip("\"'").lower()
    if not _TEXT_CODEC.match(name) and name not in _CODECS:
        return None
    try:
        found = codecs.lookup(_CODECS.get(name, name)).name
    except (LookupError, ValueError):
        return None
    return found if found.startswith("utf-") else found.replace("-", "_")


def _finish(data: bytes, codec: str, by: str, *notes: str) -> Decoded:
    """Decode, and note what was lost or looks lost."""
    text = data.decode(codec, "replace")
    found = list(notes)
    before = data.count("\ufffd".encode()) if codec == "utf-8" else 0
    if broken := text.count("\ufffd") - before:
        found.append(f"characters that are not valid in {_show(codec)} ({by}), shown as \ufffd: {broken:,}")
    if before:
        found.append(f"characters that were lost before it was uploaded, shown as \ufffd: {before:,}")
    if (twice := len(_TWICE.findall(text))) > 1 and twice * 4 > sum(one > "\x7f" for one in text):
        if codec == "utf-8":
            found.append("it looks as if it was encoded as UTF-8 twice, such as 'Ã¼' for 'ü'")
        elif codec in ("cp1252", "cp1254", "iso8859_15"):
            found.append(f"it looks like UTF-8 that is read as {_show(codec)}, such as 'Ã¼' for 'ü'")
    elif (parts := len(_TWICE_IN_PART.findall(text))) >= (2 if codec == "utf-8" else 1) and codec in _WESTERN:
        found.append(f"parts of it look like UTF-8 that was read as another charset, such as 'Ã¼' for 'ü': {parts:,}")
    if zeros := text.count("\x00"):
        found.append(f"zeros were left out: {zeros:,}: it may be no text, or in a charset that is not declared")
    if len(_CONTROLS.findall(text)) > 0 and not broken:
        found.append("it has control characters where letters are expected: its charset may be another one")
    return Decoded(text, _show(codec), tuple(found))


def _show(codec: str) -> str:
    """Return a codec's name as the web platform writes it."""
    if codec in _SHOWN:
        return _SHOWN[codec]
    return re.sub(r"\Acp(125\d|874)\Z", r"windows-\1", codec.replace("iso8859_", "iso-8859-").replace("_", "-"))
