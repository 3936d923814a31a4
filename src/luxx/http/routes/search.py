"""Search: messages and titles that hold all that is looked for."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from luxx.core.text import storable
from luxx.http.archive_views import SearchResults
from luxx.http.openapi import PROBLEMS
from luxx.http.parts import Caller, Luxx
from luxx.http.paths import PageSize
from luxx.http.replies import answers, reply

router = APIRouter(responses=PROBLEMS, prefix="/api", tags=["search"])


@router.get("/search", responses=answers(200, SearchResults, "A page of hits, the best first."))
async def search(
    luxx: Luxx,
    owner: Caller,
    q: Annotated[
        str, Query(description='Words, or texts in double quotes; all of them must be there. "" finds nothing.')
    ],
    limit: PageSize = 50,
    cursor: Annotated[str | None, Query(max_length=500, description="`next_cursor` of the page before.")] = None,
) -> Response:
    """Look for messages and titles: titles first, then messages that hold the words as they stand, then the others; newest first."""
    page = await luxx.parts.store.archive.search(owner, storable(q), limit, cursor)
    return reply(SearchResults(page.items, page.next_cursor))
