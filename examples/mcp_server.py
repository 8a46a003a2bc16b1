"""Memories for the agents of an application's users: an MCP server inside a FastAPI application.

Start it by `SITE=https://app.example ISSUER=https://id.example uvicorn --app-dir examples mcp_server:app`.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, Header, Request
from fastapi.responses import RedirectResponse

from memoram_async import AsyncMemoram, SQLGrantStore
from memoram_async.integrations import mcp
from memoram_async.integrations.mcp.issuer import Issuer, IssuerTokens

SITE, ISSUER = os.environ["SITE"], os.environ["ISSUER"]
URL, BACK, LINK = f"{SITE}/mcp", f"{SITE}/callback", f"{SITE}/connect"
AUTH = {"issuer_url": ISSUER, "resource_server_url": URL, "validate_token_resource": True}

memoram = AsyncMemoram()
connections = memoram.connections(SQLGrantStore(), redirect_uri=BACK, reason="For your agent", link_url=LINK)
server = mcp.MemoryServer(
    mcp.ConnectedUsers(memoram, connections),
    token_verifier=IssuerTokens(Issuer(ISSUER), audience=URL),
    auth=mcp.AuthSettings.model_validate(AUTH),
)
HOST = mcp.TransportSecuritySettings(allowed_hosts=[SITE.split("/")[2]], allowed_origins=[SITE])
memories = server.streamable_http_app(transport_security=HOST)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
    async with memoram, server.session_manager.run():  # the lifespan of what is mounted does not run
        yield


app = FastAPI(lifespan=lifespan)


async def signed_in(x_subject: Annotated[str, Header()]) -> str:
    """Who sits before the browser: in your application, the user of its session."""
    return mcp.token_user(issuer=ISSUER, subject=x_subject)


@app.get("/connect")  # agents show this page: it links the account of the browser's own user
async def connect(user: Annotated[str, Depends(signed_in)]) -> RedirectResponse:
    return RedirectResponse(await connections.begin(user))


@app.get("/callback")
async def callback(request: Request, user: Annotated[str, Depends(signed_in)]) -> RedirectResponse:
    return RedirectResponse((await connections.complete(user, request.url)).url or "/")


app.mount("/", memories)  # last: /mcp and /.well-known/ are its own
