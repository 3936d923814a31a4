"""The chaos suite: real servers under a seeded plan of faults, and a count of everything that must not happen."""
