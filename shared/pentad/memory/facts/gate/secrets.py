"""Tell whether what would be remembered holds a secret. Pure.

Words for passwords and codes are known in some thirty languages; a sentence that has one is not remembered, even where
it may only speak of them: a fact less costs a question, a password that is kept costs more.
"""

import re
import unicodedata
from typing import Final

from pentad.domain.secrets import mask_secrets

_PLACES: Final = "alarm|door|gate|safe|lock|locker|house|flat|apartment|home|office|building|garage|vault|phone|card"
_ENGLISH: Final = (
    r"pass ?(?:word|code|phrase|key)s?",
    r"pwd|pin(?:[ -]?codes?| numbers?)?|cvv|cvc|otp|ssn|social security|tan (?:list|number|codes?)",
    r"(?:one-time|security|recovery) (?:codes?|keys?|phrases?|answers?|questions?)",
    r"secret(?! (?:sauce|santa|recipe|garden|service|admirer|agent))",
    r"(?:api|private|wi-?fi|network|licen[cs]e|access|encryption)[ -]keys?|api[ -]?keys?",
    r"token(?! (?:ring|economy|of)\b)",
    r"(?:wallet )?seed (?:phrases?|words?)|wallet seeds?|mnemonic phrases?",
    rf"(?:{_PLACES}|entry|access|unlock|mailbox|voicemail|keypad) codes?",
    rf"(?<!dress )codes? (?:to|for|of) (?:my|our|the) (?:{_PLACES}|bike|suitcase)",
    r"combination (?:to|is)|log-?ins? (?:is|are)|credentials? (?:is|are)",
)
_OTHERS: Final = (
    r"passwort\w*|kennwort\w*|geheimzahl|zugangs(?:code|daten)|wachtwoord\w*|toegangscode|pincode",
    r"mots? de passe|cl[ée]s? d['\u2019]api|codes? (?:secret|d['\u2019]acc[èe]s)",
    r"contrase[ñn]as?|claves?|c[óo]digo (?:secreto|de acceso)|senhas?|palavras?-passe",
    r"parola d['\u2019]ordine|codice (?:segreto|pin)|parol[ăa] (?:de|mea)|parolă",
    r"lösenord\w*|adgangskode\w*|passord\w*|salasana\w*|jelszó\w*|lozink[aeu]",
    r"hasł[oa]|hesl[oau]|şifre\w*|sifrem|parolam",
    r"mật khẩu|kata sandi",
    r"парол[ьяею]\w*|кодов\w+ слов\w+|пин-?код\w*",
    r"κωδικ\w*|συνθηματικ\w*",
)
# Scripts without blanks, and words that carry articles and endings: anywhere in a word.
_INSIDE: Final = (
    "密码|密碼|口令|验证码|驗證碼|パスワード|暗証番号|合言葉|비밀번호|암호는|รหัสผ่าน",
    "كلمة (?:ال)?(?:مرور|سر)|الرقم السري|رمز عبور|סיסמ[הא]|पासवर्ड",
)
_CREDENTIAL: Final = re.compile(rf"\b(?:{'|'.join(_ENGLISH + _OTHERS)})\b|{'|'.join(_INSIDE)}", re.IGNORECASE)
_CARD: Final = re.compile(r"(?<!\d)\d(?:[ ._/\u2010-\u2015-]{0,2}\d){12,18}(?!\d)")
_US_NUMBER: Final = re.compile(r"(?<![\d-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])")
"""Of social security, as written: area, group and serial number (SSA, "SSN randomization", 2011)."""


def has_secret(text: str) -> bool:
    """Tell whether a text holds a credential, says that it does, or has the number of a payment card."""
    if mask_secrets(text) != text:
        return True
    plain = unicodedata.normalize("NFKC", text)
    if any(_is_card(re.sub(r"\D", "", found)) for found in _CARD.findall(plain)):
        return True
    return _US_NUMBER.search(plain) is not None or _CREDENTIAL.search(plain) is not None


def _is_card(digits: str) -> bool:
    """Tell whether digits have the checksum of a payment card's number (ISO/IEC 7812-1, Luhn)."""
    if not 13 <= len(digits) <= 19:
        return False
    doubled = [int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0
