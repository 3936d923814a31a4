"""Files over HTTP: uploaded in one way only, given back so that nothing in them can act, sent with messages."""

from pathlib import Path
from urllib.parse import quote

import pytest

from luxx.core.prompts import UserPrompt
from tests.http.asgi import HOST, Answer
from tests.http.world import World, world

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
BINARY = {"content-type": "application/octet-stream"}


async def send(at: World, name: str = "a.png", data: bytes | list[bytes] = PNG, **headers: str) -> Answer:
    return await at.client.send("POST", f"/api/files?name={quote(name, safe='')}", data, {**BINARY, **headers})


async def uploaded(at: World, name: str = "a.png", data: bytes = PNG) -> str:
    answer = await send(at, name, data)
    assert answer.status == 201, answer.body
    return answer.json["id"]


async def posted(at: World, conversation_id: str, **body: object) -> Answer:
    return await at.client.post(f"/api/conversations/{conversation_id}/messages", body)


async def test_an_uploaded_file_is_described_and_given_back(at: World) -> None:
    answer = await send(at, "photo of me.jpg")
    file = answer.json
    assert file == {"id": file["id"], "name": "photo of me.jpg", "media_type": "image/png", "size": len(PNG)}
    assert answer.headers["location"] == f"/api/files/{file['id']}"
    assert (await at.client.get(f"/api/files/{file['id']}")).json == file
    assert (await at.client.get(f"/api/files/{file['id']}/content")).body == PNG


async def test_an_upload_may_come_in_pieces(at: World) -> None:
    answer = await send(at, data=[PNG[:5], b"", PNG[5:]])
    assert answer.json["size"] == len(PNG)


@pytest.mark.parametrize(
    "kind", ["application/json", "text/plain", "image/png", "multipart/form-data; boundary=x", None]
)
async def test_a_type_that_another_page_could_send_is_refused(at: World, kind: str | None) -> None:
    headers = {} if kind is None else {"content-type": kind}
    answer = await at.client.send("POST", "/api/files?name=x", b"{}", headers)
    assert (answer.status, answer.json["code"]) == (415, "unsupported_media_type")


async def test_two_types_must_both_be_right(at: World) -> None:
    pairs = [("host", HOST), ("content-type", "application/octet-stream"), ("content-type", "text/plain")]
    assert (await at.client.send("POST", "/api/files?name=x", b"x", pairs)).status == 415


async def test_no_other_route_takes_binary_bodies(at: World) -> None:
    for path in ("/api/conversations", "/api/files/", "/api/files/x"):
        assert (await at.client.send("POST", path, b"{}", BINARY)).status == 415


async def test_a_file_from_another_page_is_refused(at: World) -> None:
    assert (await send(at, origin="http://evil.example")).status == 403
    assert (await send(at, **{"sec-fetch-site": "cross-site"})).status == 403


async def test_a_file_needs_a_name(at: World) -> None:
    answer = await at.client.send("POST", "/api/files", b"x", BINARY)
    assert (answer.status, answer.json["errors"]) == (422, [{"field": "name", "message": "is required"}])


async def test_a_file_may_be_larger_than_other_bodies_but_not_too_large(tmp_path: Path) -> None:
    async with world(tmp_path, max_body=1_000, max_file=3_000) as at:
        assert (await send(at, data=b"x" * 3_000)).status == 201
        declared = await send(at, data=b"x", **{"content-length": "3001"})
        assert (declared.status, declared.json["code"]) == (413, "body_too_large")
        assert "3,000 bytes" in declared.json["detail"]
        counted = await send(at, data=[b"x" * 2_000, b"x" * 2_000, b"never read"])
        assert (counted.status, counted.json["code"]) == (413, "body_too_large")
        title = {"title": "x" * 2_000}
        assert (await at.client.post("/api/conversations", title, content_length="2100")).status == 413


async def test_an_image_is_shown_and_everything_else_is_saved(at: World) -> None:
    cases = [
        ("a.png", PNG, "image/png", "inline"),
        ("a.html", b"<script>alert(1)</script>", "text/plain; charset=utf-8", "attachment"),
        ("a.svg", b"<svg onload='alert(1)'/>", "text/plain; charset=utf-8", "attachment"),
        ("a.pdf", b"%PDF-1.7\n", "application/pdf", "attachment"),
        ("a.png", b"MZ\x00", "application/octet-stream", "attachment"),
    ]
    for name, data, kind, disposition in cases:
        headers = (await at.client.get(f"/api/files/{await uploaded(at, name, data)}/content")).headers
        assert headers["content-type"] == kind
        assert headers["content-disposition"].startswith(f'{disposition}; filename="{name}";')
        assert headers["x-content-type-options"] == "nosniff"


async def test_nothing_in_a_file_can_act(at: World) -> None:
    for name, data in (("a.png", PNG), ("a.html", b"<script>alert(1)</script>")):
        answer = await at.client.get(f"/api/files/{await uploaded(at, name, data)}/content")
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "sandbox" in policy
        assert "script" not in policy
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize(
    ("name", "plain", "encoded"),
    [
        ('a"b\\c;.txt', "c;.txt", "c%3B.txt"),
        ("Grüße.txt", "Gr__e.txt", "Gr%C3%BC%C3%9Fe.txt"),
        ("x\r\nSet-Cookie: a=b.txt", "xSet-Cookie: a=b.txt", "xSet-Cookie%3A%20a%3Db.txt"),
        ("100%.txt", "100_.txt", "100%25.txt"),
        ('"quoted".txt', "_quoted_.txt", "%22quoted%22.txt"),
    ],
)
async def test_a_name_cannot_break_its_header(at: World, name: str, plain: str, encoded: str) -> None:
    answer = await at.client.get(f"/api/files/{await uploaded(at, name, b'text')}/content")
    assert answer.headers["content-disposition"] == f"attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}"


async def test_what_a_browser_has_is_not_sent_again(at: World) -> None:
    path = f"/api/files/{await uploaded(at)}/content"
    first = await at.client.get(path)
    assert first.headers["cache-control"] == "private, max-age=31536000, immutable"
    tag = first.headers["etag"]
    for known in (tag, f'"other", W/{tag}', "*"):
        again = await at.client.get(path, if_none_match=known)
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag)
    assert (await at.client.get(path, if_none_match='"other"')).status == 200
    assert (await at.client.get("/api/files/nothing/content", if_none_match="*")).status == 404


async def test_only_what_was_not_sent_can_be_deleted(at: World) -> None:
    loose, sent = await uploaded(at), await uploaded(at)
    conversation = await at.conversation()
    assert (await posted(at, conversation, text="look", attachments=[sent])).status == 202
    assert (await at.client.delete(f"/api/files/{loose}")).status == 204
    assert (await at.client.get(f"/api/files/{loose}")).status == 404
    refused = await at.client.delete(f"/api/files/{sent}")
    assert (refused.status, refused.json["code"]) == (409, "file_in_use")


async def test_a_message_shows_its_attachments_and_the_model_gets_them(at: World) -> None:
    first, second = await uploaded(at, "1.png"), await uploaded(at, "2.txt", b"text")
    conversation = await at.conversation()
    at.model.say("ok", end=True)
    started = (await posted(at, conversation, text="look", attachments=[second, first])).json
    async for _ in at.supervisor.follow(at.store.owner, started["turn_id"], 0):
        pass
    page = (await at.client.get(f"/api/conversations/{conversation}/messages")).json
    user, answer = page["items"]
    assert [file["id"] for file in user["attachments"]] == [second, first]
    assert user["attachments"][1] == (await at.client.get(f"/api/files/{first}")).json
    assert "attachments" not in answer
    (request,) = at.model.requests
    (prompt,) = request.prompts
    assert isinstance(prompt, UserPrompt)
    assert [file.name for file in prompt.files] == ["2.txt", "1.png"]
    assert request.files == {second: b"text", first: PNG}
    listed = (await at.client.get(f"/api/conversations/{conversation}/files")).json["items"]
    assert [file["id"] for file in listed] == [first, second]


async def test_a_message_without_attachments_has_an_empty_list(at: World) -> None:
    conversation = await at.conversation()
    await at.start(conversation)
    page = (await at.client.get(f"/api/conversations/{conversation}/messages")).json
    assert page["items"][0]["attachments"] == []


@pytest.mark.parametrize("text", [{}, {"text": ""}, {"text": " \n"}])
async def test_a_message_may_be_files_alone_and_names_the_conversation_by_them(at: World, text: dict[str, str]) -> None:
    conversation = await at.conversation()
    assert (await posted(at, conversation, **text, attachments=[await uploaded(at, "plan.pdf")])).status == 202
    assert (await at.client.get(f"/api/conversations/{conversation}")).json["title"] == "plan.pdf"


@pytest.mark.parametrize("body", [{}, {"text": ""}, {"text": " "}, {"text": "", "attachments": []}])
async def test_a_message_of_nothing_is_refused(at: World, body: dict[str, object]) -> None:
    answer = await posted(at, await at.conversation(), **body)
    assert (answer.status, answer.json["errors"]) == (422, [{"field": "text", "message": "must not be empty"}])


async def test_what_cannot_be_attached_is_refused_by_its_field(at: World) -> None:
    conversation, other = await at.conversation(), await at.conversation()
    mine, theirs = await uploaded(at), await uploaded(at)
    assert (await posted(at, other, text="x", attachments=[theirs])).status == 202
    for files in (["nothing"], [mine, mine], [theirs], [await uploaded(at) for _ in range(11)]):
        for text in ("x", ""):
            answer = await posted(at, conversation, text=text, attachments=files)
            assert (answer.status, answer.json["errors"][0]["field"]) == (422, "attachments")
    bad_id = await posted(at, conversation, text="x", attachments=["../x"])
    assert (bad_id.status, bad_id.json["errors"][0]["field"]) == (422, "attachments.0")
    assert (await at.client.get(f"/api/conversations/{conversation}/messages")).json["items"] == []


async def test_the_attachments_belong_to_what_a_client_request_repeats(at: World) -> None:
    conversation, file = await at.conversation(), await uploaded(at)
    body = {"text": "x", "attachments": [file], "client_request_id": "r"}
    first, again = await posted(at, conversation, **body), await posted(at, conversation, **body)
    assert first.json == again.json
    other = await posted(at, conversation, text="x", client_request_id="r")
    assert (other.status, other.json["errors"][0]["field"]) == (422, "client_request_id")


async def test_an_edit_names_the_same_files_again(at: World) -> None:
    conversation, file = await at.conversation(), await uploaded(at)
    assert (await posted(at, conversation, text="one", attachments=[file])).status == 202
    assert (await posted(at, conversation, text="two", attachments=[file], parent_id=None)).status == 202
    page = (await at.client.get(f"/api/conversations/{conversation}/messages")).json
    assert page["items"][0]["text"] == "two"
    assert [one["id"] for one in page["items"][0]["attachments"]] == [file]


async def test_the_files_of_a_conversation_that_is_not_there_are_not_found(at: World) -> None:
    assert (await at.client.get("/api/conversations/nothing/files")).status == 404
    conversation, file = await at.conversation(), await uploaded(at)
    await posted(at, conversation, text="x", attachments=[file])
    assert (await at.client.delete(f"/api/conversations/{conversation}")).status == 204
    for path in (f"/api/conversations/{conversation}/files", f"/api/files/{file}", f"/api/files/{file}/content"):
        assert (await at.client.get(path)).status == 404


async def test_the_document_says_how_a_file_is_sent(at: World) -> None:
    document = (await at.client.get("/api/openapi.json")).json
    upload = document["paths"]["/api/files"]["post"]
    assert list(upload["requestBody"]["content"]) == ["application/octet-stream"]
    assert upload["responses"]["201"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/FileRef"
    }
    schemas = document["components"]["schemas"]
    assert set(schemas["FileRef"]["properties"]) == {"id", "name", "media_type", "size"}
    assert "attachments" in schemas["NewMessage"]["properties"]
    assert "attachments" in schemas["UserMessageView"]["properties"]
    page = await at.client.get("/api/docs")
    assert b"application/octet-stream" in page.body
