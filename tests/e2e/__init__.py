"""Tests of the whole: `luxx serve` in a process of its own, asked as a client asks it, and killed."""
