"""Anchors of the audit: the ends of all chains, written at intervals where nobody can change or delete them."""
