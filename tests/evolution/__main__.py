"""`python -m tests.evolution release`: golden files of the version in pyproject.toml; `accept`: what follows today."""

import subprocess
import sys
import tomllib
from pathlib import Path

from schemas.releases import register
from tests.evolution.journals import accept, versions, write

ROOT = Path(__file__).resolve().parents[2]


def main(arguments: list[str]) -> int:
    """Do as asked and say what was done; 2 for another word."""
    if arguments not in (["release"], ["accept"]):
        print("script/golden release | accept", file=sys.stderr)
        return 2
    if arguments == ["release"]:
        version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
        if version not in {one.version for one in register().releases}:
            subprocess.run([sys.executable, "-m", "schemas.generate", "--release", version], check=True, cwd=ROOT)
            print(f"schemas/avsc/releases.json has {version}")
        if version not in versions():
            write(version)
            print(f"tests/golden/journals/{version} is made; commit it with the release")
    accept()
    print("follows.json says for every release what the fold of today makes of its journal")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
