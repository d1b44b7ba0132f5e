"""What a secret looks like in text, and how it is masked: one table for logs and for tool results."""

import re

MASK = "[masked]"

# Each pattern is linear: one class per repetition, no nesting. The prefixes are the vendors' published ones.
_WHOLE = re.compile(
    "|".join(
        (
            r"\bptd\.[a-z0-9-]{1,40}\.[A-Za-z0-9_-]{1,64}\.[A-Za-z0-9_-]{8,}",  # our own API keys
            r"\bsk-[A-Za-z0-9_-]{16,}",  # Anthropic, OpenAI
            r"\bpcsk_[A-Za-z0-9_]{16,}",  # Pinecone
            r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",  # AWS access key ids
            r"\bgh[pousr]_[A-Za-z0-9]{20,}",  # GitHub
            r"\bgithub_pat_[A-Za-z0-9_]{20,}",
            r"\bxox[abeprs]-[A-Za-z0-9-]{10,}",  # Slack
            r"\bAIza[A-Za-z0-9_-]{35}",  # Google
            r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}",  # Stripe
            r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",  # JSON Web Tokens
            r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[A-Za-z0-9+/=\s\\]{0,10000}"
            r"(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?",
        )
    )
)
_BEARER = re.compile(r"(?i)\b(bearer|authorization\W{1,4}basic)(\s+)[A-Za-z0-9._~+/=-]{12,}")
_URL = re.compile(r"(://[^\s/:@]{1,100}:)[^\s/@]{1,200}(@)")
# A digit is asked for, so that "password: required" stays readable.
_NAMED = re.compile(
    r"""(?ix)\b((?:aws_secret_access_key|api[_-]?key|client[_-]?secret|secret[_-]?key|access[_-]?token|secret|passw(?:or)?d
    |token)\b["']?\s{0,5}[:=]\s{0,5}["']?)(?=[^\s"',;&}]{0,200}\d)[^\s"',;&}]{8,}"""
)
_EMAIL = re.compile(r"\b[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}\b")
# Names whose value is a secret whatever its form.
_NAMES = frozenset(
    "accesstoken apikey authorization awssecretaccesskey clientsecret cookie passwd password privatekey refreshtoken "
    "secret secretkey setcookie tasktoken xapikey".split()
)


def is_secret_name(name: str) -> bool:
    """Return whether a field of this name holds a secret: ``api_key``, ``Set-Cookie``, ``taskToken``."""
    return re.sub(r"[^a-z]", "", name.lower()) in _NAMES


def mask_secrets(text: str, *, emails: bool = False) -> str:
    """Return the text with every secret that can be told by its form replaced by ``[masked]``.

    Args:
        text: any text.
        emails: mask e-mail addresses too.
    """
    masked = _WHOLE.sub(MASK, text)
    masked = _BEARER.sub(rf"\1\2{MASK}", masked)
    masked = _URL.sub(rf"\1{MASK}\2", masked)
    masked = _NAMED.sub(rf"\1{MASK}", masked)
    return _EMAIL.sub(MASK, masked) if emails else masked
