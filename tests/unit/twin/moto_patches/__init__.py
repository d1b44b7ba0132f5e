"""Tests of `twin.moto_patches`: in this process, without the twin."""
