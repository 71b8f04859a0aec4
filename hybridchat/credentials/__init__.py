"""API keys: found in the environment, by a command that the user names, or in the OS keyring; never in a file.

A key belongs to a *name* (``huggingface``) and to the *host* that it was stored for: in the keyring it stands under the
service ``hybridchat`` and the user ``name@host``. Whoever changes a URL does not send an old key to a new host.
"""

from hybridchat.credentials.finding import Credentials, Listed
from hybridchat.credentials.key import Key, variable

__all__ = ["Credentials", "Key", "Listed", "variable"]
