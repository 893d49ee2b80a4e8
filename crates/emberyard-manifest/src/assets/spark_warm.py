"""Lets a kernel's Spark driver be ready before it is asked for.

Loaded by each kernel at its start. A process beside the kernel (spark_rehearsal) starts the driver JVM and rehearses in it
while the user still types; the user's context gets it through PySpark's own door, PYSPARK_GATEWAY_PORT, if it would have
started the very same JVM. EMBERYARD_WARM=off leaves the start to the context.
"""

import ctypes
import functools
import importlib.util
import json
import os
import select
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress

import spark_start
from after_import import after_import

HERE = os.path.dirname(os.path.abspath(__file__))
ARCHIVE = "/opt/emberyard/archive"
LATER = "/opt/emberyard/start.options"  # Java options of the image, for the start of many JVMs on a few cores
SET_CHILD_SUBREAPER = 36  # of prctl(2)
IDLE_SECONDS = 1200  # a JVM that nobody wanted for so long goes
PATIENCE_SECONDS = 60
MARK = "\0emberyard-warm-{}"  # an abstract socket; the Spark UI's door does not count the process that it names


def spark_home():
    return os.environ.get("SPARK_HOME") or os.path.dirname(importlib.util.find_spec("pyspark").origin)


def surroundings():
    """What must be at a context's start as it was at the JVM's."""
    return {
        "the environment": spark_start.environment(os.environ),
        "the working directory": os.getcwd(),
        "Spark's configuration": spark_start.config_files(os.environ, spark_home()),
    }


def read(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""


@contextmanager
def added(variables):
    """Variables of the environment that only what is started now sees."""
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in variables:
            os.environ.pop(name, None)


def defaults():
    """The settings of spark-defaults.conf."""
    files = spark_start.config_files(os.environ, spark_home())
    return spark_start.defaults("".join(read(path) for path in files if path.endswith("/spark-defaults.conf")))


def archive(wanted):
    """The variable that lets `spark-submit` use the image's class-data archive, if it may."""
    files = spark_start.config_files(os.environ, spark_home())

    def fits(class_path):
        java = read(os.path.join(os.environ.get("JAVA_HOME", ""), "release")).rstrip("\n")
        return os.path.exists(f"{ARCHIVE}/spark.jsa") and read(f"{ARCHIVE}/trained-for") == f"{java}\n{class_path}"

    options = spark_start.archive_options(os.environ, wanted.keys() | defaults(), files, f"{ARCHIVE}/spark.jsa", fits)
    if not options:
        return {}
    # Images of earlier versions have no such file.
    return {"SPARK_SUBMIT_OPTS": f"{options} @{LATER}" if os.path.exists(LATER) else options}


class Warm:
    """A driver JVM that no context has yet. A thread listens to it, and passes on what it prints once it is taken."""

    def __init__(self):
        self.before, self.defaults = surroundings(), defaults()
        self.since = time.monotonic()
        self.state = "starting"  # then rehearsing, ready, and taken or gone
        self.changed = threading.Condition()
        self.door, self.stdin, self.jvm, self.said, self.marks = None, None, None, [], []
        self.kernel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        pipes = {target: os.pipe() for target in (1, 2)}
        self.streams = {pipe[0]: target for target, pipe in pipes.items()}
        ends = [theirs.fileno(), *(pipe[1] for pipe in pipes.values())]
        command = [sys.executable, os.path.join(HERE, "spark_rehearsal.py"), *map(str, ends)]
        quiet = {name: subprocess.DEVNULL for name in ("stdin", "stdout", "stderr")}
        with added(archive({})):
            self.helper = subprocess.Popen(command, pass_fds=ends, **quiet)
        theirs.close()
        for pipe in pipes.values():
            os.close(pipe[1])
        self.mark(self.helper.pid)
        threading.Thread(target=self.listen, name="spark-warm", daemon=True).start()

    def mark(self, pid):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        sock.bind(MARK.format(pid))
        self.marks.append(sock)

    def unmark(self):
        while self.marks:
            self.marks.pop().close()

    def listen(self):
        try:
            self.follow()
        finally:
            with self.changed:
                self.drop()
                self.unmark()
            self.helper.wait()
            if self.jvm is not None:
                with suppress(ChildProcessError):
                    os.waitpid(self.jvm, 0)

    def follow(self):
        while self.streams:
            watched = select.poll()
            for fd in [*self.streams, *([self.kernel.fileno()] if self.state in ("starting", "rehearsing") else [])]:
                watched.register(fd, select.POLLIN)
            ready = {fd for fd, _ in watched.poll(10_000)}
            for fd in ready & self.streams.keys():
                self.pass_on(fd)
            with self.changed:
                if self.kernel.fileno() in ready:
                    self.hear()
                if self.state != "taken" and self.unwanted():
                    self.drop()

    def pass_on(self, fd):
        """What the JVM prints at its start is kept for the one who takes it; what it prints in rehearsal nobody wants."""
        data, target = os.read(fd, 65536), self.streams[fd]
        if not data:
            os.close(fd)
            del self.streams[fd]
        elif self.state == "starting":
            self.said.append((target, data))
        elif self.state == "taken":
            with suppress(OSError):  # whoever listened may be gone, which is no reason for the JVM to go
                os.write(target, data)

    def hear(self):
        """What the rehearsal tells: that the JVM is up, then how to get in."""
        data, fds, _, _ = socket.recv_fds(self.kernel, 65536, 1)
        if not data:
            return self.drop()
        told = json.loads(data)
        if "pid" in told:
            self.state = "rehearsing"
            self.mark(told["pid"])
            self.jvm = told["pid"]
        else:
            self.state, self.door, self.stdin = "ready", told, fds[0]
            self.adopt()
        self.changed.notify_all()

    def adopt(self):
        """Makes the JVM a child of the kernel, as one that PySpark starts is, by the end of its parent."""
        adopts_orphans = ctypes.CDLL(None).prctl
        adopts_orphans(SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        try:
            self.kernel.send(b".")
            self.helper.wait()
        finally:
            adopts_orphans(SET_CHILD_SUBREAPER, 0, 0, 0, 0)

    def unwanted(self):
        idle = time.monotonic() - self.since > IDLE_SECONDS
        return idle or spark_start.free_mib(read("/proc/meminfo")) < spark_start.SHORT_MIB

    def drop(self):
        """Lets the JVM end: the end of its standard input is its own."""
        self.state = "gone"
        self.kernel.close()
        if self.stdin is not None:
            os.close(self.stdin)
            self.stdin = None
        self.changed.notify_all()

    def take(self, wanted):
        """How to get into the JVM, for a context with these settings; None when it must start its own."""
        with self.changed:
            if self.state in ("taken", "gone"):
                return None
            if spark_start.why_cold(wanted, self.defaults, self.before, surroundings()):
                return self.drop()
            if self.state != "ready":
                self.kernel.send(b"!")
                self.changed.wait_for(lambda: self.state in ("ready", "gone"), PATIENCE_SECONDS)
            if self.state != "ready":
                return self.drop()
            self.state = "taken"
            self.unmark()
        for target, data in self.said:
            os.write(target, data)
        return {"PYSPARK_GATEWAY_PORT": str(self.door["port"]), "PYSPARK_GATEWAY_SECRET": self.door["secret"]}


class Kernel:
    """The one driver JVM that a kernel may have prepared."""

    def __init__(self):
        self.process, self.warm = os.getpid(), None

    def start(self):
        on = os.environ.get("EMBERYARD_WARM", "on") != "off" and "PYSPARK_GATEWAY_PORT" not in os.environ
        if on and self.warm is None and spark_start.free_mib(read("/proc/meminfo")) >= spark_start.ENOUGH_MIB:
            try:
                self.warm = Warm()
            except OSError as error:  # no process, no file handle: the kernel works on without
                print(f"no Spark driver is prepared: {error}", file=sys.stderr)

    def launch(self, stock, conf, popen_kwargs):
        """In place of PySpark's `launch_gateway`."""
        if popen_kwargs or "PYSPARK_GATEWAY_PORT" in os.environ or os.getpid() != self.process:
            return stock(conf, popen_kwargs)
        wanted = dict(conf.getAll()) if conf else {}
        return self.enter(stock, wanted) or self.launch_cold(stock, conf, wanted)

    def enter(self, stock, wanted):
        """The way into the warm JVM; None when there is none for this context."""
        if self.warm is None:
            return None
        try:
            door = self.warm.take(wanted)
            if not door:
                return None
            with added(door):
                gateway = stock()
            for key, value in wanted.items():  # as spark-submit would have done
                if key.startswith("spark."):
                    gateway.jvm.java.lang.System.setProperty(key, value)
            return gateway
        except Exception:  # whatever is wrong with it, the context can have a JVM of its own
            with self.warm.changed:
                return self.warm.drop()

    @staticmethod
    def launch_cold(stock, conf, wanted):
        with added(archive(wanted)):
            return stock(conf)


KERNEL = Kernel()


def wrap(module):
    stock = module.launch_gateway

    @functools.wraps(stock)
    def launch_gateway(conf=None, popen_kwargs=None):
        return KERNEL.launch(stock, conf, popen_kwargs)

    module.launch_gateway = launch_gateway


def load_ipython_extension(_shell):
    if importlib.util.find_spec("pyspark") is None:
        return
    after_import({"pyspark": lambda _: KERNEL.start(), "pyspark.java_gateway": wrap})
    if spark_start.uses_spark(read(os.environ.get("JPY_SESSION_NAME", ""))):
        KERNEL.start()
