"""Where the benchmarks print. They show their own figures, so nothing here has to be marked as from outside."""

from rich.console import Console

OUT = Console(highlight=False)
ERR = Console(stderr=True, highlight=False)
