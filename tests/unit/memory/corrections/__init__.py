"""Tests of corrections that users gave of answers."""
