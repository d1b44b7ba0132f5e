"""Tests of the kit that users test their agents with."""
