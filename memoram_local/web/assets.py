"""The few files that pages load, kept in memory and named by what is in them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.responses import Response

from memoram_local.http.routing import resource

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from importlib.resources.abc import Traversable

    from starlette.requests import Request
    from starlette.routing import Route

_TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_A_YEAR: Final = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class _Asset:
    content: bytes
    media_type: str
    digest: str


class Assets:
    """Stylesheet, scripts and icon of the pages."""

    def __init__(self) -> None:
        self._assets = _assets()

    def routes(self) -> list[Route]:
        """Where they are served."""
        return [resource("/static/{name:path}", get=self.serve)]

    def url(self, name: str) -> str:
        """The address of a file, another one whenever its content is another one."""
        return f"/static/{name}?v={self._assets[name].digest}"

    async def serve(self, request: Request) -> Response:
        """A file: kept for a year by whoever asked for this very content, else asked for again each time."""
        asset = self._assets.get(request.path_params["name"])
        if asset is None:
            raise HTTPException(404)
        is_this_one = request.query_params.get("v") == asset.digest
        headers = {
            "cache-control": f"public, max-age={_A_YEAR}, immutable" if is_this_one else "no-cache",
            "x-content-type-options": "nosniff",
            "cross-origin-resource-policy": "same-origin",
        }
        return Response(asset.content, headers=headers, media_type=asset.media_type)


@cache
def _assets() -> Mapping[str, _Asset]:
    """What is in the folder: it comes with the package, and is the same for every platform of a process."""
    folder = resources.files("memoram_local.web") / "static"
    return {name: _asset(name, file) for name, file in _files(folder) if PurePosixPath(name).suffix in _TYPES}


def _files(folder: Traversable, above: str = "") -> Iterator[tuple[str, Traversable]]:
    """The files below a folder, which may lie in a zip, with their names from there."""
    for entry in folder.iterdir():
        name = above + entry.name
        if entry.is_dir():
            yield from _files(entry, f"{name}/")
        else:
            yield name, entry


def _asset(name: str, file: Traversable) -> _Asset:
    content = file.read_bytes()
    return _Asset(content, _TYPES[PurePosixPath(name).suffix], hashlib.sha256(content).hexdigest()[:16])
