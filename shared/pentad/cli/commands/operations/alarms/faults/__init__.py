"""Faults that a twin is really given: what its functions and services then measure is what alarms are drilled with.

Nothing is pretended but the time that passes.
"""
