"""Measures: one module for each kind of question; each measure takes a Bench and adds to its figures."""
