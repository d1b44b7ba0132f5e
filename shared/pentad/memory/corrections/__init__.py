"""Corrections that users gave of answers, until facts are learned from them."""
