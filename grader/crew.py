"""Who finds the verdicts: processes of this machine, or the workers of a Dask cluster.

Papers go out and verdicts come back, both plain data. A member of the crew needs the course's code
and a sandbox; of the class it gets one paper at a time, with the key that lies in it: no gradebook,
no solutions, no other secret.
"""

import gc
import os
import signal
import sys
from concurrent.futures import FIRST_COMPLETED, CancelledError, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import forkserver, get_context, parent_process
from multiprocessing.util import Finalize
from threading import Lock, Thread
from unittest.mock import patch

from grader.course import CourseError
from grader.sandbox import zygote
from grader.verdicts import new_verdict

WARM = ["grader.crew", "torch", "torch.testing"]
KILLED = "the process that graded it was killed, also when it graded nothing else"
_desk = Lock()


def sit(papers):
    """The work of a member: ({name: verdict}, "" or what went wrong) of {name: Paper}."""
    found = {}
    with _desk:  # an examination has its process to itself
        for name, paper in papers.items():
            try:
                found[name] = new_verdict(paper)
            except Exception as error:
                return found, f"{name}: {type(error).__name__}: {error}"
    return found, ""


class Crew:
    """Processes of this machine, as many as it has cores unless told otherwise.

    They are forks of one that has imported everything, and end when this process does, however
    it ends.
    """

    lost = BrokenProcessPool  # what a job raises whose process was killed

    def __init__(self, size=None):
        self.size = size or os.cpu_count()
        self.pool = None

    def __enter__(self):
        return self

    def __exit__(self, error, *_):
        if self.pool:
            if error:  # what is under way, an endless loop perhaps, is not waited for
                for process in list((self.pool._processes or {}).values()):
                    process.terminate()
                release_writer(self.pool)
            self.pool.shutdown(cancel_futures=True)

    def open_pool(self):
        context = get_context("forkserver")
        context.set_forkserver_preload(WARM)
        with patch.dict(os.environ, OMP_NUM_THREADS="1"):  # they run side by side
            forkserver.ensure_running()
        return ProcessPoolExecutor(self.size, context, initializer=join)

    def find(self, jobs):
        """Yield (name, verdicts, problem) for each (name, {notebook: Paper}) in turn of their end.

        A process that is killed may take others along. What was under way goes to a new one,
        each job by itself; one that is lost there too is the culprit, and is named.
        """
        jobs = iter(jobs)
        while lost := (yield from self.flow(jobs)):
            for job in lost:
                if (yield from self.flow(iter([job]))):
                    yield job[0], {}, KILLED

    def flow(self, jobs):
        """Keep every member busy, yield as `find` does, until a process is killed.

        returns: the jobs that were lost with it
        """
        self.pool = self.pool or self.open_pool()
        running, lost = {}, []
        while True:
            while not lost and len(running) < 2 * self.size and (job := next(jobs, None)):
                try:
                    running[self.pool.submit(sit, job[1])] = job
                except self.lost:
                    lost.append(job)
            if not running:
                break
            for done in wait(running, return_when=FIRST_COMPLETED).done:
                job = running.pop(done)
                try:
                    result = done.result()
                except self.lost:
                    lost.append(job)
                else:
                    yield job[0], *result
        if lost:
            release_writer(self.pool)
            self.pool = None
        return lost


class Cluster(Crew):
    """The workers of a Dask cluster, reached through the address of its scheduler.

    A worker needs this course installed, the same version of it, and bubblewrap:
    `dask worker ADDRESS --nthreads 1 --nworkers -1`
    """

    def __init__(self, address):
        try:
            from distributed import Client, KilledWorker
        except ModuleNotFoundError:
            raise CourseError("A cluster needs Dask: pip install -e '.[cluster]'") from None
        self.lost = KilledWorker
        try:
            self.client = Client(address, timeout=10, set_as_default=False)
            self.client.wait_for_workers(1, timeout=30)
        except (OSError, ValueError, TimeoutError) as error:
            raise CourseError(f"No cluster with workers at {address}: {error}") from None
        super().__init__(sum(self.client.nthreads().values()))

    def __exit__(self, *_):
        if self.pool:
            self.pool.shutdown(wait=False)
        self.client.close()

    def open_pool(self):
        return self.client.get_executor(pure=False)

    def flow(self, jobs):
        try:
            return (yield from super().flow(jobs))
        except CancelledError:
            raise CourseError(
                "The cluster has gone. What was graded is kept: grade again to go on."
            ) from None


def release_writer(pool):
    """Close our reading end of the papers' queue, which no member reads any more.

    Before 3.11.5 Python leaves it open: a paper that fills the pipe then holds us for good. Since
    then it closes the end itself, and twice would close a file of somebody else's.
    """
    queue = getattr(pool, "_call_queue", None)  # a cluster has none
    if queue and sys.version_info < (3, 11, 5):
        queue._reader.close()


def join():
    """The first act of a process of the local crew."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the grader's, which ends its crew
    signal.signal(signal.SIGTERM, leave)
    Finalize(None, zygote.close, exitpriority=0)  # such a process passes over atexit
    Thread(target=end_with_parent, daemon=True).start()
    gc.freeze()  # what was imported stays


def end_with_parent():
    """A killed grader takes its crew along: nobody else would tell them."""
    parent_process().join()
    leave()


def leave(*_):
    """End at once, in the middle of whatever, and leave nothing behind."""
    zygote.clear_away(also=os.getpid())
    os._exit(1)
