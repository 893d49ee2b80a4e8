"""What is decided about the start of a Spark driver, as functions of values.

A driver JVM that was started early may be given to a context only if the context would have started the very same. What
Spark reads when its JVM starts, and what it reads once and keeps for good, must be as it was.
"""

import json
import os
import re

# Read by `spark-submit`, or by classes when they are first loaded: too late for a JVM that runs.
AT_START = re.compile(
    r"spark\.(driver\.(memory|defaultJavaOptions|extra\w+|userClassPathFirst)|jars|files|archives|local\.dir|remote|api\.mode)$"
    r"|spark\.(driver\.log|jars|submit|kerberos|yarn|log|pyspark|hadoop\.hadoop|sql\.codegen\.cache)\."
    r"|spark\.network\.sharedByteBufAllocators\."
    r"|.*\.(maxThreadThreshold|preferDirectBufs)$"
)
USUAL_MASTER = re.compile(r"k8s://|local\b|spark://")
# Set by the shell, the terminal or libraries; no JVM looks at them.
NOT_FOR_SPARK = re.compile(r"_$|OLDPWD$|SHLVL$|LINES$|COLUMNS$|MPL|PYDEVD_|KMP_|OMP_|MKL_|TF_|TOKENIZERS_|TQDM_")

LOCALITY = "/opt/emberyard/locality.jar"  # the image's own, behind Spark's jars: in the archive too

ENOUGH_MIB = 1536  # what must be free for a JVM that nobody asked for
SHORT_MIB = 512  # below this it goes


def environment(variables):
    """What of an environment counts for Spark."""
    return {name: value for name, value in variables.items() if not NOT_FOR_SPARK.match(name)}


def config_files(variables, spark_home):
    """Each file that a starting driver reads its configuration from, with what tells a changed one."""
    folders = [variables.get("SPARK_CONF_DIR") or os.path.join(spark_home, "conf")]
    folders += [variables[name] for name in ("HADOOP_CONF_DIR", "YARN_CONF_DIR") if variables.get(name)]
    found = {}
    for folder in folders:
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                state = os.stat(path)
                found[path] = (state.st_mtime_ns, state.st_size)
    return found


def defaults(text):
    """The settings of a properties file, as far as spark-defaults.conf is written in practice: one a line."""
    found = (re.match(r"\s*(spark\.[^\s=:]+)\s*[\s=:]\s*(.*?)\s*$", line) for line in text.splitlines())
    return {line[1]: line[2] for line in found if line}


def why_cold(wanted, defaults, before, now):
    """Why a context needs a JVM of its own; None when the warm one is what it would have started.

    `wanted`: the settings of the user's code; `defaults`: what the warm JVM was started with; `before` and `now`: what
    surrounds both, by name.
    """
    for part, value in before.items():
        if now[part] != value:
            return f"{part} changed since the kernel's start"
    for key, value in wanted.items():
        if AT_START.match(key) and defaults.get(key) != value:
            return f"{key} counts when the JVM starts"
    if not USUAL_MASTER.match(wanted.get("spark.master", "local")):
        return "the master needs more of spark-submit"
    return None


def uses_spark(notebook):
    """Whether a notebook, given as its file's text, will want a driver. One without code has not told yet."""
    try:
        cells = [cell for cell in json.loads(notebook)["cells"] if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError):
        return True
    code = "\n".join("".join(cell.get("source") or "") for cell in cells)
    return not code.strip() or "spark" in code.lower()


def free_mib(meminfo):
    """What /proc/meminfo says is to be had; all there is when it doesn't."""
    found = re.search(r"^MemAvailable:\s+(\d+) kB", meminfo, re.M)
    return int(found[1]) // 1024 if found else ENOUGH_MIB


def archive_options(variables, settings, files, archive, fits):
    """Options for `spark-submit`'s JVM to start from a class-data archive, in the form of SPARK_SUBMIT_OPTS.

    The JVM takes an archive only if its class path begins with the archive's own. Spark's begins with a folder, so it is
    given anew, the same jars first; None where the user has a class path of his own. `settings`: names of those
    of the user's code and of spark-defaults.
    `fits(class path)` tells whether the archive was made for this Java and these jars.
    """
    if any(variables.get(name) for name in ("SPARK_SUBMIT_OPTS", "SPARK_PREPEND_CLASSES")):
        return None
    behind = variables.get("SPARK_DIST_CLASSPATH", "")
    if behind not in ("", LOCALITY):
        return None
    if re.search("--(driver-class-path|properties-file)", variables.get("PYSPARK_SUBMIT_ARGS", "")):
        return None
    if "spark.driver.extraClassPath" in settings:
        return None
    if any(os.path.basename(path) in ("spark-env.sh", "java-opts") for path in files):
        return None
    home = variables.get("SPARK_HOME", "")
    jars = os.path.join(home, "jars")
    if not home or not os.path.isdir(jars):
        return None
    in_order = [os.path.join(jars, name) for name in sorted(os.listdir(jars)) if name.endswith(".jar")]
    class_path = ":".join(in_order + [behind] * bool(behind))
    if not fits(class_path):
        return None
    folders = [variables.get("SPARK_CONF_DIR") or os.path.join(home, "conf")]
    folders += [variables[name] for name in ("HADOOP_CONF_DIR", "YARN_CONF_DIR") if variables.get(name)]
    if any(re.search(r"""[\s"'\\:*]""", folder) for folder in folders):
        return None
    return (f"-cp {':'.join([class_path, *folders])} -XX:SharedArchiveFile={archive} -Xshare:auto "
            "-XX:+UnlockDiagnosticVMOptions -XX:ArchiveRelocationMode=0 -XX:-UsePerfData")
