"""Start `simple` in a checkout under `python -I -S`: only our sources and `.venv` are importable."""

import sys

root = __file__.rpartition("/bin/")[0]
version = sys.version_info
sys.path += [f"{root}/src", f"{root}/.venv/lib/python{version.major}.{version.minor}/site-packages"]

from simple_jit.cli.main import entry  # noqa: E402  (found only now)

entry()
