"""What the image runs, by hand: only what it copies, its variables, its commands, and a user who may write nothing there."""

import asyncio
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from agent.local.server import free_ports
from tests.test_deploy import DOCKERFILE, ROOT, image_variables

NOBODY = 10001


def readable_by_others() -> bool:
    """Whether such a user can run this Python; not where the checkout is in somebody's home."""
    return not subprocess.run([sys.executable, "-c", "import temporalio"], user=NOBODY, cwd="/", check=False).returncode


@dataclass
class Image:
    """The directories of a container, and how its programs are started."""

    app: Path
    data: Path

    @contextmanager
    def run(self, *command: str, **variables: str) -> Iterator["subprocess.Popen[bytes]"]:
        """As `docker run` does, with variables of ours over the image's."""
        environment = image_variables() | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        environment |= {"HOME": str(self.data), "STEADFAST_HOME": str(self.data / "steadfast")} | variables
        user = NOBODY if os.geteuid() == 0 else None
        with (self.data / "log").open("ab") as log:
            process = subprocess.Popen(
                command, cwd=self.app, env=environment, user=user, group=user, extra_groups=[] if user else None,
                stdout=log, stderr=log,
            )  # fmt: skip
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    async def is_ready(self, process: "subprocess.Popen[bytes]", address: str) -> None:
        """Fails, with the log, when it ends or is not ready in time."""
        async with httpx.AsyncClient() as client:
            for _ in range(900):
                with suppress(httpx.TransportError):
                    if (await client.get(f"http://{address}/readyz", timeout=5)).status_code == 200:
                        return
                if process.poll() is not None:
                    break
                await asyncio.sleep(0.1)
        raise AssertionError((self.data / "log").read_text(encoding="utf-8"))


@pytest.fixture
def image() -> Iterator[Image]:
    if os.name != "posix" or (os.geteuid() == 0 and not readable_by_others()):
        pytest.skip("no other user can run this Python")
    top = Path(tempfile.mkdtemp(prefix="image-"))
    top.chmod(0o755)
    app, data = top / "app", top / "data"
    app.mkdir()
    data.mkdir(mode=0o700)
    for line in re.findall(r"^COPY (?!--from)(.+)", DOCKERFILE, re.MULTILINE)[1:]:
        *sources, target = shlex.split(line)
        for source in sources:
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, app / target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                (app / target).mkdir(exist_ok=True)
                shutil.copy(ROOT / source, app / target)
    if os.geteuid() == 0:
        os.chown(data, NOBODY, NOBODY)
    else:
        for path in app.rglob("*"):
            path.chmod(path.stat().st_mode & 0o555)
    yield Image(app, data)
    subprocess.run(["chmod", "-R", "u+w", str(top)], check=False)
    shutil.rmtree(top)


async def test_page_and_worker_of_the_image_become_ready_and_stop_when_told_to(image: Image, server: str) -> None:
    ports = free_ports()
    health, page_port = f"127.0.0.1:{ports.http}", str(ports.ui)
    [command] = re.findall(r"^CMD \[(.+)\]", DOCKERFILE, re.MULTILINE)
    given = {"TEMPORAL_ADDRESS": server, "TEMPORAL_TASK_QUEUE": "image", "EMBEDDED_WORKER": "off"}
    with (
        image.run("python", "worker.py", HEALTH_ADDRESS=health, **given) as worker,
        image.run(
            *re.findall(r'"([^"]+)"', command),
            STREAMLIT_SERVER_ADDRESS="127.0.0.1",
            STREAMLIT_SERVER_PORT=page_port,
            **given,
        ) as page,
    ):
        await image.is_ready(worker, health)
        await image.is_ready(page, f"127.0.0.1:{page_port}")
        for process in (worker, page):
            process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(worker.wait, 15) == 0
        assert await asyncio.to_thread(page.wait, 15) in (0, -signal.SIGTERM)
    assert "Error" not in (image.data / "log").read_text(encoding="utf-8")
    assert not list(image.app.rglob("__pycache__"))
