"""Tests of Luxx, by concern."""
