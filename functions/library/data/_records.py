"""What the tools for records share: the types of their arguments."""

from typing import Annotated

from pydantic import Field

Kind = Annotated[str, Field(min_length=1, max_length=40, description="one of the kinds that the tool is set up for")]
Key = Annotated[str, Field(min_length=1, max_length=300, description="the record's key: 1042, mary@example.com")]
Version = Annotated[int | None, Field(ge=0, description="as it was found: only if nobody has changed the record since")]
