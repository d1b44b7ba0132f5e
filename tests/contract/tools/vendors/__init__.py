"""Servers that answer as vendors' documentation says, where no server of the vendor's can be run."""
