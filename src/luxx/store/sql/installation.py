"""The installation: the person at this machine, and the secret key that belongs to the database."""

from luxx.core.errors import ConfigurationError
from luxx.core.ids import new_id
from luxx.store.clock import timestamp
from luxx.store.secrets import SecretBox
from luxx.store.sql import providers, tool_servers
from luxx.store.sql.connection import Connection

_FINGERPRINT = "secret_key_fingerprint"
_SET = "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"


def ping(connection: Connection) -> None:
    """Make sure that the database can be written, by writing to it."""
    connection.execute(_SET, ("ping", timestamp()))


def check_secrets(connection: Connection, secrets: SecretBox, database: str, *, shared: bool) -> None:
    """Make sure that the secret key is the one in use, or encrypt anew with a newer one. Raises ConfigurationError.

    Where others may use the database (`shared`), a key that it does not know is refused even before anything is encrypted.
    """
    row = connection.execute("SELECT value FROM meta WHERE name = ?", (_FINGERPRINT,)).fetchone()
    known = None if row is None else row[0]
    if known == secrets.fingerprint:
        return
    if known not in secrets.fingerprints and (_anything(connection) or (shared and known is not None)):
        file = "the file that LUXX_SECRET_KEY_FILE names" if shared else "the file secret.key in the data directory"
        raise ConfigurationError(
            f"The keys in {database} were encrypted with another secret key. Give that one again (LUXX_SECRET_KEY, or {file});"
            " to change it, put the new one before it, separated by a comma."
        )
    providers.reseal(connection, secrets)
    tool_servers.reseal(connection, secrets)
    connection.execute(_SET, (_FINGERPRINT, secrets.fingerprint))


def _anything(connection: Connection) -> bool:
    return providers.any_key(connection) or tool_servers.any_secret(connection)


def ensure_owner(connection: Connection) -> str:
    """Return the user id of the person at this machine, who is made at the first start."""
    row = connection.execute("SELECT id FROM person WHERE role = 'owner' ORDER BY created_at LIMIT 1").fetchone()
    if row is not None:
        return row[0]
    owner = new_id()
    connection.execute(
        "INSERT INTO person (id, name, role, created_at) VALUES (?, 'Owner', 'owner', ?)", (owner, timestamp())
    )
    return owner
