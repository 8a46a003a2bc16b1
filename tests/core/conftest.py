"""What several tests of the schedule of waiting begin with."""

from __future__ import annotations

import pytest

from tests.core.test_approval_schedule import Scene


@pytest.fixture
def scene() -> Scene:
    """A schedule whose clock does not begin at zero."""
    scene = Scene()
    scene.now = 1000.0
    return scene
