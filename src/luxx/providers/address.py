"""Address: a provider's base URL and key as a person typed them, checked before they are sent anywhere."""

from yarl import URL

from luxx.core.errors import ProviderAuth, ProviderRejected


def base_address(text: str) -> URL:
    """Return a base URL. Raises ProviderRejected."""
    try:
        base = URL(text)
        if base.scheme not in ("http", "https") or not base.host:
            raise ValueError("no address")
    except (ValueError, IndexError) as error:  # yarl's own, for brackets in the wrong place
        raise ProviderRejected("The base URL of this provider is no http or https address.") from error
    return base


def check_key(key: str) -> None:
    """Raise ProviderAuth for a key that no header can hold."""
    if not (key.isascii() and (key.isprintable() or not key)):
        raise ProviderAuth("The API key of this provider has characters that no key has: copy it again.")
