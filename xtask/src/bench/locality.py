import json, os, time, urllib.request
from pyspark.sql import SparkSession

BLOCK, FILES = 32 << 20, 8
builder = SparkSession.builder.config("spark.executor.instances", "@EXECUTORS@").config("spark.executor.cores", "1")
builder.config("spark.sql.files.maxPartitionBytes", BLOCK).config("spark.hadoop.dfs.blocksize", BLOCK)
builder.config("spark.hadoop.dfs.replication", "@REPLICATION@").config("spark.hadoop.parquet.block.size", BLOCK)
builder.config("spark.sql.parquet.compression.codec", "none").config("spark.sql.orc.compression.codec", "none")
if "@SHIM@" == "off":
    builder.config("spark.hadoop.emberyard.node.prefix", "0")
spark = builder.getOrCreate()
sc = spark.sparkContext
folder = "/user/hdfs/test/locality-@REPLICATION@"
# Who wrote which part, for sessions after this one.
notes = os.path.expanduser("~/locality-@REPLICATION@-{}.json")


def ask(path):
    port = sc.uiWebUrl.rsplit(":", 1)[1]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/applications/{sc.applicationId}/{path}") as answer:
        return json.load(answer)


def stages(wanted):
    """Stages that have ended, each with its tasks; the page is a little behind."""
    until = time.time() + 10
    while True:
        found = [stage for stage in ask("stages?status=complete") if wanted(stage)]
        lists = [ask(f"stages/{s['stageId']}/{s['attemptId']}/taskList?length=100000&status=SUCCESS") for s in found]
        if found and all(len(tasks) == s["numTasks"] for s, tasks in zip(found, lists)) or time.time() > until:
            return lists
        time.sleep(0.2)


def phase(name, work, wanted):
    """Does something between two quiet seconds, and tells what its tasks were."""
    last = max((stage["stageId"] for stage in ask("stages")), default=-1)
    time.sleep(1)
    begin = time.time()
    work()
    end = time.time()
    time.sleep(1)
    tasks = [task for tasks in stages(lambda s: s["stageId"] > last and s[wanted] > 0) for task in tasks]
    told = {"name": name, "begin": begin, "end": end, "tasks": len(tasks)}
    told["local"] = sum(task["taskLocality"] == "NODE_LOCAL" for task in tasks)
    metrics = wanted.replace("Bytes", "Metrics")
    told["bytes"] = sum(task["taskMetrics"][metrics]["bytes" + ("Read" if "input" in wanted else "Written")] for task in tasks)
    return told, tasks


def node(address):
    return address.split(":")[0].rsplit(".", 1)[0]


def blocks(path):
    """The number of each block's file, and the nodes that have a copy."""
    place = sc._jvm.org.apache.hadoop.fs.Path(path)
    files = place.getFileSystem(sc._jsc.hadoopConfiguration())
    for file in files.listStatus(place):
        part = file.getPath().getName()
        if part.startswith("part-"):
            for block in files.getFileBlockLocations(file.getPath(), 0, file.getLen()):
                yield part[5:10], {node(name) for name in block.getNames()}


def on_writers_node(path, writers):
    """Blocks of a folder's files, and those of them that have a copy on their writer's node."""
    found = [writers[part] in nodes for part, nodes in blocks(path)]
    return len(found), sum(found)


def attainable(path):
    """Percent of a folder's blocks that have a copy on a node with an executor."""
    executors = {node(one["hostPort"]) for one in ask("executors") if one["id"] != "driver"}
    found = [bool(nodes & executors) for _, nodes in blocks(path)]
    return 100 * sum(found) / len(found)


def tell(told):
    print("measured", json.dumps(told))


while sc._jsc.sc().getExecutorMemoryStatus().size() < @EXECUTORS@ + 1:
    time.sleep(0.2)
# The first task of an executor is slow, whatever it reads.
sc.parallelize(range(1000), 4 * @EXECUTORS@).map(lambda i: i).count()
if "@WRITE@" == "yes":
    rows = @MIB@ * 1024 // FILES * FILES
    text = "repeat(sha2(cast(id as string), 256), 15) as text"
    for form in ("csv", "parquet", "orc"):
        frame = spark.range(0, rows, 1, FILES).selectExpr("id", text)
        told, tasks = phase(f"write {form}", lambda: frame.write.mode("overwrite").format(form).save(f"{folder}/{form}"), "outputBytes")
        writers = {f"{task['index']:05}": node(task["host"]) for task in tasks}
        told["blocks"], told["near"] = on_writers_node(f"{folder}/{form}", writers)
        with open(notes.format(form), "w") as file:
            json.dump(writers, file)
        tell(told)
elif "@WRITE@" == "look":
    for form in ("csv", "parquet", "orc"):
        with open(notes.format(form)) as file:
            blocks, near = on_writers_node(f"{folder}/{form}", json.load(file))
        print("placed", json.dumps({"blocks": blocks, "near": near}))
else:
    schema = "id long, text string"
    whole = "sum(length(text))"
    read = {
        "read csv": lambda: spark.read.schema(schema).csv(f"{folder}/csv").selectExpr(whole).collect(),
        "read orc": lambda: spark.read.orc(f"{folder}/orc").selectExpr(whole).collect(),
        "read parquet": lambda: spark.read.parquet(f"{folder}/parquet").selectExpr(whole).collect(),
        "read shuffle": lambda: spark.read.schema(schema).csv(f"{folder}/csv").selectExpr("id % 1000 as part", "text").groupBy("part").agg({"text": "max"}).collect(),
        "read textFile": lambda: sc.textFile(f"{folder}/csv").count(),
    }
    for job in "@JOBS@".split():
        told, _ = phase(f"read {job}", read[f"read {job}"], "inputBytes")
        told["attainable"] = attainable(f"{folder}/{'parquet' if job == 'parquet' else 'orc' if job == 'orc' else 'csv'}")
        tell(told)
spark.stop()
