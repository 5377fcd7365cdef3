"""A Jupyter kernel behind the walls, as jupyter_client starts any kernel.

Kernel and client speak over unix sockets in a folder of the zygote's, so neither needs a network.
"""

import asyncio
import json
import os
import shutil
import time
from pathlib import Path
from uuid import uuid4

import zmq.asyncio
from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import KernelProvisionerBase
from traitlets import Any, Instance, Type

from .zygote import Limits, zygote

MOST_MESSAGE = 16 * 2**20  # bytes; what is longer does not arrive
MOST_WAITING = 20  # messages of one channel, not read yet: they wait in our memory


class SandboxProvisioner(KernelProvisionerBase):
    """Start, watch and end one fork of the zygote."""

    tenant = None
    folder = None

    @property
    def has_process(self):
        return self.tenant is not None and self.tenant.poll() is None

    async def pre_launch(self, **words):
        km = self.parent
        warm = zygote()
        self.folder = warm.run / uuid4().hex[:8]
        files = self.folder / "files"
        files.mkdir(parents=True)
        for name, content in km.files.items():
            (files / name).parent.mkdir(parents=True, exist_ok=True)
            (files / name).write_bytes(content)
        km.transport, km.ip = "ipc", str(self.folder / "s")
        km.connection_file = str(self.folder / "host.json")
        km.write_connection_file()
        self.connection_info = km.get_connection_info()
        inside = json.loads(Path(km.connection_file).read_text())
        if warm.walls:
            inside["ip"] = "/run/kernel/s"
        (self.folder / "kernel.json").write_text(json.dumps(inside))
        warm.hand_over(self.folder)
        return await super().pre_launch(cmd=[], **words)

    async def launch_kernel(self, cmd, **words):
        km = self.parent
        self.tenant = zygote().fork(self.folder.name, km.utils, km.limits)
        sockets = [f"{km.ip}-{number}" for number in range(1, 6)]
        end = time.monotonic() + 20
        while not all(map(os.path.exists, sockets)):
            if self.tenant.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"the kernel did not start: {self.tenant.kill()}")
            await asyncio.sleep(0.002)
        return self.connection_info

    async def poll(self):
        return None if self.has_process else 1

    async def wait(self):
        while self.has_process:
            await asyncio.sleep(0.01)
        return 1

    async def send_signal(self, signum):
        """There is one way to stop what may be anything."""
        await self.kill()

    async def kill(self, restart=False):
        if self.tenant:
            self.tenant.kill()

    async def terminate(self, restart=False):
        await self.kill()

    async def cleanup(self, restart=False):
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)


class PromptClient(AsyncKernelClient):
    """Ready as soon as the kernel has said that it is idle; the stock client waits 0.2 s more."""

    async def _async_wait_for_ready(self, timeout=None):
        end = time.monotonic() + (timeout or 60)
        while time.monotonic() < end:
            request = self.kernel_info()
            while await self.iopub_channel.msg_ready(200):
                message = await self.iopub_channel.get_msg()
                ours = message["parent_header"].get("msg_id") == request
                if ours and message["content"].get("execution_state") == "idle":
                    self._handle_kernel_info_reply(await self.shell_channel.get_msg(timeout=1))
                    return
        raise RuntimeError("the kernel did not answer")


class SandboxKernelManager(AsyncKernelManager):
    """A kernel manager whose kernels live in the sandbox."""

    client_class = "grader.sandbox.provisioner.PromptClient"
    client_factory = Type(PromptClient)
    files = Any({})  # {relative path: content} of what the kernel finds in its working directory
    utils = Any(None)  # folder in the zygote's run with the `utils` of this notebook
    limits = Instance(Limits, ())

    def __init__(self, **traits):
        context = zmq.asyncio.Context()
        context.setsockopt(zmq.MAXMSGSIZE, MOST_MESSAGE)
        context.setsockopt(zmq.RCVHWM, MOST_WAITING)
        super().__init__(context=context, **traits)
        self._kernel_spec = KernelSpec(
            argv=["python"],
            language="python",
            interrupt_mode="message",
            metadata={"kernel_provisioner": {"provisioner_name": "course-sandbox"}},
        )

    @property
    def tenant(self):
        return self.provisioner.tenant
