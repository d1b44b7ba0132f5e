"""Defuse links and images in text that may carry data away: they stay readable, and lead nowhere. Pure.

An image is fetched as soon as a screen shows it, and its address can hold what an attacker wants to know; a link needs
one click, and many screens make a link of each address. What is looked at: Markdown's images and links, reference
links, autolinks (Slack's too), HTML, every bare address of the web, and a name without ``https://`` where something
stands behind it that may carry data (``evil.example/page``): chats and phones make a link of it. A name alone is text
here, and a renderer of another markup may make links of what is not looked at.
"""

import html
import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

from pentad.domain.display.host_names import encode_host

_REST_OF_ADDRESS: Final = re.compile(r"[^\s<>\"'`|()\[\]{}]*")
_MOST_PLACES: Final = 100
"""Of one address in one text of the user's: where each of them only begins another address, it was not given."""
_SHOWN: Final = 80
_PLAIN_SCHEMES: Final = ("http", "https", "ftp", "ftps", "sftp", "ws", "wss")
_SAFE_SCHEMES: Final = ("mailto", "tel")
_BLOCKED: Final = "blocked"
_UNKNOWN: Final = "unknown"
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,30}):")
_HOST: Final = re.compile(r"//(?:[^/?#]*@)?(\[[0-9A-Fa-f:.%]*\]|[^/:?#@]*)")
_JOINERS: Final = ("\u200c", "\u200d")
"""They make another name where a script needs them, and none elsewhere."""
_DESTINATION: Final = r"(?:<[^<>\n]{0,8000}>|[^\s()<>]{0,8000}(?:\([^\s()]{0,8000}\)[^\s()]{0,8000}){0,8})"
_INLINE: Final = re.compile(rf"(?P<before>\])\([\s>]*+(?P<address>{_DESTINATION})[^()\n]{{0,2000}}\)?")
# Of a word with several "]:" the first that is not escaped ends the label; what follows in that word is the address.
_REFERENCE: Final = re.compile(
    r"(?<!\S)(?P<before>(?:[^\s\\\]]|\\\S?|\](?!:))*+\]):[\s>]*+(?P<address><[^<>\n]{0,8000}>|\S{1,8000})[^\n]{0,2000}"
)
_AUTOLINK: Final = re.compile(
    r"<\s{0,20}((?:[A-Za-z][A-Za-z0-9+.-]{1,30}:|www\.|//)[^<>\s|]{0,8000})(\|[^<>\n]{0,2000})?>"
)
_TAG_START: Final = re.compile(r"<(?=[A-Za-z/!?])")
# A tag goes on over "<" until its end, so what begins like one before it may be the tag that a browser sees.
_TAG: Final = re.compile(rf"{_TAG_START.pattern}([^>]*+)>?")
_ACTIVE: Final = re.compile(
    r"\A/?(?:script|style|iframe|frame|object|embed|applet|meta|link|base|form|template|portal)\b"
    r"|//|url\s*+\(|\bon[a-z]{3,20}\s*+="
    r"|(?:src|href|srcset|srcdoc|style|background|poster|action|formaction|data|ping|content)\s*+=",
    re.I,
)
"""What of a tag runs, loads or leads somewhere."""
_VALUE: Final = re.compile(r"([\w:-]{1,50})\s*+=\s*+(\"[^\"]*+\"|'[^']*+'|[^\s\"'>][^\s>]*+)")
_OPEN_VALUE: Final = re.compile(r"=\s*+[\"']")
_WORDS_OF_TAGS: Final = frozenset({"alt", "title", "class", "id"})
_ESCAPE: Final = re.compile(r"\\([!-/:-@\[-`{-~])")
"""Markdown takes the backslash away before the address is used."""
_BARE: Final = re.compile(
    r"(?:(?:https?|ftps?|sftp|wss?):[/\\]{1,4}+|www\.)"
    r"(?:\[[0-9a-f:.%]{2,60}\][^\s<>\"'`|()\[\]{}*_~]{0,8000}|[^\s<>\"'`|()\[\]{}*_~]{1,8000})",
    re.I,
)
"""Up to where a renderer may begin another link: behind a bracket, a quote or a sign of emphasis."""
_TOP_LEVEL: Final = (
    "(?:a[cdefgilmoqrstuwxz]|b[abdefghijmnorstvwyz]|c[acdfghiklmnoruvwxyz]|d[ejkmoz]|e[cegrstu]|f[ijkmor]"
    "|g[abdefghilmnpqrstuwy]|h[kmnrtu]|i[delmnoqrst]|j[emop]|k[eghimnprwyz]|l[abcikrstuvy]|m[acdeghklmnopqrstuvwxyz]"
    "|n[acefgilopruz]|om|p[aefghklmnrstwy]|qa|r[eosuw]|s[abcdeghijklmnorstvxyz]|t[cdfghjklmnortvwz]|u[agksyz]"
    "|v[aceginu]|w[fs]|y[et]|z[amw]"
    "|com|net|org|info|biz|edu|gov|mil|int|pro|aero|asia|coop|museum|name|web|xxx"
    "|app|dev|xyz|top|site|online|store|shop|tech|cloud|page|link|live|news"
    "|club|click|world|today|space|website|agency|digital|email|support|services|solutions|systems|network|media|host"
    "|blog|work|fun|icu|vip|zip|mov|buzz|life|rest|bond|cyou|sbs|cfd|lol|quest|monster|example|test|invalid|localhost"
    "|xn--[a-z0-9-]{2,59}|[^\\W\\d_a-z]{2,24})"
)
"""Countries' as ISO 3166 has them, and those of the others that links are mostly made of; any of another script."""
_NAMED: Final = re.compile(
    rf"(?P<other>```.*?```|(?<!`)`[^`\n]{{1,2000}}`(?!`)|{_BARE.pattern})"
    rf"|(?<![^\W_])(?:(?<![@.:/\\-])//|(?<![@./\\-]))(?P<name>(?:[^\W_][\w-]{{0,62}}[.\u3002\uff0e\uff61]){{1,8}}"
    rf"{_TOP_LEVEL})(?![\w-])(?P<rest>(?::[0-9]{{1,5}})?(?:[/\\](?=\S)|\?(?=\w)|\#(?=[\w%.~-]{{1,200}}="
    r"))[^\s<>\"'`|()\[\]{}*]{0,8000})?",
    re.I | re.S,
)
"""Code, whole addresses, which were looked at before, and names with what stands behind them."""
_OPENING: Final = frozenset("([{*\"'`|")
_LONG_LABEL: Final = 20
"""Letters of a part of a name that may carry data by itself."""
_MOST_LABELS: Final = 5
_LIVE_SCHEME: Final = re.compile(r"(?<=h)tt(?=ps?:)|(?<=f)t(?=ps?:)|(?<=w)s(?=s?:)", re.I)
_LIVE_HOST: Final = re.compile(r"(?::[/\\]+|[/\\]{2,}|www[.\u3002\uff0e\uff61])[^/\\?#]*", re.I)
_DOTS: Final = re.compile("[.\u3002\uff0e\uff61]")
_IN_TAG: Final = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]{0,30}:)?[/\\]{2}[^\s\"'<>`)]{1,8000}")


@dataclass(frozen=True)
class DefusedText:
    """A text without addresses that lead to other hosts than the allowed ones.

    Attributes:
        text: the text.
        hosts: what was blocked, each once, in order.
    """

    text: str
    hosts: tuple[str, ...] = ()


def defuse_links(text: str, *, allowed: Collection[str] = (), own_words: Sequence[str] = ()) -> DefusedText:
    """Return a text with its links and images defused.

    Args:
        text: Markdown, as a model writes it.
        allowed: hosts that may be led to; ``*.example.com`` is every host below it.
        own_words: what the user wrote: an address that stands there stays.
    """
    work = _Work(tuple(allowed), tuple(own_words))
    text = _replace(_INLINE, text, "](blocked: {host})", work)
    text = re.sub(r"!(?=\[[^\[\]\n]{0,2000}\]\(blocked: )", "", text)
    text = _replace(_REFERENCE, text, "{before} (blocked: {host})", work)
    text = _AUTOLINK.sub(work.replace_autolink, text)
    text = _TAG.sub(work.replace_tag, text)
    text = _BARE.sub(work.replace_bare, text)
    text = _NAMED.sub(work.replace_named, text)
    return DefusedText(text, tuple(dict.fromkeys(work.blocked)))


def _replace(pattern: re.Pattern[str], text: str, blocked: str, work: "_Work") -> str:
    """Return a text in which links that lead elsewhere are replaced; what follows one that stays is looked at anew."""
    pieces: list[str] = []
    place = start = 0
    while (match := pattern.search(text, start)) is not None:
        host = work.find_blocked(match["address"].strip("<>"))
        if host is None:
            start = match.end("before") + 1
            continue
        pieces += (text[place : match.start()], blocked.format(before=match["before"], host=host))
        place = start = match.end()
    return "".join((*pieces, text[place:]))


@dataclass
class _Work:
    """One pass over a text.

    Attributes:
        allowed: hosts.
        own_words: of the user.
        blocked: hosts so far.
    """

    allowed: tuple[str, ...]
    own_words: tuple[str, ...]
    blocked: list[str] = field(default_factory=list)

    def replace_autolink(self, match: re.Match[str]) -> str:
        """Return an autolink, or its words and that it is blocked."""
        host = self.find_blocked(match[1])
        words = (match[2] or "").lstrip("|")
        return match[0] if host is None else f"{words} (blocked: {host})".strip()

    def replace_tag(self, match: re.Match[str]) -> str:
        """Return an HTML tag, or its text where it may load something from, or lead to, another host."""
        inside = html.unescape(match[1])
        # A value that has no end here goes on behind this ">": what follows is of the same tag.
        whole = _OPEN_VALUE.search(_VALUE.sub("", match[1])) is None
        if whole and not _ACTIVE.search(inside):
            return match[0]
        values = [value.strip("\"'") for name, value in _VALUE.findall(inside) if name.casefold() not in _WORDS_OF_TAGS]
        addresses = _IN_TAG.findall(re.sub(r"[\t\r\n]", "", inside))
        blocked = [host for one in (*addresses, *values) if (host := self.find_blocked(one)) is not None]
        if whole and addresses and not blocked and match[0].endswith(">") and "\\" not in inside:
            return match[0]
        return _TAG_START.sub("&lt;", match[0])

    def replace_bare(self, match: re.Match[str]) -> str:
        """Return a bare address, or one that can be read and is no link: ``hxxps://evil(.)example/page``."""
        address, end = match[0], ""
        while address and address[-1] in ".,;:!?":
            address, end = address[:-1], address[-1] + end
        host = self.find_blocked(address)
        return match[0] if host is None else f"{_disarm(address)}{end}"

    def replace_named(self, match: re.Match[str]) -> str:
        """Return an address without a scheme as it was, or as no link: where it may carry something, and is no code."""
        name, rest = match["name"], match["rest"]
        if name is None or (rest is None and not _may_carry(name)):
            return match[0]
        address = f"{name}{rest or ''}".rstrip(".,;:!?")
        goes_on = match.string[match.end() : match.end() + 1] in _OPENING
        given = not goes_on and any(_is_given(f"//{address}", _lead(address, words)) for words in self.own_words)
        if given or self.find_blocked(f"//{address}") is None:
            return match[0]
        return match[0].replace(name, _DOTS.sub("(.)", name), 1)

    def find_blocked(self, address: str) -> str | None:
        """Return the host that an address must not lead to, or None where it may."""
        if any(_is_given(address, words) for words in self.own_words if address):
            return None
        # As HTML has it, and as Markdown does, before and after entities are read: none of them may lead elsewhere.
        readings = (address, _ESCAPE.sub(r"\1", address), _ESCAPE.sub(r"\1", html.unescape(address)))
        hosts = (host for one in dict.fromkeys(readings) if (host := find_host(one)) is not None)
        host = next((one for one in hosts if not is_allowed(one, self.allowed)), None)
        if host is None:
            return None
        shown = "".join(one if one.isascii() and (one.isalnum() or one in ".-:[]") else "?" for one in host)[:_SHOWN]
        self.blocked.append(shown or _UNKNOWN)
        return self.blocked[-1]


def _may_carry(name: str) -> bool:
    """Tell if a name alone may hold data: whoever owns a name is asked for all that stand below it."""
    labels = _DOTS.split(name)
    return len(labels) > _MOST_LABELS or any(len(one) >= _LONG_LABEL for one in labels)


def _lead(address: str, words: str) -> str:
    """Return words of the user's in which an address without a scheme has none of another's either."""
    return re.sub(rf"(?<![\w@./\\-]){re.escape(address)}", lambda found: f"//{found[0]}", words)


def _is_given(address: str, words: str) -> bool:
    """Tell if a user's words have an address; ``https://bank.co`` is not given by ``https://bank.com``."""
    place = words.find(address)
    for _ in range(_MOST_PLACES):
        if place < 0:
            return False
        rest = _REST_OF_ADDRESS.match(words, place + len(address))
        whole = address + (rest[0] if rest else "").rstrip(".,;:!?*_")
        if find_host(whole) == find_host(address):
            return True
        place = words.find(address, place + 1)
    return False


def find_host(address: str) -> str | None:
    """Return the host that a browser would ask for an address; None for one within the page's own host.

    A scheme that runs or holds something (``javascript:``, ``data:``) is returned in the host's place, and ``unknown``
    for what no browser takes for a host.
    """
    plain = unicodedata.normalize("NFKC", html.unescape(address)).replace("\\", "/")
    plain = "".join(one for one in plain if one > " " and _is_shown(one))
    found = _SCHEME.match(plain)
    scheme, rest = (None, plain) if found is None else (found[1].lower(), plain[found.end() :])
    if scheme == _BLOCKED:
        return None  # it was defused before, and leads nowhere
    if scheme in _SAFE_SCHEMES:
        return rest.partition("?")[0].rpartition("@")[2].lower() or scheme if "?" in rest else None
    if scheme is not None and scheme not in _PLAIN_SCHEMES:
        return scheme
    if scheme is not None:
        rest = f"//{rest.lstrip('/')}"
    elif plain.lower().startswith("www."):
        rest = f"//{plain}"
    elif not rest.startswith("//"):
        return None
    named = _HOST.match(f"//{rest.lstrip('/')}")
    try:
        return encode_host(named[1] if named else "").rstrip(".") or None
    except ValueError:
        return _UNKNOWN


def _is_shown(mark: str) -> bool:
    return mark in _JOINERS or unicodedata.category(mark) not in ("Cc", "Cf", "Zs")


def _disarm(address: str) -> str:
    """Return an address that is read and is no link, nor is any within it: screens know neither scheme nor host."""
    named = _LIVE_SCHEME.sub(lambda found: "x" * len(found[0]), address)
    return _LIVE_HOST.sub(lambda found: _DOTS.sub("(.)", found[0]), named)


def is_allowed(host: str, allowed: Collection[str]) -> bool:
    """Tell whether a host is one of those that may be led to."""
    for one in allowed:
        if host == one or (one.startswith("*.") and host.endswith(one[1:]) and len(host) > len(one) - 1):
            return True
    return False
