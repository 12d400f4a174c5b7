import shutil
import subprocess
import sys
import venv
from concurrent.futures import ThreadPoolExecutor

import pytest

from config.launch import bootstrap
from config.launch.problem import ROOT

ENTER = """
import sys
from pathlib import Path
from config.launch import bootstrap
from config.launch.problem import Problem
try:
    bootstrap.enter("requirements.txt", local={local}, root=Path({root!r}))
except Problem as problem:
    sys.exit(f"{{problem.code}} {{problem}}")
print(sys.prefix)
"""


@pytest.fixture
def enter(script, root_folder):
    return lambda *, local=False, **env: script(ENTER.format(root=str(root_folder), local=local), **env)


@pytest.fixture(scope="module")
def empty_venv(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / ".venv"
    venv.create(folder, with_pip=True)
    return folder


@pytest.fixture
def made(enter, root_folder, empty_venv):
    """A venv that was entered once; copied from one that is made once, for making it takes seconds."""
    shutil.copytree(empty_venv, root_folder / ".venv", symlinks=True)
    assert enter().stdout.strip() == str(root_folder / ".venv")
    return root_folder / ".venv"


def stamp(folder):
    return folder / "installed-requirements"


def test_a_second_start_finds_the_stamp_and_installs_nothing(enter, made):
    before = stamp(made).stat().st_mtime_ns
    again = enter()
    assert (again.stdout.strip(), again.stderr) == (str(made), "")
    assert stamp(made).stat().st_mtime_ns == before


def test_changed_requirements_are_installed_into_the_same_venv(enter, made, root_folder):
    inode = (made / "pyvenv.cfg").stat().st_ino
    (root_folder / "requirements.txt").write_text("# one line more\n")
    before = stamp(made).read_text()
    again = enter()
    assert (again.returncode, again.stderr) == (0, "Installing requirements.txt: 0 packages …\n")
    assert stamp(made).read_text() != before
    assert (made / "pyvenv.cfg").stat().st_ino == inode


def test_a_builder_killed_half_way_is_followed_by_one_that_starts_afresh(enter, made, root_folder):
    (root_folder / ".venv.lock").write_text(bootstrap.BUILDING)
    stamp(made).unlink()
    (made / "rubble").touch()
    assert enter().stdout.strip() == str(made)
    assert not (made / "rubble").exists()
    assert (root_folder / ".venv.lock").read_text() == ""


def test_a_venv_whose_python_is_gone_is_made_again(enter, made):
    (made / "bin" / "python").unlink()
    (made / "bin" / "python").symlink_to("/nonexistent/python3")
    assert enter().stdout.strip() == str(made)


def test_two_first_starts_at_once_both_arrive_in_one_venv(enter, root_folder):
    with ThreadPoolExecutor(2) as pool:
        both = [start.result() for start in [pool.submit(enter), pool.submit(enter)]]
    assert [one.stdout.strip() for one in both] == [str(root_folder / ".venv")] * 2


def test_what_cannot_be_installed_ends_the_start_with_one_sentence(enter, root_folder, made):
    (root_folder / "requirements.txt").write_text("no-hash-no-install==1.0\n")
    ended = enter()
    assert ended.returncode == 1
    assert "Could not install requirements.txt" in ended.stderr.splitlines()[-1]


def test_the_local_servers_may_fail_to_install_with_a_warning(enter, root_folder, made):
    (root_folder / bootstrap.LOCAL_SERVERS).write_text("no-hash-no-install==1.0\n")
    started = enter(local=True)
    assert started.stdout.strip() == str(root_folder / ".venv")
    assert "Warning: requirements-local.txt could not be installed" in started.stderr


def test_without_a_venv_module_the_way_out_is_named(script, root_folder):
    block = "import sys; sys.modules['ensurepip'] = None\n"
    ended = script(block + ENTER.format(root=str(root_folder), local=False), PATH="/nonexistent")
    assert ended.stderr.startswith("2 This Python has no venv module")


def test_a_folder_that_cannot_be_written_says_so(script, root_folder):
    (root_folder / ".venv.lock").mkdir()  # stands for a read-only tree: root may write anywhere
    ended = script(ENTER.format(root=str(root_folder), local=False))
    assert ended.stderr.startswith("2 Its .venv is missing or out of date and")


def test_an_older_python_is_told_which_one_is_needed():
    pretend = (
        f"import runpy, sys; sys.version_info = (3, 10); runpy.run_path({str(ROOT / 'manage.py')!r}, None, '__main__')"
    )
    ended = subprocess.run([sys.executable, "-c", pretend], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("Switchboard needs Python 3.11 or newer")
    assert ended.stderr.count("\n") == 1


def test_the_path_to_the_venv_imports_nothing_but_the_standard_library(script):
    names = script("import sys; import config.launch.cli; print(*sys.modules)").stdout.split()
    outside = {name.partition(".")[0] for name in names} - set(sys.stdlib_module_names)
    assert outside <= {"config", "__main__", "sitecustomize", "usercustomize", "_distutils_hack", "distutils"}
