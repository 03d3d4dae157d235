"""A Jupyter Server extension: small messages to and from kernels leave at once.

By default a server's TCP stack holds small packets back to join them (Nagle's algorithm).
A slider sends many small messages, so its picture comes late and in bursts. The extension
sets TCP_NODELAY on the websocket of every kernel channel that opens after it is loaded::

    jupyter lab --ServerApp.jpserver_extensions="{'kdlab.server': True}"

It adds to the connection class that the server is configured with, changes nothing else, and
runs on as without it where a later Jupyter Server works in another way.
"""

SETTING = "kernel_websocket_connection_class"


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "kdlab.server"}]


def _load_jupyter_server_extension(server_app) -> None:
    """Make kernel websockets of this server send at once; say so in one line of its log."""
    settings = server_app.web_app.settings
    connection = settings.get(SETTING)
    if not isinstance(connection, type) or not hasattr(connection, "connect"):
        server_app.log.warning(
            f"kdlab.server: this Jupyter Server has no {SETTING} that can be extended; "
            "sliders work, but less smoothly"
        )
        return
    settings[SETTING] = without_delay(connection)
    server_app.log.info("kdlab.server: TCP_NODELAY is on for kernel websockets")


# Older Jupyter Servers look for this name.
load_jupyter_server_extension = _load_jupyter_server_extension


def without_delay(connection: type) -> type:
    """Return a connection class that sets TCP_NODELAY on its websocket, then connects.

    Args:
        connection: A class with `connect()`, `websocket_handler` and `log`, as Jupyter
            Server's `BaseKernelWebsocketConnection`.
    """

    class NoDelayConnection(connection):
        warned = False

        def connect(self):
            try:
                self.websocket_handler.set_nodelay(True)
            # Whatever it is, a slow slider is better than a kernel that cannot be reached.
            except Exception as error:
                self._warn_once(error)
            return super().connect()

        def _warn_once(self, error: Exception) -> None:
            if not NoDelayConnection.warned:
                NoDelayConnection.warned = True
                self.log.warning(f"kdlab.server: TCP_NODELAY cannot be set: {error!r}")

    return NoDelayConnection
