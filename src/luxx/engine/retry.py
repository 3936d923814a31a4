"""Retry: how long to wait before a provider is asked again."""

import random

from luxx.core.errors import ProviderError, RateLimited

LONGEST_WAIT = 30.0
"""Seconds; a provider that asks for a longer pause than this is not asked again."""


def pause(error: ProviderError, attempt: int) -> float:
    """Return the seconds to wait after a try: what the provider asked for, else back-off with jitter.

    Raises the error itself if that would be too long.
    """
    if isinstance(error, RateLimited) and error.retry_after is not None:
        if error.retry_after > LONGEST_WAIT:
            raise error
        return error.retry_after
    return 0.5 * 2 ** (attempt - 1) * random.uniform(0.75, 1.25)
