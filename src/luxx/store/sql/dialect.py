"""Dialects: the few words that the engines have for the same thing.

Statements are written with `?` for parameters and these words in braces:

    {wanted}        the elements of a JSON list as rows ``wanted (value)``
    {pairs}         the members of a JSON object as rows ``wanted (key, value)``
    {pages}         joins `t`, a turn, and `wanted` with its first entries `e` after a seq; its parameter is how many
    {lock}          keep other nodes from changing the rows read, until the transaction ends
    {skip}          the same, leaving out rows that another node has locked
    {later}         the time in so many seconds (its parameter), by the database's clock, as texts hold times
    {folded X}      a text without its differences of case
    {alike X}       whether the text X is LIKE a parameter in ASCII, whatever the case, with `\\` as the escape
    {holds X}       whether the message X may hold a text, whose trigrams are the parameter (see luxx.store.sql.matching)

SQLite has one writer, so there is nothing to lock.
"""

import re

import msgspec

_FOLDED = re.compile(r"\{folded ([^}]+)\}")
_ALIKE = re.compile(r"\{alike ([^}]+)\}")
_HOLDS = re.compile(r"\{holds ([^}]+)\}")

_json = msgspec.json.Encoder()


class Dialect:
    """Translates statements, each once."""

    def __init__(self, words: dict[str, str], folded: str, alike: str, holds: str, parameter: str) -> None:
        """`folded`, `alike` and `holds` are formats with one place; `parameter` is what stands for a parameter."""
        self._words = words
        self._formats = ((_ALIKE, alike), (_HOLDS, holds), (_FOLDED, folded))
        self._parameter = parameter
        self._translated: dict[str, str] = {}

    def __call__(self, statement: str) -> str:
        """Return a statement as the engine understands it."""
        translated = self._translated.get(statement)
        if translated is None:
            translated = self._translated[statement] = self._translate(statement)
        return translated

    def _translate(self, statement: str) -> str:
        for word, meaning in self._words.items():
            statement = statement.replace(word, meaning)
        for pattern, meaning in self._formats:
            statement = pattern.sub(lambda found, meaning=meaning: meaning.format(found[1]), statement)
        return statement.replace("?", self._parameter)


SQLITE = Dialect(
    {
        "{wanted}": "json_each(?) wanted",
        "{pairs}": "json_each(?) wanted",
        "{pages}": (
            "JOIN event e ON e.turn = t.number AND e.seq IN (SELECT seq FROM event"
            " WHERE event.turn = t.number AND event.seq > wanted.value ORDER BY seq LIMIT ?)"
        ),
        "{lock}": "",
        "{skip}": "",
        "{later}": "strftime('%Y-%m-%dT%H:%M:%f000Z', 'now', ? || ' seconds')",
    },
    folded="casefold({})",
    alike="{} LIKE ? ESCAPE '\\'",
    holds=(
        "{} IN (SELECT message_id FROM searchable WHERE number IN"
        " (SELECT rowid FROM message_search WHERE message_search MATCH ?)"
        " UNION ALL SELECT message_id FROM searchable WHERE NOT indexed)"
    ),
    parameter="?",
)


def postgres(version: int) -> Dialect:
    """Return the dialect of a PostgreSQL of a version, such as 180006."""
    # casefold() came with 18; before it, letters like ß have no second form. Its index holds texts that are folded the same way.
    folded = "casefold({}::text COLLATE pg_unicode_fast)" if version >= 180000 else "lower({}::text)"
    return Dialect(
        {
            "{wanted}": "json_array_elements_text(?::json) wanted (value)",
            "{pairs}": "json_each_text(?::json) wanted",
            "{pages}": (
                "CROSS JOIN LATERAL (SELECT * FROM event"
                " WHERE event.turn = t.number AND event.seq > wanted.value::bigint ORDER BY seq LIMIT ?) e"
            ),
            "{lock}": "FOR NO KEY UPDATE",
            "{skip}": "FOR NO KEY UPDATE SKIP LOCKED",
            "{later}": (
                "to_char((clock_timestamp() + CAST(? AS double precision) * interval '1 second') AT TIME ZONE 'UTC',"
                ' \'YYYY-MM-DD"T"HH24:MI:SS.US"Z"\')'
            ),
        },
        folded=folded,
        alike=f"{folded} LIKE {folded.format('?')}",
        holds="(?::text IS NOT NULL OR {} = '')",  # the index over the texts needs no help
        parameter="%s",
    )


def wanted(values: object) -> str:
    """Return the parameter for `{wanted}` (a list) or `{pairs}` (a dict)."""
    return _json.encode(values).decode()
