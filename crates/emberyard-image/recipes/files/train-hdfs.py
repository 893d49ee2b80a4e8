"""Makes HDFS's class-data archive: a small cluster of every kind of daemon lives once on the loopback, is used by every
command and over HTTP, and the classes that all of them loaded are dumped in the form in which the JVM maps them later.

The archive only makes starts faster. What can't be rehearsed on a machine is said and left out; the image works anyway."""

import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

HOME = pathlib.Path("/opt/hadoop")
ARCHIVE = HOME / "archive"
# Seconds for all of the rehearsal; a loaded machine may need several times the usual twenty.
LIMIT = 180
PORTS = ("zk", "journal", "journal-http", "rpc", "http", "zkfc", "data", "data-ipc", "data-http", "other", "other-http",
         "canary")
# Neither proxies nor anything else of the machine matters here.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Rehearsal:
    """The cluster, in a folder that is gone afterwards."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.until = time.monotonic() + LIMIT
        self.daemons = {}
        self.lists = 0
        self.ports = free_ports()

    def settings(self):
        """One NameNode of two, one of everything else: the same code runs as with more."""
        port = self.ports
        core = {
            "fs.defaultFS": "hdfs://train",
            "ha.zookeeper.quorum": f"127.0.0.1:{port['zk']}",
            "ha.health-monitor.check-interval.ms": 200,
            "ha.health-monitor.connect-retry-interval.ms": 200,
            "hadoop.tmp.dir": self.folder / "tmp",
        }
        hdfs = {
            "dfs.nameservices": "train",
            "dfs.ha.namenodes.train": "nn0,nn1",
            "dfs.namenode.rpc-address.train.nn0": f"127.0.0.1:{port['rpc']}",
            "dfs.namenode.http-address.train.nn0": f"127.0.0.1:{port['http']}",
            "dfs.namenode.rpc-address.train.nn1": f"127.0.0.1:{port['other']}",
            "dfs.namenode.http-address.train.nn1": f"127.0.0.1:{port['other-http']}",
            "dfs.ha.namenode.id": "nn0",
            "dfs.ha.zkfc.port": port["zkfc"],
            "dfs.namenode.shared.edits.dir": f"qjournal://127.0.0.1:{port['journal']}/train",
            "dfs.journalnode.rpc-address": f"127.0.0.1:{port['journal']}",
            "dfs.journalnode.http-address": f"127.0.0.1:{port['journal-http']}",
            "dfs.journalnode.edits.dir": self.folder / "journal",
            "dfs.namenode.name.dir": self.folder / "name",
            "dfs.datanode.data.dir": self.folder / "data",
            "dfs.datanode.address": f"127.0.0.1:{port['data']}",
            "dfs.datanode.ipc.address": f"127.0.0.1:{port['data-ipc']}",
            "dfs.datanode.http.address": f"127.0.0.1:{port['data-http']}",
            "dfs.client.failover.proxy.provider.train":
                "org.apache.hadoop.hdfs.server.namenode.ha.ConfiguredFailoverProxyProvider",
            "dfs.client.failover.sleep.base.millis": 50,
            "dfs.ha.automatic-failover.enabled": "true",
            "dfs.ha.fencing.methods": "shell(/bin/true)",
            "dfs.ha.tail-edits.in-progress": "true",
            "dfs.namenode.hosts.provider.classname":
                "org.apache.hadoop.hdfs.server.blockmanagement.CombinedHostFileManager",
            "dfs.namenode.safemode.extension": 0,
            "dfs.heartbeat.interval": "1s",
            "dfs.replication": 1,
        }
        other = {"dfs.ha.namenode.id": "nn1", "dfs.namenode.name.dir": self.folder / "other-name"}
        for name, own in (("conf", {}), ("other", other)):
            conf = self.folder / name
            conf.mkdir()
            (conf / "core-site.xml").write_text(site(core))
            (conf / "hdfs-site.xml").write_text(site({**hdfs, **own}))
        data = self.folder / "zookeeper"
        (self.folder / "zoo.cfg").write_text(
            f"tickTime=1000\ndataDir={data}\nclientPort={port['zk']}\nclientPortAddress=127.0.0.1\nadmin.enableServer=false\n"
        )

    def start(self, what, *command, conf="conf"):
        """Starts a program that notes the classes it loads."""
        self.lists += 1
        note = f"-XX:DumpLoadedClassList={self.folder}/{self.lists}.classes"
        log = open(self.folder / f"{self.lists}.log", "w", encoding="utf-8")
        env = {**os.environ, "HADOOP_CONF_DIR": str(self.folder / conf), "HADOOP_OPTS": note, "SERVER_JVMFLAGS": note}
        process = subprocess.Popen(command, env=env, cwd=self.folder, stdout=log, stderr=subprocess.STDOUT)
        process.what, process.log = what, log.name
        return process

    def daemon(self, what, *command):
        """Starts a program that stays."""
        self.daemons[what] = self.start(what, *command)

    def end(self, process, codes=(0,)):
        """Waits for a program that ends by itself."""
        code = process.wait(timeout=max(1, self.until - time.monotonic()))
        if code not in codes:
            raise Failed(f"{process.what} ended with exit code {code}: {last_line(process)}")

    def run(self, *command):
        """A command from beginning to end."""
        self.end(self.start(" ".join(command), "hdfs", *command))

    def wait(self, what, ready):
        """Until `ready` says so, as long as the daemons live."""
        while not ready():
            for name, process in self.daemons.items():
                if process.poll() is not None:
                    raise Failed(f"{name} ended with exit code {process.returncode}: {last_line(process)}")
            if time.monotonic() > self.until:
                raise Failed(f"{what} took longer than {LIMIT} s")
            time.sleep(0.1)

    def listens(self, port):
        """Does something take connections there?"""
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", self.ports[port])) == 0

    def get(self, port, path):
        """The answer's text, empty where there is none."""
        try:
            with DIRECT.open(f"http://127.0.0.1:{self.ports[port]}{path}", timeout=10) as answer:
                return answer.read().decode(errors="replace")
        except OSError:
            return ""

    def active(self):
        """Does the NameNode lead, with its DataNode, out of safe mode?"""
        beans = "/jmx?qry=Hadoop:service=NameNode,name="
        return (
            '"State" : "active"' in self.get("http", beans + "NameNodeStatus")
            and '"Safemode" : ""' in self.get("http", beans + "NameNodeInfo")
            and '"NumLiveDataNodes" : 1' in self.get("http", beans + "FSNamesystemState")
        )

    def play(self):
        """A cluster's life, in the order in which a new one starts."""
        self.settings()
        self.daemon("zookeeper", "zookeeper-server", str(self.folder / "zoo.cfg"))
        self.daemon("journalnode", "hdfs", "journalnode")
        self.wait("the start of ZooKeeper and JournalNode", lambda: self.listens("zk") and self.listens("journal"))
        first = [
            self.start("namenode -format", "hdfs", "namenode", "-format", "-nonInteractive"),
            self.start("zkfc -formatZK", "hdfs", "zkfc", "-formatZK", "-nonInteractive"),
        ]
        for process in first:
            self.end(process)
        for daemon in ("namenode", "zkfc", "datanode"):
            self.daemon(daemon, "hdfs", daemon)
        self.wait("the NameNode's way to active", self.active)
        (self.folder / "text").write_text("what is written is read\n" * 10000)
        self.run("dfs", "-mkdir", "-p", "/user/train")
        self.run("dfs", "-put", str(self.folder / "text"), "/user/train/text")
        # Two at a time: the machine may have two processors, and most of a command is waiting.
        second = self.start("bootstrapStandby", "hdfs", "namenode", "-bootstrapStandby", "-nonInteractive", conf="other")
        self.run("dfs", "-cat", "/user/train/text")
        self.run("dfs", "-ls", "-R", "/")
        self.end(second)
        for pair in (
            (("haadmin", "-getAllServiceState"), ("dfsadmin", "-report")),
            (("fsck", "/"), ("dfsadmin", "-refreshNodes")),
            (("getconf", "-namenodes"), ("version",)),
        ):
            # nn1 is not there: commands that ask both NameNodes may end with another code.
            for process in [self.start(" ".join(command), "hdfs", *command) for command in pair]:
                self.end(process, codes=range(256))
        self.daemon("canary", "hdfs", "canary", str(self.ports["canary"]), "/user/train/canary")
        self.wait("the canary's first file", lambda: '"served": true' in self.get("canary", "/"))
        for port, path in (
            ("http", "/dfshealth.html"),
            ("http", "/explorer.html"),
            ("http", "/jmx"),
            ("http", "/webhdfs/v1/user?op=LISTSTATUS"),
            ("http", "/webhdfs/v1/user/train/text?op=OPEN"),
            ("data-http", "/datanode.html"),
            ("journal-http", "/journalnode.html"),
        ):
            if not self.get(port, path):
                raise Failed(f"{path} did not answer")

    def stop(self):
        """Ends everything, politely first: what runs at an end is classes too."""
        order = [self.daemons[name] for name in reversed(self.daemons)]
        for process in order:
            process.send_signal(signal.SIGTERM)
        until = time.monotonic() + 15
        for process in order:
            try:
                process.wait(timeout=max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def classes(self):
        """What all programs loaded, each once."""
        merged = {}
        for path in sorted(self.folder.glob("*.classes"), key=lambda path: int(path.stem)):
            # A program that was ended may have left half a line.
            text = path.read_text(errors="replace")
            merged.update(dict.fromkeys(text[: text.rfind("\n") + 1].splitlines()))
        return merged


class Failed(Exception):
    """The rehearsal stopped here."""


def free_ports():
    """Ports nobody has at this moment."""
    holders = [socket.socket() for _ in PORTS]
    for holder in holders:
        holder.bind(("127.0.0.1", 0))
    ports = {name: holder.getsockname()[1] for name, holder in zip(PORTS, holders)}
    for holder in holders:
        holder.close()
    return ports


def site(values):
    """A configuration file."""
    entries = (f"<property><name>{name}</name><value>{value}</value></property>" for name, value in values.items())
    return "<configuration>\n" + "\n".join(entries) + "\n</configuration>\n"


def last_line(process):
    """The last words in a program's log that are no part of a stack."""
    lines = pathlib.Path(process.log).read_text(errors="replace").splitlines()
    lines = [line for line in lines if line.strip() and not re.match(r"\s+at |/\*|\*", line)]
    return lines[-1] if lines else "it said nothing"


def java(*options):
    """A JVM with the image's class path, jars only."""
    script = '. /opt/hadoop/java.sh; class_path; exec "$JAVA_HOME/bin/java" -cp "$JARS" "$@"'
    return subprocess.run(["/bin/sh", "-c", script, "java", *options], capture_output=True, text=True)


def dump(classes, folder):
    """Writes the archive and tries it. The default collector must dump: only it stores the module graph and strings."""
    listed = pathlib.Path(folder) / "all.classes"
    listed.write_text("\n".join(classes) + "\n")
    ARCHIVE.mkdir(exist_ok=True)
    archive = ARCHIVE / "hdfs.jsa"
    # Beside the real name first: a broken archive must not be found.
    part = ARCHIVE / "part.jsa"
    made = java("-Xshare:dump", "-XX:+UseG1GC", "-Xlog:disable", "-Xlog:all=error:stderr",
                f"-XX:SharedClassListFile={listed}", f"-XX:SharedArchiveFile={part}")
    if made.returncode == 0:
        tried = java("-Xshare:on", f"-XX:SharedArchiveFile={part}", "-XX:+UseSerialGC", "-version")
        if tried.returncode == 0:
            part.rename(archive)
            return archive.stat().st_size
        made = tried
    shutil.rmtree(ARCHIVE, ignore_errors=True)
    raise Failed(f"the archive was not made: {(made.stderr or made.stdout).strip()[-300:]}")


def main():
    began = time.monotonic()
    # In an image made on this one there is an archive, for fewer jars.
    shutil.rmtree(ARCHIVE, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        rehearsal = Rehearsal(folder)
        try:
            rehearsal.play()
        except (Failed, OSError, subprocess.TimeoutExpired) as error:
            print(f"note: HDFS was not rehearsed to its end, so starts may be slower: {error}", flush=True)
        finally:
            rehearsal.stop()
        played = time.monotonic()
        try:
            size = dump(rehearsal.classes(), folder)
        except Failed as error:
            print(f"note: HDFS will start more slowly: {error}", flush=True)
            return
    seconds = f"{played - began:.0f} s of rehearsal, {time.monotonic() - played:.0f} s of dumping"
    print(f"class-data archive: {size >> 20} MiB, {rehearsal.lists} programs, {seconds}", file=sys.stderr)


main()
