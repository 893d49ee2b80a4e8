"""JupyterLab inside a pod. Settings of a session come on top of these, on the command line or in the user's own files."""

from jupyter_server.serverapp import ServerApp

_stock = ServerApp.connection_url


def _connection_url(app):
    """`jupyter server list` names the address that is listened on, as it did when tutorials were written, instead of the
    pod's host name, which is of no use outside the pod."""
    url = _stock.fget(app)
    if app.ip in ("0.0.0.0", "::"):
        scheme, _, rest = url.partition("://")
        _, _, path = rest.partition("/")
        url = f"{scheme}://0.0.0.0:{app.port}/{path}"
    return url


ServerApp.connection_url = property(_connection_url)
