"""File systems of our own: small, and with power that can be cut. Root's work."""

import array
import fcntl
import os
import subprocess
from pathlib import Path
from typing import List, Optional

from world import until

SHUTDOWN = 0x8004587D                         # FS_IOC_SHUTDOWN, as `xfs_io -x -c shutdown` calls it
LOG_FLUSHED, LOG_LOST = 1, 2                  # what is known of the log's last moments: all of it, or nothing
MAKE = {"ext4": ["mkfs.ext4", "-q", "-F", "-m", "0", "-E", "lazy_itable_init=0"], "xfs": ["mkfs.xfs", "-q", "-f"]}
# ext4 without its own protection of those who do not flush.
MOUNT = {"ext4": "loop,noauto_da_alloc", "xfs": "loop"}


def done(*command: str) -> None:
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if result.returncode != 0:
        raise OSError(f"{' '.join(command)}: {result.stderr.decode(errors='replace').strip()}")


def hindrance(*programs: str) -> Optional[str]:
    """Why no file system can be mounted here."""
    if os.geteuid() != 0:
        return "needs root"
    missing = [program for program in programs if subprocess.run(["which", program], capture_output=True,
                                                                 check=False).returncode != 0]
    return f"{missing[0]} is not there: .ci/setup test" if missing else None


class Disk:
    """Mounted below `directory`/NAME for as long as it is in use."""

    def __init__(self, directory: Path, name: str) -> None:
        self.place = directory / name
        self.place.mkdir(exist_ok=True)

    def __enter__(self) -> "Disk":
        return self

    def __exit__(self, *_: object) -> None:
        self.unmount()

    def unmount(self) -> None:
        """nginx may hold a file for a moment longer."""
        until(lambda: subprocess.run(["umount", str(self.place)], capture_output=True, check=False).returncode == 0,
              f"umount {self.place}", 20)


class MemoryDisk(Disk):
    def __init__(self, directory: Path, name: str, options: str) -> None:
        super().__init__(directory, name)
        done("mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.place))


class LoopDisk(Disk):
    def __init__(self, directory: Path, name: str, kind: str, size: int, options: List[str] = []) -> None:
        super().__init__(directory, name)
        self.kind = kind
        self.image = directory / f"{name}.image"
        self.image.unlink(missing_ok=True)
        with open(self.image, "wb") as file:
            file.truncate(size)
        done(*MAKE[kind], *options, str(self.image))
        self.mount()

    def mount(self) -> None:
        done("mount", "-t", self.kind, "-o", MOUNT[self.kind], str(self.image), str(self.place))

    def flush(self) -> None:
        done("sync", "-f", str(self.place))

    def cut(self, log: int) -> None:
        """The power goes: nothing reaches the disk any more."""
        root = os.open(self.place, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(root, SHUTDOWN, array.array("I", [log]))
        finally:
            os.close(root)

    def back(self) -> None:
        """The power comes back; the log is replayed."""
        self.unmount()
        self.mount()

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self.image.unlink()
