"""Adapters: the only modules of this layer that talk to the outside."""
