"""Benchmarks: Luxx beside a raw relay and nginx, in one run on two cores. `python -m benchmarks`; see docs/benchmarks.md.

Here belong the programs of the load side (`mock`, `load`), what is measured (`targets`, `luxx`, `measures/`) and the report.
Nothing here imports `luxx`: the server is a process like the others, driven by its HTTP API.
"""
