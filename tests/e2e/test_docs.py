#!/usr/bin/env python3
"""The commands that docs/operation.md shows, run in their order against a sample master."""

import re
import signal
import subprocess
from pathlib import Path
from typing import List

from world import DAEMON, World, main

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "operation.md"
ENDLESS = {"run", "serve"}


def shown_commands() -> List[List[str]]:
    shown = re.findall(r"^    (pep381d .*)$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    return [line.split()[1:] for line in shown]


class Documents(World):
    def test_every_command_shown_works(self) -> None:
        commands = shown_commands()
        self.assertGreater(len(commands), 5)
        mirror = self.directory / "mirror"
        mirror.mkdir()
        (self.directory / "mirror.conf").write_text(
            f"[mirror]\ndirectory = {mirror}\n[master]\nurl = {self.master(10, 40).url}\n"
            "[listen]\naddress = 127.0.0.1:0\n", encoding="utf-8")
        for arguments in commands:
            with self.subTest(" ".join(arguments)):
                self.works(arguments)

    def works(self, arguments: List[str]) -> None:
        with subprocess.Popen([str(DAEMON), *arguments], cwd=self.directory, text=True,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
            self.addCleanup(process.kill)
            assert process.stderr is not None
            if arguments[-1] in ENDLESS:
                self.assertIn("serving", process.stderr.readline())
                process.send_signal(signal.SIGTERM)
            errors = process.communicate(timeout=60)[1]
            self.assertEqual(process.returncode, 0, errors)


if __name__ == "__main__":
    main()
