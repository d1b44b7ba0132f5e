"""A file of the catalog: a YAML file of sections."""

from typing import Any

from pentad.domain.errors import ConfigurationError
from pentad.domain.reading.yaml_file import YamlFile


class CatalogFile(YamlFile):
    """A parsed file whose value is a mapping; an empty one where it has nothing but comments.

    Args:
        name: as errors show it.
        content: its text, or its bytes.
        unique: see `YamlFile`.

    Raises:
        ConfigurationError: it is no YAML, no mapping, or what ``unique`` refuses.
    """

    def __init__(self, name: str, content: str | bytes, *, unique: bool = False) -> None:
        super().__init__(name, content, unique=unique)
        if self.data is None:  # comments alone
            self.data = {}
        if not isinstance(self.data, dict):
            raise ConfigurationError(f"{name}:1: the file must be a mapping", fix="begin with its sections")

    def get_section(self, name: str) -> dict[str, Any]:
        """Return a section; an empty one where there is none.

        Raises:
            ConfigurationError: it is no mapping.
        """
        items = self.data.get(name)
        if items is None:
            return {}
        if not isinstance(items, dict):
            raise self.make_error(
                (name,), "the section is not a mapping", f"write names and their fields under {name}:"
            )
        return {str(key): value for key, value in items.items()}

    def check_sections(self, known: tuple[str, ...]) -> None:
        """Raise ConfigurationError where the file has a section that is not known."""
        for section in self.data:
            if section not in known:
                raise self.make_error((section,), "the section is not known", f"use {', '.join(known)}")
