"""Erasure: all that is kept of a user is removed, with a receipt."""
