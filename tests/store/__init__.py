"""Tests of the store: one suite for all engines, and what is SQLite's own."""
