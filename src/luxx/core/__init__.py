"""The words of Luxx as frozen types: steps, events, deltas, prompts, ports and errors.

Nothing here does I/O, reads a clock or imports another package of Luxx.
"""
