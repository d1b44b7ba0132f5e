"""Groups of words that mean the same; they set two sentences apart where one has them and the other has none. Pure."""

from typing import Final

from pentad.memory.facts.normal_forms import split_words

_GROUPS: Final = """
    live lives lived living home reside resides residence based,
    work works worked working job profession employed employer employs career occupation,
    learn learns learning learned study studies studying studied course, sell sells sold,
    buy buys bought purchase purchased, quit left resigned, lose lost, join joined joins,
    start started starts begin began, stop stopped stops ended, visit visited visits, want wants wanted plans,
    like likes liked love loves enjoy enjoys fond, hate hates dislike dislikes, prefer prefers preferred, to into,
    from, before, after, with, without, until, since, former formerly previously used, ex, wife, husband, partner,
    fianc\u00e9 fianc\u00e9e, girlfriend, boyfriend, son sons, daughter daughters, mother mom mum, father dad,
    brother brothers, sister sisters, friend friends, boss manager, colleague colleagues, grandmother grandma,
    grandfather grandpa, uncle, aunt, cousin, neighbour neighbor, one, two twice, three, four, five, six, seven,
    eight, nine, ten, eleven, twelve, left-handed, right-handed, morning mornings, evening evenings, night nights,
    north, south, east, west
"""
_GROUP_OF: Final = {word: number for number, group in enumerate(_GROUPS.split(",")) for word in group.split()}


def find_groups(text: str) -> frozenset[int]:
    """Return the groups that a text has words of, by their numbers."""
    return frozenset(_GROUP_OF[word] for word in split_words(text) if word in _GROUP_OF)
