"""Tests of what is pure in the comparison of gateways."""
