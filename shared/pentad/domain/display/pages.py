"""Text from outside in pages and chats: characters marked, and what the page or chat would read as markup escaped."""

import html
import json
from typing import Any, Final

from pentad.domain.display.characters import mark_line, mark_text

_IN_SCRIPTS: Final = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
)


def escape_html(text: str) -> str:
    """Return text of several lines for an element or an attribute in quotes."""
    return html.escape(mark_text(text), quote=True)


def escape_html_line(text: str) -> str:
    """Return text as one line for an element or an attribute in quotes."""
    return html.escape(mark_line(text), quote=True)


def embed_json(value: Any) -> str:
    """Return JSON that may stand in a script element: nothing in it ends the element or begins a comment."""
    return json.dumps(value).translate(_IN_SCRIPTS)


def escape_slack(text: str) -> str:
    """Return text for a message to Slack: no link, no mention, no ``<!channel>`` comes of it.

    Source: https://docs.slack.dev/messaging/formatting-message-text ("Escaping text", read 2026-11).
    """
    return html.escape(mark_text(text), quote=False)
