"""Turns as they live: started, run, followed, cancelled, recovered, and read back as messages.

The supervisor owns the tasks, the journal owns the logs in memory. What a turn does is luxx.engine's; what is
written down is luxx.store's.
"""
