"""Code that speaks to model servers: one streaming protocol, several kinds of server."""

import sys

# httpx imports its own, optional command line (click, rich, pygments) wherever those are installed: a third of the time
# of `import httpx`, and a drawing library in the core. Without that module it goes on, as it does where they are not.
if "httpx" not in sys.modules:
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None is how an import is ruled out
