"""Code that speaks to model servers: one streaming protocol, several kinds of server."""
