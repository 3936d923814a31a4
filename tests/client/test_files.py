"""Files through the client: sent as they are, once more if the answer is lost, and given back as they are."""

import pytest

from luxx.client import ApiError, Client, Retry
from luxx.core.errors import InvalidRequest
from luxx.core.files import FileRef
from tests.client.fake_server import serving
from tests.client.logs import TOOL_TURN

QUICK = Retry(patience=10, first=0.001, longest=0.01)
LARGE = bytes(range(256)) * 12_000
NAME = "Grüße & more?.png"


@pytest.mark.parametrize("data", [b"", b"\x00\xff", LARGE])
async def test_a_file_is_sent_and_given_back_as_it_is(data: bytes) -> None:
    async with serving(TOOL_TURN) as server, Client(server.url, retry=QUICK) as client:
        file = await client.upload_file(NAME, data)
        assert file == FileRef(id="f", name="n", media_type="image/png", size=len(data))
        assert server.uploads == [(NAME, "application/octet-stream", data)]
        assert await client.file_content(file.id) == data


async def test_an_upload_whose_answer_is_lost_is_repeated() -> None:
    async with serving(TOOL_TURN) as server, Client(server.url, retry=QUICK) as client:
        await client.health()
        server.lose_answers = 1
        await client.upload_file("a", b"x")
        assert len(server.uploads) == 2


@pytest.mark.parametrize("data", [b"x", LARGE])
async def test_an_upload_that_is_refused_says_why(data: bytes) -> None:
    async with serving(TOOL_TURN) as server, Client(server.url, retry=QUICK) as client:
        server.refusals = [(413, {}, {"code": "body_too_large", "detail": "at most 3 bytes"})]
        with pytest.raises(ApiError, match="at most 3 bytes") as caught:
            await client.upload_file("a", data)
        assert caught.value.reason == "body_too_large"


async def test_a_message_names_its_files() -> None:
    async with serving(TOOL_TURN) as server, Client(server.url, retry=QUICK) as client:
        await client.post_message("c", "", attachments=["f", "g"], client_request_id="r")
        assert server.posts == [{"text": "", "attachments": ["f", "g"], "client_request_id": "r"}]


async def test_an_id_that_cannot_be_one_is_refused() -> None:
    async with Client("http://127.0.0.1:9") as client:
        for call in (client.file_content("../x"), client.file("a/b"), client.files(""), client.delete_file("?")):
            with pytest.raises(InvalidRequest):
                await call
