# Writes to HDFS and notes what was acknowledged, through the JVM and the settings that this kernel's Spark sessions have.
import hashlib
import json
import os
import threading
import time

from pyspark import SparkContext

CHUNK, CHUNKS, SMALL, PAUSE = 4096, 64, 1024, 0.05


def open_file_system(name):
    """The file system, once sessions know it: their settings come into the pod a moment after the HDFS is there."""
    settings = os.path.join(os.environ["SPARK_CONF_DIR"], "spark-defaults.conf")
    until = time.monotonic() + 60
    while f"spark.hadoop.fs.defaultFS hdfs://{name}\n" not in open(settings).read():
        if time.monotonic() > until:
            raise TimeoutError(f"{settings} does not name hdfs://{name}")
        time.sleep(0.1)
    SparkContext._ensure_initialized()
    java = SparkContext._jvm
    hadoop = java.org.apache.spark.deploy.SparkHadoopUtil.get().newConfiguration(java.org.apache.spark.SparkConf())
    return java, java.org.apache.hadoop.fs.FileSystem.newInstance(hadoop)


def content(path, length):
    return hashlib.shake_128(path.encode()).digest(length)


def why(error):
    java_error = getattr(error, "java_exception", None)
    return (str(error) if java_error is None else java_error.toString()).splitlines()[0][:300]


class Writer(threading.Thread):
    """Writes files until told to stop. `stall` is the longest time between two acknowledgements since it was last reset."""

    def __init__(self, folder):
        super().__init__(daemon=True)
        self.folder, self.files, self.failed = folder, [], []
        self.over, self.acks, self.last, self.stall = threading.Event(), 0, time.monotonic(), 0.0

    def acknowledged(self):
        now = time.monotonic()
        self.stall, self.last, self.acks = max(self.stall, now - self.last), now, self.acks + 1

    def reset(self):
        self.stall = 0.0

    def run(self):
        number = 0
        while not self.over.is_set():
            number += 1
            try:
                self.write(f"{self.folder}-{number}")
            except Exception as error:
                self.failed.append(f"{self.folder}-{number}: {why(error)}")
            time.sleep(PAUSE)


class Small(Writer):
    """A whole file each time: the NameNode is asked for each step."""

    def write(self, path):
        out = fs.create(java.org.apache.hadoop.fs.Path(path), False)
        out.write(content(path, SMALL))
        out.close()
        self.files.append({"path": path, "length": SMALL, "closed": True})
        self.acknowledged()


class Stream(Writer):
    """Files that stay open for seconds, so that a pipeline of DataNodes is always in use; each `hflush` counts."""

    def write(self, path):
        data = content(path, CHUNK * CHUNKS)
        out = fs.create(java.org.apache.hadoop.fs.Path(path), False)
        file = {"path": path, "length": 0, "closed": False}
        for place in range(0, len(data), CHUNK):
            out.write(data[place : place + CHUNK])
            out.hflush()
            if not file["length"]:
                self.files.append(file)
            file["length"] = place + CHUNK
            self.acknowledged()
            if self.over.is_set():
                break
            time.sleep(PAUSE)
        out.close()
        file["closed"] = True
        self.acknowledged()


def begin(folder):
    """Writers that are past their first, slow acknowledgements."""
    global writers
    writers = [Small(f"{folder}/small"), Stream(f"{folder}/stream")]
    for writer in writers:
        writer.start()
    until = time.monotonic() + 60
    while any(writer.acks < 20 for writer in writers):
        if time.monotonic() > until:
            raise TimeoutError(f"nothing could be written to {folder}: {[writer.failed[-1:] for writer in writers]}")
        time.sleep(0.05)
    for writer in writers:
        writer.reset()


def end():
    """What was acknowledged, and what it was like."""
    for writer in writers:
        writer.stall = max(writer.stall, time.monotonic() - writer.last)
        writer.over.set()
    for writer in writers:
        writer.join(90)
        if writer.is_alive():
            writer.failed.append(f"{writer.folder}: a write did not end")
            writer.stall = max(writer.stall, time.monotonic() - writer.last)
    said = {
        "files": [file for writer in writers for file in writer.files],
        "stall": round(1000 * max(writer.stall for writer in writers)),
        "failed": [why for writer in writers for why in writer.failed],
    }
    print(json.dumps(said))


def difference(file):
    """What is wrong with a file; None if it is as it was written."""
    path, length = java.org.apache.hadoop.fs.Path(file["path"]), file["length"]
    if not file["closed"]:
        until = time.monotonic() + 60
        while not fs.recoverLease(path) and time.monotonic() < until:
            time.sleep(0.5)
    there = fs.getFileStatus(path).getLen()
    if there < length or (file["closed"] and there > length):
        return f"{there} of {length} bytes"
    read = fs.open(path)
    try:
        if file["closed"]:
            digest = java.java.security.MessageDigest.getInstance("SHA-256")
            stream = java.java.security.DigestInputStream(read, digest)
            stream.transferTo(java.java.io.OutputStream.nullOutputStream())
            seen = bytes(digest.digest())
        else:
            seen = hashlib.sha256(bytes(read.readNBytes(length))).digest()
    finally:
        read.close()
    return None if seen == hashlib.sha256(content(file["path"], length)).digest() else "other bytes"


def compare(files):
    """Reads files back; prints what is not as it was written."""
    lost = []
    for file in files:
        try:
            found = difference(file)
        except Exception as error:
            found = why(error)
        if found:
            lost.append(f"{file['path']}: {found}")
    print(json.dumps(lost))


def remove(paths):
    for path in paths:
        fs.delete(java.org.apache.hadoop.fs.Path(path), True)
