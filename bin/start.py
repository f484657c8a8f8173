"""Start `simple` in a checkout under `python -I -S`: only our sources and `.venv` are importable."""

import sys

root = __file__.rpartition("/bin/")[0]
version = sys.version_info
sys.path += [f"{root}/src", f"{root}/.venv/lib/python{version.major}.{version.minor}/site-packages"]

try:
    from simple_jit.cli.main import entry

    entry()
except KeyboardInterrupt:  # while it was being imported
    import os

    os._exit(130)
