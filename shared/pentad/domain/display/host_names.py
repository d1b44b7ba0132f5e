"""Write the name of a host as DNS has it, as browsers do: one way for links, recipients and connections. Pure."""


def encode_host(name: str) -> str:
    """Return a name in lower case ASCII; letters, digits and dots of other scripts are mapped.

    It is UTS 46 without its transitional form (https://www.unicode.org/reports/tr46/), as browsers and mail servers
    have it: ``straße.de`` is ``xn--strae-oqa.de``, and not ``strasse.de``, which may be somebody else's. Python's own
    codec ``idna`` is of 2003.

    Args:
        name: without a port.

    Raises:
        ValueError: it is no name: a letter that none may have, a joiner where no script needs one, a long label.
    """
    if name.isascii():
        return name.lower()
    import idna  # its tables take milliseconds to load, and few names need them

    try:
        return idna.encode(name, uts46=True, std3_rules=False).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError, IndexError) as error:
        raise ValueError("it is no name of a host") from error
