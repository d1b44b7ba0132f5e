"""Look at an Office document's archive before a library opens it: bombs of ZIP and of XML are refused unopened."""

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager

from pentad.domain.errors import InvalidInput

MAX_UNPACKED_BYTES = 250 * 1024 * 1024
MAX_PARTS = 10_000
_MOST_RATIO = 200
_SMALL_BYTES = 1024 * 1024
"""Of a part that may be packed as tightly as it likes."""
_HEAD_BYTES = 2048
_TEXT_PARTS = (".xml", ".rels", ".vml")


def check_archive(data: bytes) -> None:
    """Refuse an archive that unpacks to more than may be read, and one whose XML declares entities.

    The sizes that an archive states bind: ``zipfile`` unpacks no more than it states. Office writes no document type
    declarations (ECMA-376, part 2, 8.1.4), and entities grow from one.

    Raises:
        InvalidInput: it does.
    """
    with open_document("archive"), zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = archive.infolist()
        if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES:
            megabytes = MAX_UNPACKED_BYTES // 1024 // 1024
            raise _refuse(f"the document unpacks to more than {megabytes} MB or {MAX_PARTS:,} parts")
        for part in parts:
            if part.file_size > max(_SMALL_BYTES, part.compress_size) * _MOST_RATIO:
                raise _refuse("a part of the document unpacks to more than 200 times its size")
            if part.flag_bits & 1:
                raise _refuse("a part of the document is protected by a password")
            if part.filename.lower().endswith(_TEXT_PARTS):
                with archive.open(part) as source:
                    head = source.read(_HEAD_BYTES)
                if b"<!DOCTYPE" in head.replace(b"\x00", b""):
                    raise _refuse("a part of the document declares XML entities")


@contextmanager
def open_document(what: str) -> Iterator[None]:
    """Raise what a library says of a damaged document as one error.

    Args:
        what: what is opened, such as ``Word document``.

    Raises:
        InvalidInput: the library raised anything but what ends the process anyway.
    """
    try:
        yield
    except (InvalidInput, MemoryError, RecursionError):
        raise
    except Exception as error:  # each library has errors of its own for each damage, and raises many others
        raise InvalidInput(
            f"the {what} is damaged ({type(error).__name__})", field="document", fix="save it again, and upload that"
        ) from error


def _refuse(message: str) -> InvalidInput:
    return InvalidInput(message, field="document", fix="save it again in its own program, or upload its text")
