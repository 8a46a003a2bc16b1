"""Reads the contracts: which operations there are, what they take and what they answer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, cast

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.resources.abc import Traversable

    Schema = dict[str, Any]

_METHODS = ("get", "post", "put", "patch", "delete")
_PARAMETER = re.compile(r"\\\{[^{}]+\\\}")

_FOLDER: Traversable = resources.files("memoram_local.contract")

FILE: Traversable = _FOLDER.joinpath("openapi.yaml")
"""The contract of Memoram."""

MEMORY_API_FILE: Traversable = _FOLDER.joinpath("memory-api.yaml")
"""The contract of Memory API, the second service."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a query, or a header.

    Attributes:
        name: Headers in lower case.
        place: `query` or `header`.
        required: Whether it must be there.
        schema: With all references resolved.
    """

    name: str
    place: str
    required: bool
    schema: Schema


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operation may answer with one status.

    Attributes:
        headers: By name in lower case, as parameters.
        content: Schemas by media type; empty when there is no body.
    """

    headers: tuple[Parameter, ...]
    content: Mapping[str, Schema]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation.

    Attributes:
        name: Its `operationId`.
        method: In upper case.
        path: With parameters in braces.
        summary: One sentence.
        fidelity: `documented`, `inferred` or `invented`.
        pattern: Matches the paths that are meant.
        parameters: Of the query and of the headers.
        body: Schemas of the request's body by media type; empty when it takes none.
        answers: By status.
    """

    name: str
    method: str
    path: str
    summary: str
    fidelity: str
    pattern: re.Pattern[str]
    parameters: tuple[Parameter, ...]
    body: Mapping[str, Schema]
    answers: Mapping[int, Answer]


def read_document(file: Traversable = FILE) -> dict[str, Any]:
    """A contract as it is written."""
    return cast("dict[str, Any]", yaml.safe_load(file.read_text(encoding="utf-8")))


@cache
def operations() -> tuple[Operation, ...]:
    """All operations of both services, in the order of the files."""
    return (*_operations(FILE), *_operations(MEMORY_API_FILE))


def _operations(file: Traversable) -> tuple[Operation, ...]:
    document = read_document(file)
    resolved = _resolved(document, document)
    return tuple(
        _operation(path, method, item)
        for path, item in resolved["paths"].items()
        for method in _METHODS
        if method in item
    )


def _operation(path: str, method: str, item: dict[str, Any]) -> Operation:
    stated = item[method]
    parameters = [*item.get("parameters", ()), *stated.get("parameters", ())]
    return Operation(
        name=stated["operationId"],
        method=method.upper(),
        path=path,
        summary=stated["summary"],
        fidelity=stated["x-fidelity"],
        pattern=re.compile(_PARAMETER.sub("[^/]+", re.escape(path))),
        parameters=tuple(
            _parameter(each["name"], each["in"], each) for each in parameters if each["in"] != "path"
        ),
        body=_content(stated.get("requestBody", {})),
        answers={
            int(status): Answer(
                tuple(
                    _parameter(name, "header", header) for name, header in answer.get("headers", {}).items()
                ),
                _content(answer),
            )
            for status, answer in stated["responses"].items()
        },
    )


def _parameter(name: str, place: str, stated: dict[str, Any]) -> Parameter:
    shown = name.lower() if place == "header" else name
    return Parameter(shown, place, stated.get("required", False), stated["schema"])


def _content(stated: dict[str, Any]) -> dict[str, Schema]:
    return {media: content["schema"] for media, content in stated.get("content", {}).items()}


def _resolved(node: object, document: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_resolved(item, document) for item in cast("list[object]", node)]
    if not isinstance(node, dict):
        return node
    members = cast("dict[str, object]", node)
    if "$ref" not in members:
        return {name: _resolved(value, document) for name, value in members.items()}
    target: Any = document
    for step in str(members["$ref"]).removeprefix("#/").split("/"):
        target = target[step]
    return _resolved(target, document)
