import os
import signal
import subprocess
import sys
import time

import pytest

from config.launch import process
from config.launch.problem import Problem
from config.launch.supervisor import DEATHS, Child, Stopped, end_leftovers

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
FORKS = [sys.executable, "-c", "import os, time; os.fork(); time.sleep(600)"]
STUBBORN = [sys.executable, "-c", "import signal, time; signal.signal(15, 1); print('up', flush=True); time.sleep(600)"]
SUPERVISE = """
import sys
from pathlib import Path
from config.launch.supervisor import Child, Supervisor
folder = Path(sys.argv[1])
supervisor = Supervisor(folder, folder / "children.json")
supervisor.folders = [folder / "sockets"]
supervisor.add(Child("one", [sys.executable, "-c", {child!r}]))
print(supervisor.children["one"].pid, flush=True)
supervisor.watch()
"""


def wait_for_new_pid(supervisor, name, old):
    supervisor.wait(lambda: supervisor.children[name].pid not in (None, old), 10, name)
    return supervisor.children[name].pid


def test_a_dead_child_comes_back_and_leads_a_group_of_its_own(supervisor):
    supervisor.add(Child("one", SLEEP))
    first = supervisor.children["one"].pid
    os.kill(first, signal.SIGKILL)
    second = wait_for_new_pid(supervisor, "one", first)
    assert os.getpgid(second) == second
    assert not process.started(first)


def test_what_a_dead_child_had_started_goes_with_it(supervisor):
    supervisor.add(Child("one", FORKS))
    leader = supervisor.children["one"].pid
    supervisor.wait(lambda: len(list(process.group(leader))) == 2, 5, "the fork")
    os.kill(leader, signal.SIGKILL)
    wait_for_new_pid(supervisor, "one", leader)
    assert list(process.group(leader)) == []


def test_five_deaths_within_a_minute_end_everything_with_the_last_lines(supervisor, monkeypatch):
    monkeypatch.setattr("config.launch.supervisor.PAUSES_S", (0.0,))
    supervisor.add(Child("broken", [sys.executable, "-c", "print('no such thing'); raise SystemExit(3)"]))
    with pytest.raises(Problem) as ended:
        supervisor.wait(lambda: False, 60, "never")
    assert ended.value.code == 1
    assert "no such thing" in str(ended.value)
    assert f"broken died {DEATHS} times within a minute (last exit 3)" in str(ended.value)


def test_the_pause_before_a_restart_grows(supervisor):
    supervisor.add(Child("one", SLEEP))
    pauses = []
    for _ in range(3):
        old, began = supervisor.children["one"].pid, time.monotonic()
        os.kill(old, signal.SIGKILL)
        wait_for_new_pid(supervisor, "one", old)
        pauses.append(time.monotonic() - began)
    assert pauses[0] < 0.5 < pauses[1] < 1.9 < pauses[2]


def test_every_change_is_told_and_written_down(supervisor, tmp_path):
    told = []
    supervisor.on_change = lambda: told.append(supervisor.children["one"].pid)
    supervisor.add(Child("one", SLEEP))
    os.kill(told[0], signal.SIGKILL)
    second = wait_for_new_pid(supervisor, "one", told[0])
    assert told[-1] == second
    assert str(second) in (tmp_path / "children.json").read_text()
    assert (tmp_path / "children.json").stat().st_mode & 0o777 == 0o600


def test_a_child_that_does_not_listen_is_killed_after_its_time(supervisor):
    supervisor.add(Child("stubborn", STUBBORN, stop_s=0.5))
    pid = supervisor.children["stubborn"].pid
    supervisor.wait(lambda: "up" in supervisor.log_of("stubborn").read_text(), 5, "its first line")
    began = time.monotonic()
    supervisor.stop("stubborn")
    assert 0.5 <= time.monotonic() - began < 3
    assert not process.started(pid)


def test_a_log_keeps_its_predecessor(supervisor):
    log = supervisor.log_of("one")
    log.write_text("yesterday")
    supervisor.add(Child("one", SLEEP))
    assert log.with_name("one.log.1").read_text() == "yesterday"
    assert log.read_text() == ""


def test_a_command_is_run_to_its_end_while_the_others_are_looked_after(supervisor):
    supervisor.add(Child("one", SLEEP))
    kill_it = (
        f"import os; os.kill({supervisor.children['one'].pid}, 9); import time; time.sleep(0.5); raise SystemExit(7)"
    )
    old = supervisor.children["one"].pid
    assert supervisor.call("seven", [sys.executable, "-c", kill_it], env=os.environ, limit_s=10) == 7
    assert supervisor.children["one"].pid not in (None, old)


def test_being_told_to_stop_ends_any_waiting(supervisor):
    supervisor.stopping.set()
    with pytest.raises(Stopped):
        supervisor.wait(lambda: False, 60, "never")


@pytest.fixture
def killed(tmp_path):
    """A supervisor that was killed with -9, and what it left; `child` is the source that its one child ran."""

    def run(child):
        (tmp_path / "sockets").mkdir()
        source = SUPERVISE.format(child=child)
        running = subprocess.Popen([sys.executable, "-c", source, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        pid = int(running.stdout.readline())
        time.sleep(0.3)
        running.kill()
        running.wait()
        return pid, tmp_path / "children.json"

    return run


def test_children_die_with_a_supervisor_that_is_killed(killed):
    pid, _ = killed("import time; time.sleep(600)")
    assert process.wait(lambda: not process.started(pid), 5)


def test_leftovers_of_a_killed_run_are_ended_and_its_folders_removed(killed, tmp_path, monkeypatch):
    pid, ledger = killed("import signal, time; signal.signal(15, 1); time.sleep(600)")
    assert process.started(pid)
    monkeypatch.setattr("config.launch.supervisor.LEFTOVERS_S", 0.5)
    end_leftovers(ledger)
    assert not process.started(pid)
    assert not (tmp_path / "sockets").exists()
    assert not ledger.exists()


def test_a_stranger_with_the_same_pid_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr("config.launch.supervisor.LEFTOVERS_S", 0.1)
    stranger = process.spawn(SLEEP)
    argv = f'["{sys.executable}"]'
    for since in (process.started(stranger.pid) - 1, process.started(stranger.pid) + 1):
        ledger = tmp_path / "children.json"
        ledger.write_text(
            f'{{"folders": [], "children": [{{"pid": {stranger.pid}, "started": {since}, "argv": {argv}}}]}}'
        )
        end_leftovers(ledger)
        assert process.started(stranger.pid)
    stranger.kill()
    stranger.wait()
