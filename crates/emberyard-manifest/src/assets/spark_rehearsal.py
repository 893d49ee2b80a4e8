"""Starts a driver JVM as PySpark does, lets it do once what a session does, and gives it to the kernel that asked.

A process of its own, so that the kernel's Python stays as new. Arguments: a socket to the kernel, then what the JVM gets
as its standard output and error. The kernel is told {"pid"} when the JVM is up, and {"port", "secret"} with the
JVM's standard input, whose end is the JVM's end, when it is to be had. The kernel says `!` when it wants the JVM now, and
`.` when it is ready to be its parent.
"""

import gc
import json
import os
import signal
import socket
import sys
import tempfile
import threading
import time

import practice_api
from pyspark import SparkConf, SparkContext
from pyspark.java_gateway import launch_gateway


def conf(jvm, master, folder):
    """Settings of a context that nobody sees: none of the user's, no port that somebody may want."""
    settings = SparkConf(loadDefaults=False, _jvm=jvm).setMaster(master).setAppName("rehearsal")
    settings.set("spark.ui.port", "0").set("spark.driver.host", "127.0.0.1").set("spark.driver.bindAddress", "127.0.0.1")
    settings.set("spark.sql.warehouse.dir", folder).set("spark.sql.shuffle.partitions", "1")
    place = jvm.java.lang.System.getProperty("spark.local.dir")  # the first context's choice is the JVM's
    return settings.set("spark.local.dir", place) if place else settings


def cluster(gateway, folder):
    """A context on Kubernetes, without executors."""
    settings = conf(gateway.jvm, f"k8s://{practice_api.start()}", folder)
    settings.set("spark.kubernetes.container.image", "none").set("spark.executor.instances", "2")
    settings.set("spark.kubernetes.authenticate.oauthToken", "none").set("spark.kubernetes.namespace", "practice")
    settings.set("spark.scheduler.minRegisteredResourcesRatio", "0")
    context = SparkContext(conf=settings, gateway=gateway)
    practice_api.PODS_MADE.wait(timeout=5)
    context.stop()


def job(gateway, folder):
    """A Python job."""
    context = SparkContext(conf=conf(gateway.jvm, "local[1]", folder), gateway=gateway)
    context.parallelize(range(100), 1).map(lambda i: (i % 3, i)).reduceByKey(lambda a, b: a + b).collect()
    context.stop()


def frame(gateway, folder):
    """A data frame."""
    from pyspark.sql import SparkSession

    context = SparkContext(conf=conf(gateway.jvm, "local[1]", folder), gateway=gateway)
    session = SparkSession.builder.getOrCreate()
    rows = session.createDataFrame([(1, "a"), (2, "b")], ["number", "text"])
    rows.groupBy("text").sum("number")._jdf.showString(20, 20, False)
    session.stop()
    context.stop()


STEPS = (cluster, job, frame)


def properties(jvm):
    """The JVM's properties that are Spark's settings."""
    return {key: value for key, value in dict(jvm.java.lang.System.getProperties()).items() if key.startswith("spark.")}


def as_new(jvm, before):
    """Takes back what a rehearsal leaves behind in a JVM."""
    for key in properties(jvm).keys() - before.keys():
        jvm.java.lang.System.clearProperty(key)
    for key, value in before.items():
        jvm.java.lang.System.setProperty(key, value)
    jvm.org.apache.hadoop.fs.FileSystem.closeAll()
    gc.collect()  # lets go of what Python still holds in the JVM
    jvm.java.lang.System.gc()


def rehearse(gateway, enough):
    """Step after step until it is enough; whether there was one."""
    done = 0
    with tempfile.TemporaryDirectory(prefix="spark-rehearsal-") as folder:
        while done < len(STEPS) and not enough():
            STEPS[done](gateway, folder)
            done += 1
    return done > 0


def alone():
    """All of it for nobody: a training."""
    gateway = launch_gateway()
    rehearse(gateway, lambda: False)
    gateway.proc.stdin.close()
    gateway.proc.wait()


def listen(kernel, now, adopted):
    """Waits for the kernel's words. When the kernel is gone, or wants nothing, the JVM is stopped, which ends the rest."""
    while word := kernel.recv(1):
        (adopted if word == b"." else now).set()
    with open(f"/proc/self/task/{os.getpid()}/children") as children:
        for child in children.read().split():
            os.kill(int(child), signal.SIGTERM)
    time.sleep(10)
    os._exit(1)


def main(kernel, out, err):
    now, adopted = threading.Event(), threading.Event()
    threading.Thread(target=listen, args=(kernel, now, adopted), daemon=True).start()
    gateway = launch_gateway(popen_kwargs={"stdout": out, "stderr": err})
    before = properties(gateway.jvm)
    kernel.send(json.dumps({"pid": gateway.proc.pid}).encode())
    if rehearse(gateway, now.is_set):
        as_new(gateway.jvm, before)
    door = {"port": gateway.gateway_parameters.port, "secret": gateway.gateway_parameters.auth_token}
    socket.send_fds(kernel, [json.dumps(door).encode()], [gateway.proc.stdin.fileno()])
    adopted.wait()


if __name__ == "__main__":
    # The interrupt of a cell reaches all processes of a kernel, and is not meant for this one; PySpark would listen to it
    # in the main thread.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    work = threading.Thread(target=main, args=(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]), int(sys.argv[3])))
    work.start()
    work.join()
    os._exit(0)  # at once: what lives on has been given away, what has not ends with its standard input
