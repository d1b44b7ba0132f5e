"""The models of a deployment: the shipped catalog with what the layer ``catalog`` changes in it."""

from functools import cache
from importlib import resources

from pentad.models.catalog.catalog import OVERLAY, ModelCatalog, load
from pentad.runtime.catalog import PACKAGE


@cache
def load_models(package: str = PACKAGE) -> ModelCatalog:
    """Return the models' catalog, with what the deployment's own ``models.yaml`` changes, if it has one.

    Raises:
        ConfigurationError: a mistake in it.
    """
    try:
        overlay = resources.files(package).joinpath(OVERLAY).read_text(encoding="utf-8")
    except (ModuleNotFoundError, FileNotFoundError):
        return load()
    return load(overlay=overlay)
