"""Tests of the store: one suite for all engines, and what is each engine's own."""
