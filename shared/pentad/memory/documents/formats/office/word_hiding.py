"""Tell which words of a Word document are hidden: by their run, a style, the document's defaults, or their row."""

from typing import Any, Final

WORD: Final = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_STYLES_ABOVE: Final = 20
_OFF: Final = ("0", "false", "off")
_SMALL: Final = ("0", "1", "2")
"""Half points."""
_WHITE: Final = ("FFFFFF", "FEFEFE", "FDFDFD")
Element = Any


class WordHiding:
    """What a document hides.

    Args:
        document: as python-docx reads it.
    """

    def __init__(self, document: Any) -> None:
        styles = document.styles.element
        self._styles = _find_hiding_styles(styles)
        self._default = next(
            (
                style.get(f"{WORD}styleId")
                for style in styles.iter(f"{WORD}style")
                if style.get(f"{WORD}type") == "paragraph" and style.get(f"{WORD}default") in ("1", "true", "on")
            ),
            None,
        )
        self._everywhere = _find_hiding(styles.find(f"{WORD}docDefaults/{WORD}rPrDefault/{WORD}rPr"))

    def hides_run(self, run: Element) -> bool:
        """Tell whether a run is hidden: by itself, else by its style, its paragraph's, its table's, or the defaults.

        Letters of a point or less are hidden too.
        """
        own = _find_hiding(run.find(f"{WORD}rPr"))
        size = run.find(f"{WORD}rPr/{WORD}sz")
        if size is not None and size.get(f"{WORD}val") in _SMALL:
            return True
        if own is not None or not (self._styles or self._everywhere):
            return bool(own)
        for style in self._iter_styles(run):
            if (said := self._styles.get(style)) is not None:
                return said
        return bool(self._everywhere)

    def _iter_styles(self, run: Element) -> list[str]:
        """Return the ids of the styles that apply to a run, the nearest first."""
        paragraph = next(run.iterancestors(f"{WORD}p"), None)
        table = next(run.iterancestors(f"{WORD}tbl"), None)
        named = (
            run.find(f"{WORD}rPr/{WORD}rStyle"),
            None if paragraph is None else paragraph.find(f"{WORD}pPr/{WORD}pStyle"),
        )
        found = [style.get(f"{WORD}val") for style in named if style is not None]
        if named[1] is None:
            found.append(self._default)  # a paragraph that names no style has this one
        if table is not None and (style := table.find(f"{WORD}tblPr/{WORD}tblStyle")) is not None:
            found.append(style.get(f"{WORD}val"))
        return [style for style in found if style]

    def hides_row(self, row: Element) -> bool:
        """Tell whether a table's row is hidden."""
        return _is_on(row.find(f"{WORD}trPr/{WORD}hidden"))


def is_white(run: Element) -> bool:
    """Tell whether a run's letters are white on what is white as far as the run, its paragraph and its cell say."""
    color = run.find(f"{WORD}rPr/{WORD}color")
    if color is None or (color.get(f"{WORD}val") or "").upper() not in _WHITE:
        return False
    if run.find(f"{WORD}rPr/{WORD}highlight") is not None:
        return False
    grounds = [run.find(f"{WORD}rPr/{WORD}shd")]
    for around, properties in (("p", "pPr"), ("tc", "tcPr")):
        element = next(run.iterancestors(f"{WORD}{around}"), None)
        grounds.append(None if element is None else element.find(f"{WORD}{properties}/{WORD}shd"))
    return all(one is None or (one.get(f"{WORD}fill") or "auto").upper() in (*_WHITE, "AUTO") for one in grounds)


def is_deleted_row(row: Element) -> bool:
    """Tell whether a table's row was deleted, and the deletion is not accepted yet."""
    return row.find(f"{WORD}trPr/{WORD}del") is not None


def _is_on(switch: Element | None) -> bool:
    return switch is not None and switch.get(f"{WORD}val", "true") not in _OFF


def _find_hiding(properties: Element | None) -> bool | None:
    """Return whether properties of a run or a style hide words; None where they do not say.

    ``webHidden`` hides nothing on paper: it is for the view of Word as a page of the web, as in tables of contents.
    """
    found = None if properties is None else properties.find(f"{WORD}vanish")
    return None if found is None else _is_on(found)


def _find_hiding_styles(styles: Element) -> dict[str, bool]:
    """Return whether styles hide words, by the ids of those that say so or are based on one that does."""
    own: dict[str, tuple[bool | None, str | None]] = {}
    for style in styles.iter(f"{WORD}style"):
        based = style.find(f"{WORD}basedOn")
        parent = based.get(f"{WORD}val") if based is not None else None
        own[style.get(f"{WORD}styleId")] = _find_hiding(style.find(f"{WORD}rPr")), parent
    found: dict[str, bool] = {}
    for name in own:
        above: str | None = name
        for _ in range(_STYLES_ABOVE):
            said, above = own.get(above or "", (None, None))
            if said is not None:
                found[name] = said
                break
    return found
