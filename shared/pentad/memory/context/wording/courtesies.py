# ruff: noqa: RUF001 - these are words of many scripts
"""Tell a letter's greeting, sign-off and signature from what it asks. Pure, and a rule of thumb."""

import re
from typing import Final

from pentad.memory.context.asking import is_courtesy

_FEW_WORDS: Final = 7
_NAME_WORDS: Final = 5
_NAME_UNSPACED: Final = 6  # characters of a line in a script without capitals and blanks
_WORD: Final = re.compile(r"[^\W_]+")
_ENDS_SENTENCE: Final = re.compile("[.!?:](?=\\s|\\Z)|[\u3002\uff01\uff1f\u061f]")
_COMMA: Final = re.compile("[,\u060c]\\Z")
_HELLO: Final = (
    "hello|hi|hey|hallo|good (?:morning|afternoon|evening|day)|greetings|guten (?:tag|morgen|abend)|moin|servus|"
    "grüß gott|bonjour|bonsoir|salut|hola|buen[oa]s (?:días|tardes|noches)|buenas|ciao|salve|buongiorno|buonasera|"
    "olá|oi|bom dia|boa (?:tarde|noite)|goede(?:morgen|middag|navond|ndag)|hej|god dag|hei|moi|cześć|dzień dobry|"
    "ahoj|dobrý den|jó napot(?: kívánok)?|szia|merhaba|selam|bună(?: ziua)?|здравствуйте|добрый (?:день|вечер)|"
    "привет|вітаю|добрий день|xin chào|chào|halo|selamat (?:pagi|siang|sore|malam)|السلام عليكم|مرحبا|سلام|درود|"
    "שלום|नमस्ते|안녕하세요|안녕하십니까|こんにちは|お世話になっております|拝啓|你好|您好|สวัสดี(?:ครับ|ค่ะ)?|"
    "γεια(?: σας)?|καλημέρα(?: σας)?|καλησπέρα(?: σας)?|habari|jambo|வணக்கம்|здравейте"
)
_DEAR: Final = (
    "dear|sehr geehrte[rs]?|liebe[rs]?|chers?|chère?s?|madame|monsieur|estimad[oa]s?|querid[oa]s?|gentil[ei]|"
    "egregio|car[oai]|尊敬的\\w*|亲爱的\\w*|prezad[oa]s?|geachte|kära|kære|kjære|arvoisa|szanown[iyea]\\w*|drog[ia]|"
    "vážen[ýáí]|tisztelt|kedves|sayın|stimat[eăi]\\w*|уважаем\\w+|дорог\\w+|шановн\\w+|kính gửi|yth|"
    "αγαπητ\\w+|αξιότιμ\\w+"
)
_CLOSE: Final = (
    "(?:(?:with )?(?:kind(?:est)?|best|warm(?:est)?|many) )?(?:regards|wishes|thanks)|best|all the best|cheers|"
    "(?:yours )?(?:sincerely|faithfully|truly)(?: yours)?|yours|thank you|(?:thanks|thank you) in advance|"
    "(?:mit )?(?:freundlich|viel|lieb|best|herzlich|schön)en? grü(?:ß|ss)en?|gruß|grüße|hochachtungsvoll|mfg|lg|vg|"
    "(?:vielen |herzlichen |besten )?dank(?: im voraus)?|danke(?: im voraus)?|"
    "(?:bien )?cordialement|bien à vous|(?:meilleures|sincères) salutations|merci(?: d'avance| beaucoup)?|"
    "(?:un )?(?:cordial |cordiales )?saludos?(?: cordial(?:es)?)?|atentamente|(?:muchas )?gracias|"
    "(?:cordiali |distinti )?saluti|grazie(?: mille)?|atenciosamente|cumprimentos|abraços?|(?:muito )?obrigad[oa]|"
    "(?:met )?(?:vriendelijke )?groet(?:en)?|mvg|bedankt|(?:med )?vänliga? hälsning(?:ar)?|mvh|tack|"
    "(?:med )?venlig hilsen|(?:med )?vennlig hilsen|tak|takk|(?:ystävällisin )?terveisin|kiitos|"
    "z poważaniem|pozdrawiam|dziękuję|s pozdravem|děkuji|(?:üdvözlettel|tisztelettel)|köszönöm|"
    "saygılarımla|teşekkürler|cu (?:stimă|respect)|mulțumesc|с уважением|спасибо|з повагою|дякую|"
    "trân trọng|cảm ơn|hormat (?:kami|saya)|salam|terima kasih|مع (?:خالص )?(?:التحية|تحياتي)|تحياتي|شكرا|"
    "با (?:احترام|تشکر)|ממתין לתשובה|בברכה|תודה(?: רבה)?|सादर|धन्यवाद|감사합니다|敬具|よろしくお願い(?:いた|致)?します|"
    "此致|敬礼|谢谢|ขอบคุณ(?:ครับ|ค่ะ)?|με εκτίμηση|ευχαριστώ|wako mwaminifu|asante(?: sana)?|நன்றி|"
    "с уважение|благодаря|sent from my \\w+|(?:von|gesendet von) meinem \\w+(?: gesendet)?"
)
_ONLY: Final = re.compile(
    rf"\W*(?:{_HELLO}|{_CLOSE}|sehr geehrte damen und herren|dear (?:sirs?|all|team)|"
    rf"\w{{1,12}} ?(?:様|さま|님|님께))\W*",
    re.I,
)
_TO_SOMEONE: Final = re.compile(rf"\W*(?:{_DEAR})\b[^\n,;:!?]*[,:!\uff0c\uff1a\u060c]", re.I)
_CLOSE_LINE: Final = re.compile(rf"\W*(?:{_CLOSE})\W*\n", re.I)
_BEGINS: Final = re.compile(rf"\W*(?:{_HELLO}|{_DEAR}|{_CLOSE})\b", re.I)


def is_greeting_or_close(part: str) -> bool:
    """Return whether a paragraph is a greeting, thanks, or a sign-off with the name below it.

    Args:
        part: a short paragraph, without blank space around it.
    """
    if _ONLY.fullmatch(part) or is_courtesy(part):
        return True
    few = len(_WORD.findall(part)) <= _FEW_WORDS
    if few and "\n" not in part and (_COMMA.search(part) or _TO_SOMEONE.fullmatch(part)):
        return True
    close = _CLOSE_LINE.match(part)
    return close is not None and all(map(_is_surely_name, part[close.end() :].splitlines()))


def may_open(part: str) -> bool:
    """Return whether a paragraph may be a greeting, as it begins as one and has few words."""
    return _BEGINS.match(part) is not None and len(_WORD.findall(part)) <= _FEW_WORDS


def may_sign(part: str) -> bool:
    """Return whether a paragraph may be a sign-off or a signature: lines of few words, none a sentence."""
    return may_open(part) or _is_name(part)


def _is_name(part: str) -> bool:
    lines = part.splitlines()
    return not _ENDS_SENTENCE.search(part) and all(len(_WORD.findall(line)) <= _NAME_WORDS for line in lines)


def _is_surely_name(line: str) -> bool:
    """Return whether a line below a sign-off is no request: one word, or a few that begin with capitals or digits."""
    words = _WORD.findall(line)
    if any(word[0].isalpha() and not word[0].isupper() and not word[0].islower() for word in words):
        return len("".join(words)) <= _NAME_UNSPACED
    return len(words) <= 1 or (len(words) <= _NAME_WORDS and not any(word[0].islower() for word in words))
