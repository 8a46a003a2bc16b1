"""A FastAPI application whose users keep notes among their own memories, in any number of workers.

pip install 'memoram[fastapi,sql]' itsdangerous uvicorn && uvicorn --workers 2 examples.fastapi_app:app
APP_URL is where browsers reach it, and APP_URL/memoram/callback a registered redirect URI.
"""

import os
from typing import Annotated

from fastapi import Body, Depends, FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.middleware.sessions import SessionMiddleware

from memoram_async import AsyncMemoryStore, Memory, SQLGrantStore
from memoram_async.integrations.fastapi import MemoramKit

PAGE = """<!doctype html><html lang="en"><title>Notes</title><link rel="icon" href="data:,"><h1>Notes</h1>
<form action="/signin"><label>Name <input name="user"></label><button>Sign in</button></form>
<form id="add"><label>Note <input name="text"></label><button>Keep</button></form>
<p role="status"><span id="say"></span> <a id="go">Go there</a></p><p id="notes"></p><script>
async function show(method, body) {
  const answer = await fetch("/notes", {method, body, headers: {"content-type": "application/json"}});
  const told = await answer.json(), read = Array.isArray(told) ? told : [];
  say.textContent = answer.ok ? "These are your notes." : told.title ?? told.detail;
  go.href = told.url ?? ""; go.hidden = !told.url;
  notes.replaceChildren(...read.flatMap(note => [note.content, document.createElement("br")]));
}
add.onsubmit = event => { event.preventDefault();
  show("POST", JSON.stringify({text: add.text.value})).then(() => show()) }; show()</script>"""


def signed_in(request: Request) -> str:
    if "user" not in request.session:
        raise HTTPException(401, "Sign in first.")
    return str(request.session["user"])


kit = MemoramKit(SQLGrantStore(), user=signed_in, url=os.environ["APP_URL"], reason="Keeps your notes")
app = FastAPI()
app.add_middleware(SessionMiddleware, secret_key=os.environ["MEMORAM_SECRET"])
kit.add_to(app)
Store = Annotated[AsyncMemoryStore, Depends(kit.store)]
app.get("/", response_class=HTMLResponse)(lambda: PAGE)


@app.get("/signin")
def sign_in(request: Request, user: str) -> RedirectResponse:
    request.session["user"] = user  # stands for your own sign-in: this one believes whatever it is told
    return RedirectResponse("/")


@app.get("/notes")
async def read(store: Store) -> list[Memory]:
    return [memory async for memory in store.list(tags=["notes"])]


@app.post("/notes", status_code=201)
async def write(text: Annotated[str, Body(embed=True)], store: Store) -> Memory:
    return await store.create(text, tags=["notes"])
