"""Providers: luxx.store.interface.ProviderStore, for every engine; keys are encrypted before they are written."""

import builtins
from collections.abc import Mapping
from typing import Any

import msgspec

from luxx.core.errors import InvalidRequest, NotFound
from luxx.core.ids import new_id
from luxx.core.prices import Price
from luxx.store.clock import timestamp
from luxx.store.records import NewProvider, Provider, ProviderChange
from luxx.store.secrets import SecretBox
from luxx.store.sql.connection import Connection
from luxx.store.sql.kept import Kept
from luxx.store.sql.readers import Readers
from luxx.store.sql.writer import Writer

_NOTHING = "There is no such provider."
_PROVIDERS = """
    SELECT id, name, format, base_url, default_model, is_default, api_key IS NOT NULL, created_at, preset, fallback_id, prices
    FROM provider
"""
_NEXT_DEFAULT = "WHERE owner_id = ? ORDER BY default_model IS NULL, ordinal LIMIT 1"
"""The oldest that has a model to answer with, else the oldest."""
_INSERT = """
    INSERT INTO provider
        (id, owner_id, ordinal, name, format, base_url, default_model, api_key, is_default, created_at, preset, fallback_id,
         prices)
    VALUES (?, ?, (SELECT coalesce(max(ordinal), 0) + 1 FROM provider WHERE owner_id = ?), ?, ?, ?, ?, ?, false, ?, ?, ?, ?)
"""
_MOST_PRICES = 500
_encode = msgspec.json.Encoder().encode
_prices = msgspec.json.Decoder(dict[str, Price])


class SqlProviders:
    """Providers and their keys; see ProviderStore for what each method does."""

    def __init__(self, writer: Writer, readers: Readers, secrets: SecretBox, *, shared: bool) -> None:
        self._writer = writer
        self._readers = readers
        self._secrets = secrets
        self._defaults: Kept[Provider | None] = Kept(readers, shared=shared)
        self._kept: Kept[Provider] = Kept(readers, shared=shared)

    async def create(self, owner: str, new: NewProvider) -> Provider:
        """See ProviderStore."""
        provider_id = new_id()
        sealed = self._seal(new.api_key)

        def job(connection: Connection) -> Provider:
            _refuse_taken_name(connection, owner, new.name, provider_id)
            _refuse_bad_fallback(connection, owner, provider_id, new.fallback_id)
            place = (provider_id, owner, owner)
            values = (*place, new.name, new.format, new.base_url, new.default_model, sealed, timestamp())
            connection.execute(_INSERT, (*values, new.preset, new.fallback_id, _priced({}, new.prices)))
            if new.is_default or _default(connection, owner) is None:
                _make_default(connection, owner, provider_id)
            return _get(connection, owner, provider_id)

        return await self._writer.write(job, self._forget)

    async def get(self, owner: str, provider_id: str) -> Provider:
        """See ProviderStore."""
        key = (owner, provider_id)
        return await self._kept.read(key, lambda connection: _get(connection, owner, provider_id))

    async def list(self, owner: str) -> tuple[Provider, ...]:
        """See ProviderStore."""
        sql = _PROVIDERS + "WHERE owner_id = ? ORDER BY ordinal"
        return await self._readers.read(
            lambda connection: tuple(map(_provider_of, connection.execute(sql, (owner,)).fetchall()))
        )

    async def default(self, owner: str) -> Provider | None:
        """See ProviderStore."""
        return await self._defaults.read(owner, lambda connection: _default(connection, owner))

    async def change(self, owner: str, provider_id: str, change: ProviderChange) -> Provider:
        """See ProviderStore."""

        def job(connection: Connection) -> Provider:
            self._change(connection, owner, _get(connection, owner, provider_id), change)
            return _get(connection, owner, provider_id)

        return await self._writer.write(job, self._forget)

    async def delete(self, owner: str, provider_id: str) -> None:
        """See ProviderStore."""

        def job(connection: Connection) -> None:
            provider = _get(connection, owner, provider_id)
            connection.execute("DELETE FROM provider WHERE id = ? AND owner_id = ?", (provider_id, owner))
            connection.execute(
                "UPDATE provider SET fallback_id = NULL WHERE fallback_id = ? AND owner_id = ?", (provider_id, owner)
            )
            next_one = connection.execute(_PROVIDERS + _NEXT_DEFAULT, (owner,)).fetchone()
            if provider.is_default and next_one is not None:
                _make_default(connection, owner, next_one[0])

        await self._writer.write(job, self._forget)

    async def credentials(self, owner: str, provider_id: str) -> tuple[Provider, str | None]:
        """See ProviderStore."""

        def job(connection: Connection) -> tuple[Provider, bytes | None]:
            provider = _get(connection, owner, provider_id)
            sealed = connection.execute("SELECT api_key FROM provider WHERE id = ?", (provider_id,)).fetchone()
            return provider, sealed[0] if sealed else None

        provider, sealed = await self._readers.read(job)
        return provider, self._secrets.decrypt(sealed) if sealed else None

    def _forget(self) -> None:
        self._defaults.forget()
        self._kept.forget()

    def _seal(self, api_key: str | None) -> bytes | None:
        return self._secrets.encrypt(api_key) if api_key else None

    def _change(self, connection: Connection, owner: str, provider: Provider, change: ProviderChange) -> None:
        columns: dict[str, str | bytes | None] = {}
        if change.name is not msgspec.UNSET:
            _refuse_taken_name(connection, owner, change.name, provider.id)
            columns["name"] = change.name
        if change.default_model is not msgspec.UNSET:
            columns["default_model"] = change.default_model
        if change.base_url is not msgspec.UNSET and change.base_url != provider.base_url:
            columns.update(base_url=change.base_url, api_key=None)
        if change.api_key is not msgspec.UNSET:
            columns["api_key"] = self._seal(change.api_key)
        if change.fallback_id is not msgspec.UNSET:
            _refuse_bad_fallback(connection, owner, provider.id, change.fallback_id)
            columns["fallback_id"] = change.fallback_id
        if change.prices is not msgspec.UNSET:
            columns["prices"] = _priced(provider.prices, change.prices)
        for name, value in columns.items():
            connection.execute(
                f"UPDATE provider SET {name} = ? WHERE id = ? AND owner_id = ?", (value, provider.id, owner)
            )
        if change.is_default is True:
            _make_default(connection, owner, provider.id)
        elif change.is_default is False and provider.is_default:
            raise InvalidRequest(
                "One provider has to be the default: make another one the default instead.", "is_default"
            )


def reseal(connection: Connection, secrets: SecretBox) -> None:
    """Encrypt all keys anew with the newest secret key. Raises StorageError if one cannot be decrypted."""
    sealed: builtins.list[tuple[str, bytes]] = connection.execute(
        "SELECT id, api_key FROM provider WHERE api_key IS NOT NULL"
    ).fetchall()
    for provider_id, token in sealed:
        connection.send("UPDATE provider SET api_key = ? WHERE id = ?", (secrets.rotated(token), provider_id))


def any_key(connection: Connection) -> bool:
    """Tell whether anything is stored encrypted."""
    return connection.execute("SELECT 1 FROM provider WHERE api_key IS NOT NULL LIMIT 1").fetchone() is not None


def _get(connection: Connection, owner: str, provider_id: str) -> Provider:
    row = connection.execute(_PROVIDERS + "WHERE id = ? AND owner_id = ?", (provider_id, owner)).fetchone()
    if row is None:
        raise NotFound(_NOTHING)
    return _provider_of(row)


def _default(connection: Connection, owner: str) -> Provider | None:
    row = connection.execute(_PROVIDERS + "WHERE owner_id = ? AND is_default", (owner,)).fetchone()
    return None if row is None else _provider_of(row)


def _make_default(connection: Connection, owner: str, provider_id: str) -> None:
    connection.execute("UPDATE provider SET is_default = false WHERE owner_id = ? AND is_default", (owner,))
    connection.execute("UPDATE provider SET is_default = true WHERE owner_id = ? AND id = ?", (owner, provider_id))


def _refuse_taken_name(connection: Connection, owner: str, name: str, provider_id: str) -> None:
    sql = "SELECT 1 FROM provider WHERE owner_id = ? AND name = ? AND id <> ?"
    if connection.execute(sql, (owner, name, provider_id)).fetchone() is not None:
        raise InvalidRequest("Another provider has this name.", "name")


def _refuse_bad_fallback(connection: Connection, owner: str, provider_id: str, fallback_id: str | None) -> None:
    """Raise InvalidRequest for a fallback that is not there, or that leads back to the provider."""
    sql = "SELECT fallback_id FROM provider WHERE id = ? AND owner_id = ?"
    seen: set[str] = set()
    while fallback_id is not None and fallback_id not in seen:
        if fallback_id == provider_id:
            told = "must not lead back to this provider" if seen else "must be another provider"
            raise InvalidRequest(told, "fallback_id")
        row = connection.execute(sql, (fallback_id, owner)).fetchone()
        if row is None:
            raise InvalidRequest("There is no provider with this id.", "fallback_id")
        seen.add(fallback_id)
        fallback_id = row[0]


def _priced(before: Mapping[str, Price], change: Mapping[str, Price | None]) -> bytes | None:
    """Return the prices with a change, as they are stored. Raises InvalidRequest for too many."""
    after = {model: price for model, price in {**before, **change}.items() if price is not None}
    if len(after) > _MOST_PRICES:
        raise InvalidRequest(f"must be at most {_MOST_PRICES}", "prices")
    return _encode(after) if after else None


def _provider_of(row: tuple[Any, ...]) -> Provider:
    return Provider(
        id=row[0],
        name=row[1],
        format=row[2],
        base_url=row[3],
        default_model=row[4],
        is_default=bool(row[5]),
        has_key=bool(row[6]),
        created_at=row[7],
        preset=row[8],
        fallback_id=row[9],
        prices=_prices.decode(row[10]) if row[10] else {},
    )
