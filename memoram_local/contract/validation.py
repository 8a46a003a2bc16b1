"""Compares requests and answers with the contract."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl
from uuid import UUID

from jsonschema import Draft202012Validator, FormatChecker

from memoram_local.contract.document import operations

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from jsonschema import ValidationError
    from starlette.datastructures import Headers

    from memoram_local.contract.document import Operation, Parameter, Schema

_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
_INTEGER = re.compile(r"-?[0-9]{1,4000}")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")

_FORMATS = FormatChecker(formats=())


@_FORMATS.checks("uuid", raises=ValueError)
def _is_uuid(value: object) -> bool:
    return not isinstance(value, str) or str(UUID(value)) == value.lower()


@_FORMATS.checks("date-time", raises=ValueError)
def _is_moment(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


def operation_of(method: str, path: str) -> Operation | None:
    """The operation that a request is meant for; None when the contract knows none."""
    named = "GET" if method == "HEAD" else method
    for operation in operations():
        if operation.method == named and operation.pattern.fullmatch(path):
            return operation
    return None


def faults_of_request(operation: Operation, *, query: str, headers: Headers, body: bytes) -> list[str]:
    """How a request differs from the contract; nothing when it does not."""
    faults = _faults_of_query(operation, query)
    for parameter in operation.parameters:
        if parameter.place == "header":
            faults += _faults_of_value(parameter, headers.get(parameter.name))
    if operation.body:
        faults += _faults_of_content(operation.body, headers, body)
    return faults


def faults_of_answer(operation: Operation, *, status: int, headers: Headers, body: bytes | None) -> list[str]:
    """How an answer differs from the contract; nothing when it does not.

    Args:
        operation: What was answered.
        status: The HTTP status.
        headers: Of the answer.
        body: None when it was left out on purpose, as for HEAD.
    """
    answer = operation.answers.get(status)
    if answer is None:
        return [f"{operation.name} does not answer with {status}"]
    faults: list[str] = []
    for header in answer.headers:
        faults += _faults_of_value(header, headers.get(header.name))
    if body is None:
        return faults
    if answer.content:
        return faults + _faults_of_content(answer.content, headers, body)
    return faults + ([f"{status} has no body"] if body else [])


def _faults_of_query(operation: Operation, query: str) -> list[str]:
    known = {parameter.name: parameter for parameter in operation.parameters if parameter.place == "query"}
    pairs = parse_qsl(query, keep_blank_values=True)
    names = [name for name, _ in pairs]
    faults = [f"query: {name} is not known" for name in dict.fromkeys(names) if name not in known]
    faults += [f"query: {name} is there more than once" for name in known if names.count(name) > 1]
    values = dict(pairs)
    for name, parameter in known.items():
        faults += _faults_of_value(parameter, values.get(name))
    return faults


def _faults_of_value(parameter: Parameter, text: str | None) -> list[str]:
    where = f"{parameter.place}: {parameter.name}"
    if text is None:
        return [f"{where} is missing"] if parameter.required else []
    return _faults_of(parameter.schema, _read(parameter.schema, text), where)


def _faults_of_content(content: Mapping[str, Schema], headers: Headers, body: bytes) -> list[str]:
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    schema = content.get(media_type)
    if schema is None:
        return [f"content-type must be {' or '.join(content)}"]
    try:
        text = body.decode()
        if media_type == _JSON:
            return _faults_of(schema, json.loads(text), "body")
    except (ValueError, RecursionError):
        return [f"the body is not {media_type} in UTF-8"]
    if media_type == _FORM:
        return _faults_of(schema, dict(parse_qsl(text, keep_blank_values=True)), "body")
    return []


def _read(schema: Schema, text: str) -> object:
    if schema.get("type") == "integer" and _INTEGER.fullmatch(text):
        return int(text)
    if schema.get("type") == "number" and _NUMBER.fullmatch(text):
        return float(text)
    return text


def _faults_of(schema: Schema, value: object, where: str) -> list[str]:
    validator = Draft202012Validator(_closed(schema), format_checker=_FORMATS)
    # The stubs of jsonschema leave parts of this untyped.
    errors: Iterable[ValidationError] = validator.iter_errors(cast("Any", value))  # pyright: ignore[reportUnknownMemberType]
    return [_worded(error, where) for error in errors]


def _closed(schema: object) -> Any:
    """The same schema, but for members that it does not name: they are faults."""
    if isinstance(schema, list):
        return [_closed(item) for item in cast("list[object]", schema)]
    if not isinstance(schema, dict):
        return schema
    members = cast("dict[str, object]", schema)
    closed = {name: _closed(value) for name, value in members.items()}
    if isinstance(members.get("properties"), dict):
        closed.setdefault("additionalProperties", False)
    return closed


def _worded(error: ValidationError, where: str) -> str:
    """What is wrong, without the value: it can be a secret."""
    place = ".".join([where, *(str(step) for step in error.absolute_path)])
    wanted: object = error.validator_value
    match error.validator:
        case "required":
            missing = [name for name in cast("list[str]", wanted) if name not in _names(error)]
            return f"{place} misses {', '.join(missing)}"
        case "additionalProperties":
            known = cast("Schema", error.schema)["properties"]
            unknown = [name for name in _names(error) if name not in known]
            return f"{place} has unknown members: {', '.join(unknown)}"
        case "oneOf":
            return f"{place} has none of the forms that are allowed"
        case keyword:
            return f"{place} must meet {keyword} {json.dumps(wanted)}"


def _names(error: ValidationError) -> list[str]:
    return list(cast("dict[str, object]", error.instance))
