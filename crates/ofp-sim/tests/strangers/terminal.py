"""What only a terminal gets to see: the bar of a run, and the review of snapshots, key by key.

terminal.py [OFP-SIM]
"""
import os
import pty
import re
import subprocess
import sys
import tempfile
from pathlib import Path

command = sys.argv[1] if len(sys.argv) > 1 else "ofp-sim"
folder = Path(tempfile.mkdtemp())
environment = {name: value for name, value in os.environ.items() if name not in ("CI", "NO_COLOR")}
TEXT = "scenario: {0}\ntitle: A\nsnapshot: true\nsteps:\n  - dc.request_consent:\n"


def at_a_terminal(arguments, keys=""):
    """Runs a command in a pseudo terminal and types; what it wrote comes back with its exit code."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.execvpe(command, [command, *arguments], {**environment, "TERM": "xterm"})
    typed, written = keys, b""
    while True:
        try:
            came = os.read(terminal, 65536)
        except OSError:
            break
        if not came:
            break
        written += came
        # one answer to each question
        if typed and came.rstrip().endswith(b"?"):
            os.write(terminal, (typed[0] + "\n").encode())
            typed = typed[1:]
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), written.decode()


def drift():
    """Three scenarios, whose accepted conversations are others than what is seen."""
    for name in "abc":
        (folder / f"{name}.yaml").write_text(TEXT.format(name))
    subprocess.run([command, "run", ".", "--snapshots", "accept"], cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
    for name in "abc":
        snapshot = folder / f"snapshots/{name}.snap"
        snapshot.write_text(snapshot.read_text().replace('"status": 201', '"status": 299'))
    return subprocess.run([command, "run", "."], cwd=folder, env=environment, stdout=subprocess.DEVNULL).returncode


def state():
    """For each scenario: whether the new conversation was taken, and whether one still waits."""
    taken = ["299" not in (folder / f"snapshots/{name}.snap").read_text() for name in "abc"]
    waits = [(folder / f"snapshots/{name}.snap.new").exists() for name in "abc"]
    return taken, waits


assert drift() == 1
code, written = at_a_terminal(["snapshots", "review"], "xars")
assert code == 0, written
assert state() == ([True, False, False], [False, False, True]), (state(), written)
assert "3 of 3" in written and re.search(r"\x1b\[3[12]m[-+]", written), written

assert drift() == 1
code, written = at_a_terminal(["snapshots", "review"], "sA")
assert code == 0 and state() == ([False, True, True], [True, False, False]), (state(), written)

assert drift() == 1
code, written = at_a_terminal(["snapshots", "review"], "q")
assert code == 0 and state() == ([False] * 3, [True] * 3), (state(), written)
at_a_terminal(["snapshots", "review"], "R")
assert state() == ([False] * 3, [False] * 3)

# a bar that is written over itself, and no counter
code, written = at_a_terminal(["run", ".", "--snapshots", "off"])
assert code == 0 and re.search(r"\r\x1b\[2K  \[=* *\] \d/3  ", written) and "(1/3)" not in written, written
# a log has counters, and nothing that a terminal would obey
log = subprocess.run([command, "run", ".", "--snapshots", "off"], cwd=folder, env=environment, capture_output=True, text=True).stdout
assert "(1/3)" in log and "\x1b" not in log, log
print("a terminal sees what it should")
