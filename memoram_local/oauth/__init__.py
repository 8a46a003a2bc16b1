"""The authorization server: what RFC 6749, 7636, 8414 and 9207 ask of a server with confidential clients."""
