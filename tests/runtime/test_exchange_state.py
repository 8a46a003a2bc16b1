"""What the network streams of a connection are told about the exchange on it."""

from __future__ import annotations

import math

import pytest

from memoram_async.runtime.clock import steady
from memoram_async.runtime.exchange_state import ExchangeState, is_final


@pytest.mark.parametrize(("seconds", "portion"), [(math.inf, 65536), (60, 65536), (0.3, 2048), (-1, 0)])
def test_little_is_read_at_once_near_the_deadline(seconds: float, portion: int) -> None:
    state = ExchangeState()
    state.begin(steady() + seconds)
    assert state.portion(65536) == portion
    assert state.portion(100) == min(100, portion)


@pytest.mark.parametrize(
    ("seconds", "portion"), [(math.inf, 262144), (60, 262144), (1, 65536), (0.3, 2048), (-1, 0)]
)
def test_more_is_read_at_once_far_from_the_deadline(seconds: float, portion: int) -> None:
    state = ExchangeState()
    state.begin(steady() + seconds)
    assert state.portion(262144) == portion


def test_an_operation_has_its_own_timeout_or_what_is_left() -> None:
    state = ExchangeState()
    assert state.left(5) == 5
    state.begin(steady() + 1)
    assert 0 < state.left(5) <= 1
    assert 0 < state.left(None) <= 1


@pytest.mark.parametrize(
    ("arrived", "final"),
    [(b"HTTP/1.1 413 Too Large\r\n", True), (b"HTTP/1.1 102 Processing\r\n", False), (b"", True)],
)
def test_an_informational_answer_ends_no_upload(arrived: bytes, final: bool) -> None:
    assert is_final(arrived) is final
