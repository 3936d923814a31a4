"""Tests of turns as they live."""
