"""The catalog of a deployment: all agents and tools, as the Lambda layer ``catalog`` brings them."""

from functools import cache
from importlib import resources

from pydantic import ValidationError

from pentad.domain.declarations.agents import Catalog
from pentad.domain.errors import ConfigurationError

PACKAGE = "pentad_catalog"
_FIX = "attach the layer 'catalog', which the synth builds from agents/ and functions/tools/"


@cache
def load_catalog(package: str = PACKAGE) -> Catalog:
    """Return the catalog in ``catalog.json`` of a package.

    Raises:
        ConfigurationError: it is missing, or not a catalog.
    """
    try:
        text = resources.files(package).joinpath("catalog.json").read_text(encoding="utf-8")
    except (ModuleNotFoundError, FileNotFoundError) as error:
        raise ConfigurationError(f"'{package}/catalog.json' is missing", fix=_FIX) from error
    try:
        return Catalog.model_validate_json(text)
    except ValidationError as error:
        raise ConfigurationError(f"'{package}/catalog.json' is not a valid catalog: {error}", fix=_FIX) from error
