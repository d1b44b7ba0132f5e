"""Random numbers for jitter, also in processes that were restored from one snapshot.

The module `random` draws its seed at import, so it is part of a snapshot (SnapStart): every instance restored from it
would wait for the same "random" times, all at once. These numbers come from the operating system at each call.
"""

from random import SystemRandom

draw = SystemRandom().random
"""Return a number from 0 up to 1."""
