"""Tests of `api.door`."""
