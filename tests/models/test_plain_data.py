"""Models as JSON can carry them, and as pydantic describes them."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from pydantic import TypeAdapter, ValidationError

import memoram_async.memory_api.models as of_memory_api
from memoram_async import (
    AccessCredentials,
    AccessRequest,
    ConnectionState,
    ConnectionStatus,
    Disconnected,
    IntegrityError,
    Memory,
    MemoryBlob,
    OAuthTokens,
    Page,
    ResponseInfo,
    Secret,
    Tag,
)
from memoram_async.models.plain_data import PlainData

WHEN: Final = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
INFO: Final = ResponseInfo(operation="getMemoryBlob", attempts=1, elapsed=0.1, status=200)
MEMORY: Final = Memory(
    id="mem-1", content="window", tags=("travel",), importance=0.5, created_at=WHEN, info=INFO
)
UNREADABLE: Final = Memory(id="mem-2", error=IntegrityError("it was changed"))
MODELS: Final[dict[str, tuple[PlainData, dict[str, Any]]]] = {
    "a tag": (
        Tag(id="tag-1", name="travel", is_enabled=True),
        {
            "id": "tag-1",
            "name": "travel",
            "description": None,
            "color": None,
            "is_enabled": True,
            "created_at": None,
            "updated_at": None,
        },
    ),
    "a state": (
        ConnectionStatus(state=ConnectionState.REJECTED, until=WHEN),
        {
            "state": "rejected",
            "url": None,
            "request_id": None,
            "return_to": None,
            "until": "2030-01-02T03:04:05+00:00",
        },
    ),
    "what was forgotten": (
        Disconnected(was_linked=False, message="Nothing."),
        {"was_linked": False, "request_id": None, "url": None, "message": "Nothing."},
    ),
    "a page": (
        Page(items=(Disconnected(was_linked=True, message="Gone."),), total=1),
        {
            "items": [{"was_linked": True, "request_id": None, "url": None, "message": "Gone."}],
            "next_cursor": None,
            "total": 1,
            "skipped": 0,
        },
    ),
    "a plan in an organization": (
        of_memory_api.Organization(org_id="o", plan=of_memory_api.Plan(id="p", base_price_cents=1)),
        {
            "org_id": "o",
            "plan": {"id": "p", "name": None, "base_price_cents": 1},
            "name": None,
            "email": None,
            "is_active": None,
            "created_at": None,
        },
    ),
}
KINDS: Final = [Memory, MemoryBlob, Tag, AccessRequest, AccessCredentials, OAuthTokens, ConnectionStatus] + [
    each
    for each in vars(of_memory_api).values()
    if isinstance(each, type) and issubclass(each, PlainData) and each.__module__ == of_memory_api.__name__
]


@pytest.mark.parametrize(("model", "said"), MODELS.values(), ids=MODELS.keys())
def test_a_model_converts(model: PlainData, said: dict[str, Any]) -> None:
    assert model.to_dict() == said
    assert json.loads(json.dumps(model.to_dict())) == said


@pytest.mark.parametrize(("model", "said"), MODELS.values(), ids=MODELS.keys())
def test_pydantic_writes_the_same(model: PlainData, said: dict[str, Any]) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(type(model))

    assert adapter.validate_python(model) is model
    assert json.loads(adapter.dump_json(model)) == said


def test_a_memory_shows_its_content_and_no_info() -> None:
    told = MEMORY.to_dict()

    assert (told["content"], told["tags"], told["created_at"]) == ("window", ["travel"], WHEN.isoformat())
    assert not {"info", "provenance", "_content"} & told.keys()


def test_a_memory_that_cannot_be_read_says_why() -> None:
    assert UNREADABLE.to_dict()["error"] == {"type": "IntegrityError", "message": "it was changed"}
    assert UNREADABLE.to_dict()["content"] is None


@pytest.mark.parametrize(
    "model",
    [
        AccessRequest(id="r", status="pending", memory_key=Secret("canary")),
        AccessCredentials(user_id="u", memory_key=Secret("canary"), encryption_key=Secret("canary")),
        OAuthTokens(access_token=Secret("canary"), refresh_token=Secret("canary")),
        of_memory_api.NewAPIKey(id="k", key=Secret("canary")),
    ],
)
def test_secrets_are_left_out(model: PlainData) -> None:
    assert "canary" not in json.dumps(model.to_dict())
    assert not {"memory_key", "encryption_key", "access_token", "key"} & model.to_dict().keys()


@pytest.mark.parametrize("kind", KINDS)
def test_every_model_has_a_named_description(kind: Any) -> None:
    several: Any = list[kind]
    adapter: TypeAdapter[Any] = TypeAdapter(several)
    described = adapter.json_schema(mode="serialization")

    assert described["items"] == {"$ref": f"#/$defs/{kind.__name__}"}
    assert described["$defs"][kind.__name__]["type"] == "object"


def test_a_memory_is_described_member_by_member() -> None:
    described = TypeAdapter(Memory).json_schema(mode="serialization")["properties"]
    text, number = {"type": "string"}, {"type": "number"}
    nothing = {"type": "null"}

    assert described["id"] == {"title": "Id", **text}
    assert described["importance"] == {"title": "Importance", "anyOf": [number, nothing]}
    assert described["created_at"]["anyOf"] == [{**text, "format": "date-time"}, nothing]
    assert described["tags"] == {"title": "Tags", "type": "array", "items": text}
    assert described["error"]["anyOf"] == [{"type": "object", "additionalProperties": text}, nothing]


def test_a_page_is_described_with_what_is_on_it() -> None:
    of_tags = TypeAdapter(dict[str, Page[Tag]]).json_schema(mode="serialization")
    of_anything = TypeAdapter(Page[Any]).json_schema(mode="serialization")

    assert of_tags["$defs"]["Page_Tag_"]["properties"]["items"]["items"] == {"$ref": "#/$defs/Tag"}
    assert of_anything["properties"]["items"]["items"] == {}


def test_only_the_model_itself_is_taken() -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Tag).validate_python({"id": "tag-1"})


def test_converting_needs_no_pydantic() -> None:
    code = "import sys, memoram_async as m; m.Tag(id='t').to_dict(); assert 'pydantic' not in sys.modules"
    subprocess.run((sys.executable, "-c", code), check=True)  # noqa: S603 - our own words
