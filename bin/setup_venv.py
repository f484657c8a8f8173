"""Make or renew `.venv` in the checkout: `python3 bin/setup_venv.py [EXTRA…]`.

Installs the dependencies that pyproject.toml lists, and those of the extras named. The package itself
is run from `src/`. One process sets up at a time; a mark is written last, so an interrupted
set-up is simply done again. The launchers call this when the mark is missing or older than
pyproject.toml.
"""

import fcntl
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"


def mark(extras: list[str]) -> Path:
    """Return the file that says that the environment is complete."""
    return VENV / "-".join([".ready", *extras])


def is_ready(extras: list[str]) -> bool:
    done = mark(extras)
    return done.exists() and done.stat().st_mtime > (ROOT / "pyproject.toml").stat().st_mtime


def requirements(extras: list[str]) -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = list(project["dependencies"])
    for extra in extras:
        wanted += project["optional-dependencies"][extra]
    return wanted


def set_up(extras: list[str]) -> None:
    python = VENV / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True)
    pip = [python, "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    subprocess.run([*pip, *requirements(extras)], check=True)
    packages = next((VENV / "lib").glob("python3*/site-packages"))
    (packages / "simple_jit.pth").write_text(f"{ROOT / 'src'}\n", encoding="utf-8")
    mark(extras).touch()


def main() -> int:
    extras = sys.argv[1:]
    with (ROOT / ".venv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_ready(extras):
            return 0
        print("setting up .venv (once; this may take a minute)", file=sys.stderr)
        try:
            set_up(extras)
        except subprocess.CalledProcessError as failure:
            print(f"error: setting up .venv failed (status {failure.returncode})", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
