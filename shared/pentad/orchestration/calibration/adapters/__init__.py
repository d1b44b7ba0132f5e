"""Adapters of the ports of calibration."""
