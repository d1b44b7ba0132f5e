"""Tell what of a page a reader sees: neither hidden elements, nor scripts, nor navigation."""

from pentad.memory.documents.formats.web.html_styles import StyleRules, is_hidden_by
from pentad.memory.documents.formats.web.html_tokens import HtmlToken

_NEVER = frozenset({"script", "style", "template", "noscript"})
_VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())
_ENDS_ITSELF = frozenset("p li dt dd option td th tr".split())
"""Elements whose end tag may be left out: the next of their kind, or a block, ends them."""
_BLOCK_STARTS = frozenset(
    "address article aside blockquote div dl fieldset footer form h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre"
    " section table td th tr ul dt dd option body".split()
)
_ASIDE = frozenset({"nav", "navigation"})
_OUTSIDE_MAIN = frozenset({"header", "footer", "aside", "banner", "contentinfo", "complementary", "search"})


class Shown:
    """Follows the tags of a page.

    Args:
        main_only: the page says what its main content is, so headers, footers and asides of the page are none of it.
        navigation: it is shown too.
        noscript: what browsers without scripts show is shown too.
    """

    def __init__(self, *, main_only: bool = False, navigation: bool = False, noscript: bool = False) -> None:
        self._main_only = main_only
        self._navigation = navigation
        self._noscript = noscript
        self._rules = StyleRules()
        self._skipping = ""
        self._why = ""
        self._depth = 0
        self._inside_main = 0
        self._left_out: dict[str, int] = {}

    def read_style(self, sheet: str) -> None:
        """Note which elements a style sheet hides."""
        self._rules.read(sheet)

    def open_tag(self, token: HtmlToken) -> bool:
        """Tell whether a tag that opens is shown."""
        tag = token.value
        if self._skipping:
            ends = self._skipping in _ENDS_ITSELF and self._depth == 1 and tag in _BLOCK_STARTS
            if not (ends and (tag == self._skipping or self._skipping == "p")):
                self._depth += tag == self._skipping and tag not in _VOID
                return False
            self._skipping = ""
        why = self._find_reason(token)
        if why and tag not in _VOID:
            self._skipping, self._why, self._depth = tag, why, 1
        self._inside_main += not why and tag in ("main", "article")
        return not why

    def close_tag(self, tag: str) -> bool:
        """Tell whether a tag that closes is shown."""
        if not self._skipping:
            self._inside_main = max(0, self._inside_main - (tag in ("main", "article")))
            return True
        if tag == self._skipping:
            self._depth -= 1
            if not self._depth:
                self._skipping = ""
        return False

    def take_words(self, words: str) -> bool:
        """Tell whether words are shown; count those that are not."""
        if not self._skipping:
            return True
        if words.strip() and self._why:
            self._left_out[self._why] = self._left_out.get(self._why, 0) + len(words.split())
        return False

    def get_notes(self) -> list[str]:
        """Return what was left out, where somebody may miss it."""
        told = {"hidden": "hidden text", "noscript": "text for browsers without scripts"}
        notes = ["a 'noscript' has no end: what follows it was read"] if self._noscript else []
        if self._rules.doubts:
            named = ", ".join(f"'{one[:60]}'" for one in self._rules.doubts)
            notes.append(f"text was read that these rules of its style sheets may hide: {named}")
        counted = [(told[why], count) for why, count in self._left_out.items() if why in told]
        return notes + [f"{what} was left out: {count:,} words" for what, count in counted]

    def _find_reason(self, token: HtmlToken) -> str:
        """Return why a tag is not shown, or nothing."""
        tag = token.value
        if tag in _NEVER and not (tag == "noscript" and self._noscript):
            return "noscript" if tag == "noscript" else "script"
        attributes = token.read_attributes() if token.attributes.strip(" /\n") else {}
        if self._is_hidden(tag, attributes):
            return "hidden"
        if self._navigation:
            return ""
        role = attributes.get("role", "").lower()
        if _ASIDE & {tag, role}:
            return "navigation"
        outside = self._main_only and not self._inside_main and bool(_OUTSIDE_MAIN & {tag, role})
        return "navigation" if outside else ""

    def _is_hidden(self, tag: str, attributes: dict[str, str]) -> bool:
        if "hidden" in attributes or (tag == "input" and attributes.get("type", "").lower() == "hidden"):
            return True
        if "style" in attributes and is_hidden_by(attributes["style"]):
            return True
        return self._rules.hides(tag, attributes)
