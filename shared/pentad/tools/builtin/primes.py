"""Factors of whole numbers, as far as they are quickly found."""

import math
from fractions import Fraction
from functools import lru_cache

_LARGEST = 10_000
_LONGEST_BITS = 4_000
_ROOTS = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31)


@lru_cache(maxsize=1)
def _list_primes() -> list[int]:
    is_prime = bytearray([1]) * _LARGEST
    for number in range(2, math.isqrt(_LARGEST) + 1):
        if is_prime[number]:
            is_prime[number * number :: number] = bytes(len(range(number * number, _LARGEST, number)))
    return [number for number in range(2, _LARGEST) if is_prime[number]]


@lru_cache(maxsize=256)
def factor(value: Fraction) -> tuple[tuple[int, int], ...]:
    """Return factors of a positive rational number with how often each is in it; negative below the line.

    Primes up to 10,000 are divided out. What is left is one factor: its root where it is a power, else itself.
    """
    found = _factor_whole(value.numerator)
    for prime, times in _factor_whole(value.denominator).items():
        found[prime] = found.get(prime, 0) - times
    return tuple((prime, times) for prime, times in sorted(found.items()) if times)


def _factor_whole(number: int) -> dict[int, int]:
    found: dict[int, int] = {}
    for prime in _list_primes():
        if number < prime * prime:
            break
        times = 0
        while number % prime == 0:
            number, times = number // prime, times + 1
        if times:
            found[prime] = times
    if number > 1:
        root, times = _find_root(number)
        found[root] = found.get(root, 0) + times
    return found


def _find_root(number: int) -> tuple[int, int]:
    """Return the smallest root and how often it is in the number: (7, 2) for 49."""
    times = 1
    if number.bit_length() <= _LONGEST_BITS:
        for degree in _ROOTS:
            while (root := _compute_root(number, degree)) ** degree == number:
                number, times = root, times * degree
    return number, times


def _compute_root(number: int, degree: int) -> int:
    """Return the whole part of a root, by Newton's method from above."""
    if number < 2:
        return number
    guess = 1 << -(-number.bit_length() // degree)
    while True:
        better = ((degree - 1) * guess + number // guess ** (degree - 1)) // degree
        if better >= guess:
            return guess
        guess = better
