"""Open JupyterLab on the first lecture; what `make lab` runs, the same on Windows.

    .venv/bin/python .ci/lab.py [options of JupyterLab, such as --no-browser]

The server listens on this machine only, asks for its token, and sends slider messages at once
(kdlab.server). It has a configuration folder of its own, `.jupyter`: settings in the reader's
can't switch the token off, and ours don't end up there.
"""

import json
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONFIG = ROOT / ".jupyter"
FIRST = "notebooks/00_welcome.ipynb"
SETTINGS = [
    "--ServerApp.ip=127.0.0.1",
    f"--ServerApp.root_dir={ROOT}",
    "--ServerApp.jpserver_extensions={'kdlab.server': True}",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
]


def write_page_config() -> None:
    """Leave out the question about news that JupyterLab asks at its first start."""
    path = CONFIG / "labconfig" / "page_config.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    news = "@jupyterlab/apputils-extension:announcements"
    path.write_text(json.dumps({"disabledExtensions": {news: True}}))


def main() -> None:
    """Start JupyterLab in this process."""
    from jupyterlab.labapp import main as start

    os.chdir(ROOT)
    write_page_config()
    settings = list(SETTINGS)
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        # In a container the only user is often root, and Jupyter would refuse to start.
        settings.append("--allow-root")
    print(f"lab: JupyterLab opens {FIRST}; Ctrl-C, then y, ends it", flush=True)
    sys.exit(start([*settings, *sys.argv[1:], FIRST]))


# Read when Jupyter is imported.
os.environ["JUPYTER_CONFIG_DIR"] = str(CONFIG)
os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"

if __name__ == "__main__":
    main()
