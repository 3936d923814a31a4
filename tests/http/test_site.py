"""The web page's files: what is served for which path, compressed and cached how."""

import gzip
from pathlib import Path

import pytest

from tests.http.world import world

INDEX, SCRIPT = b"<!doctype html><title>Luxx</title>", b"export const x = 1;"


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A built page."""
    folder = tmp_path / "page"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_bytes(INDEX)
    (folder / "favicon.svg").write_bytes(b"<svg/>")
    (folder / "assets" / "main-1a2b.js").write_bytes(SCRIPT)
    (folder / "assets" / "main-1a2b.js.gz").write_bytes(gzip.compress(SCRIPT))
    (folder / "assets" / "main-1a2b.js.br").write_bytes(b"brotli")
    return folder


@pytest.mark.parametrize("path", ["/", "/index.html", "/c/123", "/settings/providers"])
async def test_every_place_in_the_page_is_the_page(tmp_path: Path, page: Path, path: str) -> None:
    async with world(tmp_path, page) as at:
        answer = await at.client.get(path, accept="text/html,application/xhtml+xml,*/*;q=0.8")
    assert (answer.status, answer.body, answer.headers["content-type"]) == (200, INDEX, "text/html; charset=utf-8")
    assert answer.headers["cache-control"] == "no-cache"


async def test_the_root_is_the_page_for_everyone(tmp_path: Path, page: Path) -> None:
    async with world(tmp_path, page) as at:
        assert (await at.client.get("/", accept="*/*")).body == INDEX
        assert (await at.client.get("/")).body == INDEX


@pytest.mark.parametrize(
    "path", ["/c/123", "/missing.png", "/assets/main-0000.js", "/assets/../../secret", "/%2e%2e/secret"]
)
async def test_other_files_are_not_there(tmp_path: Path, page: Path, path: str) -> None:
    (tmp_path / "secret").write_text("secret")
    async with world(tmp_path, page) as at:
        answer = await at.client.get(path, accept="*/*")
    assert (answer.status, answer.json["code"]) == (404, "not_found")


async def test_hashed_files_are_kept_for_ever_and_others_asked_for_again(tmp_path: Path, page: Path) -> None:
    async with world(tmp_path, page) as at:
        hashed = await at.client.get("/assets/main-1a2b.js")
        assert (hashed.body, hashed.headers["content-type"]) == (SCRIPT, "text/javascript; charset=utf-8")
        assert hashed.headers["cache-control"] == "public, max-age=31536000, immutable"
        icon = await at.client.get("/favicon.svg")
        assert (icon.headers["content-type"], icon.headers["cache-control"]) == ("image/svg+xml", "no-cache")


@pytest.mark.parametrize(
    ("accepted", "coding", "body"),
    [
        ("gzip, deflate, br", "br", b"brotli"),
        ("gzip", "gzip", None),
        ("br;q=0, gzip;q=0.5", "gzip", None),
        ("identity", None, SCRIPT),
        ("", None, SCRIPT),
    ],
)
async def test_a_browser_gets_the_coding_that_it_takes(
    tmp_path: Path, page: Path, accepted: str, coding: str | None, body: bytes | None
) -> None:
    async with world(tmp_path, page) as at:
        answer = await at.client.get("/assets/main-1a2b.js", accept_encoding=accepted)
    assert answer.headers.get("content-encoding") == coding
    assert answer.headers["vary"] == "Accept-Encoding"
    assert (gzip.decompress(answer.body) == SCRIPT) if body is None else (answer.body == body)


async def test_a_file_that_has_not_changed_is_not_sent_again(tmp_path: Path, page: Path) -> None:
    async with world(tmp_path, page) as at:
        etag = (await at.client.get("/")).headers["etag"]
        for sent in (etag, f'"other", W/{etag}'):
            answer = await at.client.get("/", if_none_match=sent)
            assert (answer.status, answer.body, answer.headers["etag"]) == (304, b"", etag)
        assert (await at.client.get("/", if_none_match='"other"')).status == 200


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("sw.js", "text/javascript; charset=utf-8"), ("manifest.webmanifest", "application/manifest+json")],
)
async def test_the_worker_and_the_manifest_are_asked_for_again_each_time(
    tmp_path: Path, page: Path, name: str, media_type: str
) -> None:
    (page / name).write_bytes(SCRIPT)
    async with world(tmp_path, page) as at:
        answer = await at.client.get(f"/{name}", accept="*/*")
    assert (answer.status, answer.headers["content-type"]) == (200, media_type)
    assert answer.headers["cache-control"] == "no-cache"
    assert "worker-src 'self'" in answer.headers["content-security-policy"]


async def test_the_page_is_no_worker(tmp_path: Path, page: Path) -> None:
    async with world(tmp_path, page) as at:
        assert (await at.client.get("/sw.js", accept="*/*")).status == 404


async def test_without_a_built_page_the_root_says_how_to_build_it(tmp_path: Path) -> None:
    async with world(tmp_path) as at:
        answer = await at.client.get("/", accept="text/html")
        assert answer.status == 503
        assert b"make page" in answer.body
        assert (await at.client.get("/api/health")).status == 200
