"""Tests of the engine: one turn without web or database."""
