"""Tools of which each can be undone in another way, or not at all."""

from typing import Any

from pentad.domain.errors import ToolFailed, ToolUnavailable
from pentad.tools.declare.declare import Grant, ToolContext, Undoable, tool

KIND = "LIST"
log: list[str] = []
broken: list[BaseException] = []
"""What the next undos of `order` raise, after half of their work."""


def unappend(data: dict[str, Any], context: ToolContext) -> None:
    """Take the last word off again, if it is still the last."""
    lists = context.table("records")
    words = (lists.get(KIND, data["name"]) or {"words": []})["words"]
    if words[-1:] != [data["word"]]:
        raise ToolFailed(f"'{data['word']}' is not the last word any more", fix="look at the list")
    lists.put(KIND, data["name"], {"words": words[:-1]})
    log.append(f"unappend {data['word']}")


@tool(effects="internal", permissions=[Grant("records", "readwrite", keys=KIND)], undo=unappend)
def append(name: str, word: str, context: ToolContext) -> Undoable[str]:
    """Put a word at the end of a list."""
    lists = context.table("records")
    words = (lists.get(KIND, name) or {"words": []})["words"]
    lists.put(KIND, name, {"words": [*words, word]})
    return Undoable("done", undo={"name": name, "word": word})


def cancel(data: dict[str, Any], context: ToolContext) -> None:
    """Cancel an order: the letter goes out, and then something may break."""
    log.append(f"cancel {data['item']}")
    if broken:
        raise broken.pop(0)


@tool(effects="external", undo=cancel)
def order(item: str) -> Undoable[str]:
    """Order something; neither the order nor its cancelling is idempotent."""
    if item == "nothing":
        raise ToolFailed("no such item")
    if item == "lost":
        raise ToolUnavailable("the shop does not answer")
    return Undoable("ordered", undo={"item": item})


@tool(effects="external")
def mail(to: str) -> str:
    """Send a letter, which nobody brings back."""
    return f"sent to {to}"


@tool(effects="none")
def look(at: str) -> str:
    """Look at something."""
    return at
