"""JupyterLab in an Emberyard notebook. What differs from one notebook to the next comes by environment."""

import os
import shutil

import jupyter_server.serverapp
from jupyter_core.paths import jupyter_config_dir
from jupyter_server.services.contents import filemanager
from jupyter_server.services.contents.filecheckpoints import AsyncFileCheckpoints
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager

HOME = os.environ["HOME"]
ROOT = os.environ.get("EMBERYARD_ROOT_DIR", HOME)
SHELF = "Emberyard"  # a folder shown beside the user's files; it lies in the notebook's home, not among them
SHELF_DIR = os.path.join(HOME, SHELF)

c = get_config()  # noqa: F821

c.ServerApp.ip = "0.0.0.0"
c.ServerApp.port = 8888
c.ServerApp.port_retries = 0
c.ServerApp.base_url = os.environ.get("EMBERYARD_BASE_URL", "/")
c.ServerApp.root_dir = ROOT
c.ServerApp.open_browser = False
c.ServerApp.quit_button = False
c.ServerApp.trust_xheaders = True
# The gateway decides which host names are let in; behind it the Host header is the user's, not this pod's.
c.ServerApp.allow_remote_access = True
c.LabApp.news_url = None  # see answer_news
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"

# `jupyter server list` prints the address as it was given, not the pod's host name, so that links can be made of it.
jupyter_server.serverapp.WILDCARD_IPS = ()


def is_hidden(path, root, inside_root=filemanager.is_hidden):
    """Jupyter's own judgement, which wants every path below the root it belongs to."""
    on_shelf = path == SHELF_DIR or path.startswith(SHELF_DIR + os.sep)
    return inside_root(path, SHELF_DIR if on_shelf else root)


class Shelf:
    """Shows SHELF_DIR as a folder of the root, unless the user has one of that name."""

    def _on_shelf(self, path):
        first = path.strip("/").split("/")[0]
        return first == SHELF and not os.path.lexists(os.path.join(ROOT, SHELF))

    def _get_os_path(self, path):
        if not self._on_shelf(path):
            return super()._get_os_path(path)
        real = os.path.abspath(os.path.join(HOME, path.strip("/")))
        if real != SHELF_DIR and not real.startswith(SHELF_DIR + os.sep):
            raise FileNotFoundError(path)
        return real


class ShelfCheckpoints(Shelf, AsyncFileCheckpoints):
    pass


class ShelfContents(Shelf, AsyncLargeFileManager):
    async def _dir_model(self, path, content=True):
        model = await super()._dir_model(path, content=content)
        if content and not path.strip("/") and self._on_shelf(SHELF):
            model["content"].append(await self.get(SHELF, content=False))
        return model


def fill_shelf():
    """The examples are laid out once; what the user makes of them stays."""
    os.makedirs(SHELF_DIR, exist_ok=True)
    examples = os.environ.get("EMBERYARD_EXAMPLES", "")
    for name in sorted(os.listdir(examples)) if os.path.isdir(examples) else []:
        source, target = os.path.join(examples, name), os.path.join(SHELF_DIR, name)
        if name.endswith(".ipynb") and not os.path.exists(target):
            shutil.copyfile(source, target)


def answer_news():
    """JupyterLab asks on its first page whether to fetch news, even where there are none to fetch: answered once, as a
    setting that the user may change."""
    folder = os.path.join(jupyter_config_dir(), "lab/user-settings/@jupyterlab/apputils-extension")
    settings = os.path.join(folder, "notification.jupyterlab-settings")
    if not os.path.exists(settings):
        os.makedirs(folder, exist_ok=True)
        with open(settings, "w") as file:
            file.write('{"fetchNews": "false"}\n')


try:
    answer_news()
    fill_shelf()
    if os.path.realpath(ROOT) != os.path.realpath(HOME):
        filemanager.is_hidden = is_hidden
        c.ServerApp.contents_manager_class = ShelfContents
        c.ContentsManager.checkpoints_class = ShelfCheckpoints
except OSError as error:
    print(f"examples and settings can't be laid out: {error}", flush=True)
