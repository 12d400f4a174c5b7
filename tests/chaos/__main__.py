"""`python3 manage.py chaos [NAME …]`: the scenarios; without a name, which there are."""

from __future__ import annotations

import argparse
import random
import subprocess
import sys

from tests.chaos import catalogue

LIMIT_S = 3 * 3600  # at full size


def main() -> int:
    known = catalogue.names()
    parser = argparse.ArgumentParser(prog="manage.py chaos", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="R1, R2 … or `all`")
    parser.add_argument("--seed", type=int, help="of all that is left to chance; default another one each time")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the full size; default 1")
    parser.add_argument("--runs", type=int, default=1, help="of each, with consecutive seeds")
    given = parser.parse_args()
    names = list(known) if given.names == ["all"] else [name.upper() for name in given.names]
    if unknown := set(names) - set(known):
        parser.error(f"no scenario is called {', '.join(sorted(unknown))}")
    if not names:
        print("\n".join(f"{name:<5}{shows}" for name, shows in known.items()))
    seed = random.randrange(10**6) if given.seed is None else given.seed
    codes = [_run(name, seed + nth, given.scale) for name in names for nth in range(given.runs)]
    return 1 if any(codes) else 0


def _run(name: str, seed: int, scale: float) -> int:
    argv = [sys.executable, "-m", "tests.chaos.run", name, "--seed", str(seed), "--scale", str(scale)]
    with subprocess.Popen(argv) as running:
        try:
            return running.wait(LIMIT_S * max(1.0, scale))
        except BaseException:
            running.terminate()
            raise


if __name__ == "__main__":
    sys.exit(main())
