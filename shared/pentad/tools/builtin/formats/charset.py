"""From bytes to text: a charset that is named, a byte order mark, or UTF-8; nothing is guessed."""

import base64
import binascii
import re

from pentad.tools.builtin.formats.tree import MAX_CHARACTERS, make_content_error

# Charsets of text only: Python also decodes "idna", "unicode_escape", "zip" and the like by these names.
_CHARSETS = re.compile(
    r"utf-?8|utf-?16(?:-?[lb]e)?|utf-?32(?:-?[lb]e)?|us-ascii|ascii|latin-?1|iso-?8859-(?:[1-9]|1[0-6])|"
    r"(?:windows-?|cp)(?:125[0-8]|437|850|852|855|858|866|874|932|949|950)|koi8-[ru]|mac-?roman|shift_jis|euc-jp|"
    r"iso-2022-jp|euc-kr|gb2312|gbk|gb18030|big5|tis-620"
)
_MARKS = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


def decode_content(content: str, charset: str) -> str:
    """Return the text of bytes that are given in base64.

    Args:
        content: base64; white space in it does not count.
        charset: its name, such as windows-1252; a byte order mark in the bytes counts more.

    Raises:
        InvalidInput: it is no base64, the charset is not known, or the bytes are not in it.
    """
    name = charset.strip().lower().replace("windows-", "cp")
    if not _CHARSETS.fullmatch(charset.strip().lower()):
        raise make_content_error(
            f"no charset {charset[:40]!r}", "use one such as utf-8, windows-1252 or shift_jis", "charset"
        )
    try:
        data = base64.b64decode("".join(content.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise make_content_error(
            "with 'charset' the content is base64, and this is not", "encode the bytes, or leave 'charset' out"
        ) from error
    name = next((found for mark, found in _MARKS if data.startswith(mark)), name)
    try:
        text = data.decode(name)
    except (UnicodeError, LookupError) as error:
        where = f" at byte {error.start}" if isinstance(error, UnicodeDecodeError) else ""
        raise make_content_error(f"the bytes are not {charset}{where}", "name the right charset", "charset") from error
    return text[: MAX_CHARACTERS + 1]
