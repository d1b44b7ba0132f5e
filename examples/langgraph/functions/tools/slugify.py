"""A LangChain tool as a tool of Pentad."""

import re

from langchain_core.tools import tool

from pentad.tools.graphs.adapters.langchain_tools import from_langchain


@tool
def slug_of(title: str) -> str:
    """Slugify a title: turn it into the last part of an address."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


slugify = from_langchain(slug_of, name="slugify", effects="none", trusted_output=True)
