"""Identifiers: opaque, unguessable, and sorted by the time they were made."""

import os
import time


def new_id() -> str:
    """Return a new UUIDv7 as 32 hex digits (RFC 9562, section 5.7)."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds << 80) | int.from_bytes(os.urandom(10))
    value = value & ~(0xF << 76) | (0x7 << 76)
    value = value & ~(0x3 << 62) | (0x2 << 62)
    return f"{value:032x}"


def step_id(index: int) -> str:
    """Return the public id of the step at an index of its message."""
    return f"step-{index}"


def call_key(turn_id: str, index: int) -> str:
    """Return the key of a tool call: its identity, and its idempotency key."""
    return f"{turn_id}:{index}"
