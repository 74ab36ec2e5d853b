"""Plays pages: writes the files that they show, runs the commands that they show, and holds them to the output that they show.

play_page.py PAGE.md…

In a page, ```yaml file=NAME is a file; ```yaml same=PATH is what that file has below its first line; ```sh is run by bash in one folder for the page and must succeed, or exit as
```sh exit=N says; each line of the ```text behind it must be in what came; ```sh norun is not run, and says so.
"""
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.S | re.M)


def play(page):
    folder = Path(tempfile.mkdtemp())
    came = None
    run = 0
    for kind, info, text in BLOCK.findall(Path(page).read_text()):
        told = dict(pair.split("=", 1) for pair in info.split() if "=" in pair)
        if "same" in told:
            whole = (Path(page).parent / told["same"]).read_text()
            assert text == whole.split("\n", 1)[1], f"{page}: {told['same']} is another than the page shows"
            run += 1
        elif kind == "yaml" and "file" in told:
            file = folder / told["file"]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        elif kind == "sh" and "norun" not in info:
            done = subprocess.run(["bash", "-eu", "-c", text], cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  env={**os.environ, "CI": ""})
            came = done.stdout
            expected = int(told.get("exit", "0"))
            assert done.returncode == expected, f"{page}: exit code {done.returncode}, not {expected}:\n{text}\n{came}"
            run += 1
        elif kind == "text" and came is not None:
            for line in filter(None, (line.strip() for line in text.splitlines())):
                squeezed = re.sub(r"\s+", " ", line)
                assert squeezed in re.sub(r"\s+", " ", came), f"{page}: `{line}` is not in\n{came}"
    assert run, f"{page} shows nothing to play"
    print(f"{page}: {run} blocks")


for page in sys.argv[1:]:
    play(page)
