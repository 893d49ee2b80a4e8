"""Makes Spark's class-data archive: a real executor works for a real driver, another driver goes through what kernels let
theirs rehearse, and the classes that both loaded are dumped in the form in which the JVM maps them at its next start."""

import os
import pathlib
import subprocess
import sys
import tempfile
import threading

import pyspark
from pyspark.sql import SparkSession, functions

HERE = pathlib.Path("/opt/emberyard")
ARCHIVE = HERE / "archive"


def shell(script):
    """Runs a script that knows the functions of class-path.sh; returns what it prints."""
    text = f". {HERE}/class-path.sh; spark_class_path; archive_identity; {script}"
    return subprocess.run(["/bin/bash", "-c", text], check=True, capture_output=True, text=True).stdout


def start_driver(folder):
    """A driver without executors of its own, on the loopback."""
    os.environ.update(SPARK_LOCAL_IP="127.0.0.1", SPARK_LOCAL_HOSTNAME="localhost")
    conf = pyspark.SparkConf().setMaster("local-cluster[0,1,1024]").setAppName("training")
    conf.set("spark.driver.host", "127.0.0.1").set("spark.driver.bindAddress", "127.0.0.1")
    conf.set("spark.ui.enabled", "false").set("spark.ui.showConsoleProgress", "false")
    conf.set("spark.sql.warehouse.dir", f"{folder}/warehouse")
    conf.set("spark.sql.shuffle.partitions", "2").set("spark.default.parallelism", "2")
    conf.set("spark.sql.execution.arrow.pyspark.enabled", "true")
    conf.set("spark.python.worker.reuse", "true")
    return SparkSession.builder.config(conf=conf).getOrCreate()


def start_executor(context, folder, classes):
    """An executor as Spark's pods start it, which notes the classes it loads."""
    port = context.getConf().get("spark.driver.port")
    env = dict(os.environ)
    env.update(
        SPARK_DRIVER_URL=f"spark://CoarseGrainedScheduler@127.0.0.1:{port}",
        SPARK_EXECUTOR_ID="1",
        SPARK_EXECUTOR_CORES="1",
        SPARK_EXECUTOR_MEMORY="1024m",
        SPARK_APPLICATION_ID=context.applicationId,
        SPARK_EXECUTOR_POD_IP="127.0.0.1",
        SPARK_EXECUTOR_POD_NAME="training-exec-1",
        SPARK_LOCAL_DIRS=f"{folder}/local",
        SPARK_JAVA_OPT_0=f"-Dspark.driver.port={port}",
        SPARK_JAVA_OPT_1=f"-XX:DumpLoadedClassList={classes}",
    )
    for number, option in enumerate(module_options(), 2):
        env[f"SPARK_JAVA_OPT_{number}"] = option
    return subprocess.Popen(["/opt/entrypoint.sh", "executor"], env=env, cwd=folder)


def give_up_with(executor, done):
    """Without its executor the driver would wait for ever."""

    def watch():
        code = executor.wait()
        if not done.is_set():
            print(f"the training executor ended in mid-work with exit code {code}", flush=True)
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def module_options():
    """The options that Spark gives every JVM so that it may look into Java's own modules."""
    options = pyspark.SparkContext._jvm.org.apache.spark.launcher.JavaModuleOptions.defaultModuleOptions()
    return options.split()


def work(spark, folder):
    """What most sessions do: Python tasks, shuffles, data frames, files, Arrow."""
    context = spark.sparkContext
    assert context.parallelize(range(100000), 4).sum() == 4999950000
    context.parallelize(range(1000), 4).map(lambda i: (i % 7, i)).reduceByKey(lambda a, b: a + b).collect()
    frame = context.parallelize(range(10000)).map(lambda i: (i, i * 2)).toDF(["a", "b"]).cache()
    frame.groupBy((frame.a % 10).alias("k")).agg(functions.sum("b")).collect()
    frame.join(frame.withColumnRenamed("b", "c"), "a").orderBy("c").limit(5).collect()
    for form in ("csv", "parquet", "json"):
        frame.write.format(form).save(f"{folder}/{form}")
        spark.read.format(form).load(f"{folder}/{form}").count()
    twice = functions.pandas_udf(lambda column: column * 2, "long")
    frame.select(twice("a").alias("t")).groupBy().sum("t").collect()
    frame.toPandas()


def rehearse(classes):
    """A driver of its own Python, which notes the classes it loads."""
    class_path = shell('printf "%s" "$CLASS_PATH"')
    options = f"-cp {class_path}:{os.environ['SPARK_HOME']}/conf -XX:DumpLoadedClassList={classes}"
    command = [sys.executable, "-B", "-c", "import spark_rehearsal; spark_rehearsal.alone()"]
    subprocess.run(command, check=True, cwd=HERE, env={**os.environ, "SPARK_SUBMIT_OPTS": options})


def merge(lists, merged):
    """One list of classes from several, each line once."""
    lines = [line for path in lists for line in pathlib.Path(path).read_text().splitlines()]
    pathlib.Path(merged).write_text("\n".join(dict.fromkeys(lines)) + "\n")


def dump(classes):
    """Writes the archive. The default collector must dump: only it stores the module graph and strings as well."""
    ARCHIVE.mkdir(exist_ok=True)
    shell(
        '"$JAVA_HOME/bin/java" -Xshare:dump -XX:+UseG1GC -Xlog:disable -Xlog:all=error:stderr '
        f'-XX:SharedClassListFile={classes} -XX:SharedArchiveFile="$EMBERYARD_ARCHIVE" -cp "$CLASS_PATH"'
    )
    (ARCHIVE / "trained-for").write_text(shell('printf "%s" "$IDENTITY"'))


def main():
    with tempfile.TemporaryDirectory() as folder:
        classes = f"{folder}/classes"
        spark = start_driver(folder)
        executor = start_executor(spark.sparkContext, folder, classes)
        done = threading.Event()
        give_up_with(executor, done)
        work(spark, folder)
        done.set()
        spark.stop()
        if executor.wait(timeout=60) != 0:
            raise SystemExit("the training executor did not end by itself")
        rehearse(f"{folder}/driver-classes")
        merge([classes, f"{folder}/driver-classes"], f"{folder}/all-classes")
        dump(f"{folder}/all-classes")
    size = (ARCHIVE / "spark.jsa").stat().st_size
    print(f"class-data archive: {size >> 20} MiB")


main()
