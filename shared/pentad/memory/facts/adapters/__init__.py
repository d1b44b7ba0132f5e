"""Adapters of the facts' port."""
