"""Makes a blocking call inside an event loop an error: in the tests, and in a gateway under test.

A gateway runs in a process of its own, so this folder is put on its ``PYTHONPATH`` (``tests/support/gateway.py``):
Python imports a module of this name at its start. What blockbuster can only patch inside C types (sqlite3, io, locks)
is left out: that crashed the interpreter now and then. Django itself refuses a database call in an event loop.
"""

from collections.abc import Sequence

from blockbuster import BlockBuster

_IN_C_TYPES = ("io.", "sqlite3.", "threading.", "os.scandir", "builtins.")
_MAY_BLOCK = (
    ("proxysite/asgi.py", "<module>"),  # servers import the application inside their loop, before they listen
    ("django/core/handlers/base.py", "load_middleware"),  # the same, by Django's test client
    ("routing/server.py", "startup"),  # one byte into an empty pipe
    ("litellm/llms/custom_httpx/http_handler.py", "get_ssl_configuration"),  # is SSL_CERT_FILE there?
)


def forbid_blocking_calls(of: Sequence[str] | None = None) -> None:
    """From now on, in this process: those that the packages ``of`` make or lead to, or all."""
    for name, function in BlockBuster(scanned_modules=of).functions.items():
        if name.startswith(_IN_C_TYPES):
            continue
        for place in _MAY_BLOCK:
            function.can_block_in(*place)
        function.activate()


if __name__ == "sitecustomize":
    forbid_blocking_calls()
