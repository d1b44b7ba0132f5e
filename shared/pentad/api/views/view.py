"""The base of what the API answers."""

from pydantic import BaseModel, ConfigDict


class View(BaseModel):
    """Base of all views. Unlike stored values, they are sent under their fields' own names: `run_id` stays `run_id`."""

    model_config = ConfigDict(frozen=True)
