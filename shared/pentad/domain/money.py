"""Money as integer nano-dollars: 1 USD = 1,000,000,000. A cached token can cost 10 of them."""

from decimal import ROUND_HALF_EVEN, Decimal

NANO = 1_000_000_000


def to_nanousd(dollars: str | int | Decimal) -> int:
    """Return dollars as nano-dollars. Takes no float: 0.1 is not a tenth.

    Raises:
        ValueError: the amount has more than nine decimals, so it can't be held exactly.
    """
    amount = Decimal(dollars) * NANO
    if amount != amount.to_integral_value():
        raise ValueError(f"{dollars} USD is finer than a nano-dollar")
    return int(amount)


def show(amount: int) -> str:
    """Return nano-dollars as dollars for a reader: at least two decimals, no trailing zeros beyond."""
    text = f"{Decimal(amount) / NANO:.9f}"
    whole, _, fraction = text.partition(".")
    return f"${whole}.{fraction.rstrip('0').ljust(2, '0')}"


def per_million(tokens: int, price: int) -> int:
    """Return the price of ``tokens`` at ``price`` nano-dollars per million tokens, rounded half to even once."""
    exact = Decimal(tokens) * price / 1_000_000
    return int(exact.quantize(Decimal(1), rounding=ROUND_HALF_EVEN))
