"""The lines of a text, without an object for each: a document may have twelve million."""

from array import array
from bisect import bisect_right


class TextLines:
    """Lines by their numbers, from 0 on, each with its line end."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts = array("q", [0])
        position = 0
        while position := text.find("\n", position) + 1:
            self._starts.append(position)
        if self._starts[-1] != len(text):
            self._starts.append(len(text))

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __getitem__(self, number: int) -> str:
        """Return a line."""
        return self._text[self._starts[number] : self._starts[number + 1]]

    def get_start(self, number: int) -> int:
        """Return where a line begins; of the number behind the last line, where the text ends."""
        return self._starts[number]

    def find(self, position: int) -> int:
        """Return the line in which a character stands."""
        return bisect_right(self._starts, position) - 1

    def is_blank(self, number: int) -> bool:
        """Tell whether there is nothing in a line, or no such line."""
        return number >= len(self) or not self[number].strip()
