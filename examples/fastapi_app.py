"""A FastAPI backend: one client for the process, one store for each user, no key ever crossing.

pip install fastapi uvicorn && uvicorn --app-dir examples fastapi_app:app
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, Header, Request
from fastapi.responses import JSONResponse

from memoram_async import (
    ApprovalRequired,
    AsyncMemoram,
    AsyncMemoryStore,
    MemoramError,
    PermissionDeniedError,
)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[dict[str, AsyncMemoram]]:
    async with AsyncMemoram() as memoram:
        yield {"memoram": memoram}


app = FastAPI(lifespan=lifespan)


@app.exception_handler(MemoramError)
async def explain(request: Request, error: MemoramError) -> JSONResponse:
    pending, refused = isinstance(error, ApprovalRequired), isinstance(error, PermissionDeniedError)
    return JSONResponse({"detail": error.message}, status_code=202 if pending else 403 if refused else 502)


async def opened(request: Request, x_access: Annotated[str, Header()]) -> AsyncGenerator[AsyncMemoryStore]:
    """The store of the user of this request; in your application, look the id up by the session."""
    memoram: AsyncMemoram = request.state.memoram
    access = await memoram.access_requests.get(x_access)
    if access.status == "pending":
        raise ApprovalRequired("the user has not decided yet", kind="approve", request_id=access.id)
    async with memoram.open(await memoram.access_requests.credentials(access.id)) as store:
        yield store


Store = Annotated[AsyncMemoryStore, Depends(opened)]


@app.post("/notes", status_code=201)
async def write(text: str, store: Store) -> dict[str, str]:
    return {"id": (await store.create(text, tags=["notes"])).id}


@app.get("/notes")
async def read(store: Store) -> list[str]:
    return [memory.content async for memory in store.list(tags=["notes"])]
