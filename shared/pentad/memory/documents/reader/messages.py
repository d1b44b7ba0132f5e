"""What is said between a function and the process that documents are read by. No parser is loaded with it."""

import struct
from typing import Final

SERVER: Final = "pentad.memory.documents.reader.reader_server"
"""The module that is run."""
REQUEST: Final = struct.Struct("!d16s")
"""Seconds, and the ending of the document's name; two descriptors come along, of what to read and what to write."""
REPLY: Final = struct.Struct("!i")
"""The exit code of the document's process, or `TIMED_OUT`."""
TIMED_OUT: Final = 1_000
"""No exit code is as large."""
