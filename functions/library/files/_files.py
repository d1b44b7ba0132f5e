"""What the tools for files share: the types of their arguments."""

from typing import Annotated

from pydantic import Field

Path = Annotated[str, Field(min_length=1, max_length=600, description="such as reports/2026/summary.md")]
Etag = Annotated[
    str | None, Field(max_length=100, description="the etag as it was read: only if the file is still the same")
]
