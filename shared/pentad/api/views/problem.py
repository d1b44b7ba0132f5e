"""What the API answers instead of what was asked for: a problem document."""

from pydantic import Field

from pentad.api.views.view import View


class Problem(View):
    """A problem document (RFC 9457)."""

    type: str = Field(description="identifies the kind of problem")
    title: str
    status: int
    detail: str
    instance: str = Field(description="id of the request, as it stands in the log")
    code: str = Field(description="class name of the error tree")
    help: str = Field(description="where this API says what the code means, relative to the request's address")
    field: str | None = Field(default=None, description="the input field at fault")
    fix: str | None = Field(default=None, description="what can be done about it")
