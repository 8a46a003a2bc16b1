"""What every request meets before a route answers it: guards, routing, forms, header fields, the call log."""
