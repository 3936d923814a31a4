"""Shared checks: what `luxx doctor` looks at where servers share a PostgreSQL database, each a function that gives findings."""

from luxx.cli.checks import Finding
from luxx.core.errors import LuxxError
from luxx.settings import Settings
from luxx.store.opening import inspect_postgres
from luxx.store.records import Inspected
from luxx.store.secrets import given_secrets


def look(url: str) -> Inspected | Finding:
    """Look at the database; what is broken about it is a finding."""
    try:
        return inspect_postgres(url)
    except LuxxError as error:
        return Finding("database", "broken", error.message, "start it, or correct LUXX_DATABASE_URL")


def database(seen: Inspected) -> Finding:
    """Say which version the tables are of."""
    place = f"{seen.place}, PostgreSQL {seen.server}"
    if seen.revision is None:
        return Finding("database", "ok", f"{place}; its tables are made at the first start")
    if seen.revision > seen.wanted:
        newer = f"{place}, was made by a newer Luxx (revision {seen.revision}; this version knows {seen.wanted})"
        return Finding("database", "broken", newer, "install that version, or go back to a backup")
    if seen.revision < seen.wanted:
        return Finding("database", "ok", f"{place}; revision {seen.revision} is brought up to date at the next start")
    return Finding("database", "ok", f"{place}, revision {seen.revision}")


def nodes(seen: Inspected) -> Finding:
    """Count the servers that work on the database."""
    detail = f"{seen.alive} alive on this database" if seen.alive else "none alive on this database"
    if seen.expired:
        detail += f", {seen.expired} dead whose answers others are about to take over"
    if seen.expired and not seen.alive:
        return Finding("nodes", "warning", detail, "answers in progress go on as soon as one starts: luxx serve")
    return Finding("nodes", "ok", detail)


def secret_key(settings: Settings, seen: Inspected | None) -> Finding:
    """Check that the secret key is given, and the one that the database knows."""
    given = settings.secret_key.get_secret_value() if settings.secret_key else None
    try:
        secrets = given_secrets(given, settings.secret_key_file)
    except LuxxError as error:
        return Finding("secret key", "broken", error.message, "give every server the same one")
    if seen and seen.fingerprint and seen.fingerprint not in secrets.fingerprints:
        remedy = "give the key that the other servers have (LUXX_SECRET_KEY or LUXX_SECRET_KEY_FILE)"
        return Finding("secret key", "broken", "is not the one that this database was used with", remedy)
    return Finding("secret key", "ok", "from LUXX_SECRET_KEY" if given else str(settings.secret_key_file))
