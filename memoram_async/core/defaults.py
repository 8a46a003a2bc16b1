"""What holds where a caller says nothing; seconds and counts."""

TIMEOUT = 60.0
REQUEST_TIMEOUT = 20.0
MAX_RETRIES = 2
MAX_CONNECTIONS = 100
APPROVAL_TIMEOUT = 600.0
MAX_OPEN = 1000
MAX_AGE = 900.0
