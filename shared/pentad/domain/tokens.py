"""Estimate tokens where the model's own count is not at hand: budgets, chunk sizes, reservations."""

BYTES_PER_TOKEN = 4


def estimate_tokens(text: str) -> int:
    """Return about how many tokens a model makes of ``text``: one for each four bytes of UTF-8, rounded up.

    Four characters of English a token is the rule of thumb that OpenAI and Anthropic both publish; counting bytes
    makes it hold roughly for other scripts too (Cyrillic 2, Chinese 1.3, emoji 1 characters a token). An estimate: the
    providers' reported usage is what is billed.
    """
    size = len(text.encode("utf-8", "surrogatepass"))
    return -(-size // BYTES_PER_TOKEN)
