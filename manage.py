#!/usr/bin/env python3
"""`manage.py up` runs Switchboard, `manage.py test` proves it; anything else is Django's. Needs only Python 3.11."""

import sys


def main():  # type: () -> int
    if sys.version_info < (3, 11):  # noqa: UP036  (an older interpreter must be able to read this far)
        sys.stderr.write("Switchboard needs Python 3.11 or newer; this is Python " + sys.version.split()[0] + ".\n")
        return 2
    from config.launch.cli import run

    return run(sys.argv)


if __name__ == "__main__":
    sys.exit(main())
