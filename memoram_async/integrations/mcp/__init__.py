"""Memories for agents, over the Model Context Protocol: an MCP server in which the user decides who gets in.

`pip install 'memoram[mcp]'` brings what it stands on, the official `mcp` package. Those of its names that a
server for more than one user takes are here as well.
"""

from __future__ import annotations

try:
    from mcp.server.auth.provider import AccessToken, TokenVerifier
    from mcp.server.auth.settings import AuthSettings
    from mcp.server.transport_security import TransportSecuritySettings
except ImportError:
    missing = "The official MCP package, 2.3 or newer, is not installed: pip install 'memoram[mcp]'"
    raise ImportError(missing) from None

from memoram_async.integrations.mcp.access import (
    ConnectedUsers,
    KeyHolder,
    MemoryAccess,
    UnknownUserError,
    token_user,
    user_of_token,
)
from memoram_async.integrations.mcp.server import MemoryServer

__all__ = [
    "AccessToken",
    "AuthSettings",
    "ConnectedUsers",
    "KeyHolder",
    "MemoryAccess",
    "MemoryServer",
    "TokenVerifier",
    "TransportSecuritySettings",
    "UnknownUserError",
    "token_user",
    "user_of_token",
]
