# Known ways out of a container, tried one after the other. Each must end in an error; one that does not prints GOT.
# Numbers of system calls are those of x86-64.
import ctypes
import json
import os
import re
import socket
import ssl
import stat
import subprocess
import time
import urllib.request

SECRET_FILE, SECRET, KEEPER, PORT, ABSTRACT, NEIGHBOUR = "@FILE@", "@SECRET@", @KEEPER@, @PORT@, "@ABSTRACT@", "@NEIGHBOUR@"
libc = ctypes.CDLL(None, use_errno=True)
tried = 0


class Refused(Exception):
    """What was tried did not work, without an error of the system's own."""


def attempt(name, work):
    global tried
    tried += 1
    try:
        got = work()
    except (Refused, OSError) as error:
        print(f"refused {name}: {type(error).__name__} {error}"[:200])
    else:
        print(f"GOT {name}: {got!r}"[:400])


def call(function, *arguments):
    """A call of the C library that must not succeed."""
    result = getattr(libc, function)(*arguments)
    if result == -1:
        raise OSError(ctypes.get_errno(), f"{function}: {os.strerror(ctypes.get_errno())}")
    return result


def processes():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


# The machine's files.
def reads(path):
    def work():
        with open(path, errors="replace") as file:
            if SECRET in file.read(1 << 20):
                return path
        raise Refused("another file has this name here")
    return work


attempt("a file of the machine", reads(SECRET_FILE))
attempt("the same above the root", reads("/../../../.." + SECRET_FILE))


def through_processes(entry):
    def work():
        for process in processes():
            try:
                reads(f"/proc/{process}/{entry}{SECRET_FILE}")()
            except (Refused, OSError):
                continue
            return process
        raise Refused(f"no process's {entry} leads to it")
    return work


for entry in ("root", "cwd"):
    attempt(f"the machine's files through a process's {entry}", through_processes(entry))


def through_descriptors():
    for process in processes():
        folder = f"/proc/{process}/fd"
        try:
            open_files = os.listdir(folder)
        except OSError:
            continue
        for number in open_files:
            try:
                reads(f"{folder}/{number}{SECRET_FILE}")()
                return f"{process}/{number}"
            except (Refused, OSError):
                continue
    raise Refused("no open folder leads to it")


attempt("the machine's files through open folders", through_descriptors)


def file_handle():
    # Handles of file systems' roots were the way of an early escape ("shocker").
    handle = (ctypes.c_ubyte * 16)(8, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0)
    mount = os.open("/", os.O_RDONLY)
    return call("open_by_handle_at", mount, handle, os.O_RDONLY)


attempt("files by their handles", file_handle)


# Other pods and the yard's own processes.
def neighbour():
    for process in processes():
        try:
            with open(f"/proc/{process}/cmdline", errors="replace") as file:
                if NEIGHBOUR in file.read() and process != os.getpid():
                    return process
        except OSError:
            continue
    raise Refused(f"it is not among {len(processes())} processes")


def is_keeper():
    with open(f"/proc/{KEEPER}/cmdline") as file:
        if "keeper" not in file.read():
            raise Refused("another process has this number here")


def kill_keeper():
    is_keeper()
    os.kill(KEEPER, 0)


def trace_keeper():
    is_keeper()
    call("ptrace", 16, KEEPER, 0, 0)


def read_keeper():
    is_keeper()
    with open(f"/proc/{KEEPER}/mem", "rb") as file:
        file.read(1)


def environments():
    for process in processes():
        try:
            with open(f"/proc/{process}/environ", errors="replace") as file:
                if SECRET in file.read():
                    return process
        except OSError:
            continue
    raise Refused("no process has it")


attempt("a neighbour's process", neighbour)
attempt("a signal to the yard's keeper", kill_keeper)
attempt("tracing the yard's keeper", trace_keeper)
attempt("the memory of the yard's keeper", read_keeper)
attempt("environments of others", environments)


# The network.
def abstract_socket():
    with socket.socket(socket.AF_UNIX) as one:
        one.connect("\0" + ABSTRACT)


def page(address):
    def work():
        with urllib.request.urlopen(f"http://{address}/", timeout=5) as answer:
            text = answer.read(1000).decode(errors="replace")
        if SECRET in text or "169.254" in address:
            return text
        raise Refused(f"another answers: {text[:40]!r}")
    return work


attempt("the machine's abstract sockets", abstract_socket)
for host in ("127.0.0.1", "machine.emberyard.internal", "10.41.0.1", "10.41.0.2", "10.42.0.1", "0.0.0.0", "[::1]"):
    attempt(f"the machine's loopback as {host}", page(f"{host}:{PORT}"))
attempt("the cloud's metadata", page("169.254.169.254"))
attempt("raw sockets", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
attempt("the kernel's audit log", lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 9).bind((0, 1)))


# The kernel's settings and devices.
def writes(path, text):
    def work():
        with open(path, "w") as file:
            file.write(text)
        if path.startswith("/dev/") and not stat.S_ISCHR(os.stat(path).st_mode):
            raise Refused("a file of the pod's own has this name")
        return path
    return work


for path, text in (
    ("/proc/sys/kernel/core_pattern", "|/tmp/x"),
    ("/proc/sys/kernel/modprobe", "/tmp/x"),
    ("/proc/sys/vm/overcommit_memory", "1"),
    ("/proc/sys/fs/binfmt_misc/register", ":x:M::x::/tmp/x:"),
    ("/proc/sysrq-trigger", "s"),
    ("/proc/irq/default_smp_affinity", "1"),
    ("/sys/kernel/uevent_helper", "/tmp/x"),
    ("/sys/power/state", "freeze"),
    ("/sys/fs/cgroup/release_agent", "/tmp/x"),
    ("/sys/fs/cgroup/cgroup.procs", "1"),
    ("/proc/1/oom_score_adj", "-1000"),
    ("/proc/self/oom_score_adj", "-1000"),
    ("/dev/kmsg", "x"),
):
    attempt(f"writing {path}", writes(path, text))
for path in ("/dev/mem", "/dev/kmem", "/dev/port", "/proc/kcore", "/proc/kpageflags", "/dev/vda", "/dev/sda", "/dev/fuse", "/dev/kvm"):
    attempt(f"reading {path}", lambda path=path: open(path, "rb").read(16))


def device(kind, numbers):
    def work():
        path = f"/tmp/device-{os.getpid()}"
        os.mknod(path, kind | 0o600, os.makedev(*numbers))
        try:
            return open(path, "rb").read(16)
        finally:
            os.unlink(path)
    return work


attempt("a disk's device", device(stat.S_IFBLK, (254, 0)))
attempt("the memory's device", device(stat.S_IFCHR, (1, 1)))

# Corners of the kernel. (Numbers: keyctl, perf_event_open, bpf, userfaultfd, io_uring_setup.)
attempt("the user's keys", lambda: call("syscall", 250, 0, -3, 0))
attempt("watching the processor", lambda: call("syscall", 298, bytes(128), 0, -1, -1, 0))
attempt("programs in the kernel", lambda: call("syscall", 321, 0, bytes(128), 128))
attempt("page faults of one's own", lambda: call("syscall", 323, 0))
attempt("the kernel's other door for files", lambda: call("syscall", 425, 1, bytes(120)))

# Rights.
attempt("mounting", lambda: call("mount", b"none", b"/mnt", b"tmpfs", 0, None))
attempt("unmounting", lambda: call("umount2", b"/proc", 2))
attempt("another root", lambda: call("chroot", b"/proc/1/root"))
attempt("a kernel module", lambda: call("syscall", 313, 0, b"", 0))
attempt("another kernel", lambda: call("syscall", 246, 0, 0, None, 0))
attempt("the machine's time", lambda: call("syscall", 227, 0, (ctypes.c_long * 2)(0, 0)))
attempt("the machine's name", lambda: call("sethostname", b"x", 1))
attempt("a restart", lambda: call("reboot", 0x01234567))
attempt("swap", lambda: call("swapon", b"/tmp", 0))
attempt("becoming root", lambda: os.setuid(0) if os.getuid() else call("syscall", 246, 0, 0, None, 0))
attempt("the namespaces of process 1", lambda: call("setns", os.open("/proc/1/ns/mnt", os.O_RDONLY), 0))


def set_user_id():
    with open("/proc/self/status") as file:
        status = dict(line.split(":\t", 1) for line in file if ":\t" in line)
    if status["NoNewPrivs"].strip() == "1" and int(status["CapEff"], 16) == 0:
        raise Refused("no program can give rights, and there are none")
    return status["CapEff"], status["NoNewPrivs"]


attempt("rights of programs", set_user_id)


def nested():
    """In a user namespace of one's own there are all rights; nothing of the machine may come with them."""
    code = f'''
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
uid, gid = os.getuid(), os.getgid()
if libc.unshare(0x10000000 | 0x00020000 | 0x20000000):  # user, mounts, processes
    sys.exit("unshare: " + os.strerror(ctypes.get_errno()))
for name, text in (("setgroups", "deny"), ("uid_map", f"0 {{uid}} 1"), ("gid_map", f"0 {{gid}} 1")):
    open("/proc/self/" + name, "w").write(text)
child = os.fork()
if child:
    sys.exit(os.waitpid(child, 0)[1])
print("ROOT", os.getuid())
for target in (b"/proc", b"/sys"):
    libc.mount(b"none", target, target[1:] + b"fs" * (target == b"/sys"), 0, None)
for path in ("/proc/sys/kernel/core_pattern", "/sys/kernel/uevent_helper", "/proc/sysrq-trigger"):
    try:
        open(path, "w").write("x"); print("WROTE", path)
    except OSError:
        pass
for process in filter(str.isdigit, os.listdir("/proc")):
    try:
        if {NEIGHBOUR!r} in open(f"/proc/{{process}}/cmdline").read(): print("SEES", process)
    except OSError:
        pass
'''
    # By standard input: a command line would be found by what it looks for.
    ran = subprocess.run(["python3", "-"], input=code, capture_output=True, text=True)
    if re.search("WROTE|SEES", ran.stdout):
        return ran.stdout
    raise Refused(ran.stderr.strip()[-80:] or ran.stdout.strip() + ": nothing of the machine came with it")


attempt("rights in a namespace of one's own", nested)

# The cluster, with the notebook's own token.
ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
with open(f"{ACCOUNT}/token") as file:
    TOKEN = file.read()
TRUSTED = ssl.create_default_context(cafile=f"{ACCOUNT}/ca.crt")


def api(path, body=None):
    request = urllib.request.Request(f"https://kubernetes.default.svc{path}", data=body and json.dumps(body).encode())
    request.add_header("Authorization", f"Bearer {TOKEN}")
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=20, context=TRUSTED) as answer:
        return answer.read().decode()


for path in (
    "/api/v1/secrets",
    "/api/v1/namespaces/kube-system/secrets",
    "/api/v1/namespaces/kube-system/pods",
    "/api/v1/nodes/node-1/proxy/pods",
    "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
):
    attempt(f"the cluster's {path}", lambda path=path: api(path)[:80])
BINDING = {
    "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "mine"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
    "subjects": [{"kind": "ServiceAccount", "namespace": "default", "name": "my-pyspark-notebook"}],
}
attempt("all rights", lambda: api("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", BINDING)[:80])


def privileged():
    """A pod that asks for all that belongs to its node, which on a cluster of machines is the machine."""
    look = f"cat /machine{SECRET_FILE} /proc/1/root{SECRET_FILE}; grep -l {NEIGHBOUR[:-1]}[{NEIGHBOUR[-1]}] /proc/*/cmdline; echo looked"
    pod = {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "privileged"},
        "spec": {
            "hostNetwork": True, "hostPID": True, "hostIPC": True, "restartPolicy": "Never",
            "volumes": [{"name": "machine", "hostPath": {"path": "/"}}],
            "containers": [{
                "name": "one", "image": "spark-py", "command": ["sh", "-c", look],
                "securityContext": {"privileged": True, "runAsUser": 0},
                "volumeMounts": [{"name": "machine", "mountPath": "/machine"}],
            }],
        },
    }
    pods = "/api/v1/namespaces/default/pods"
    api(pods, pod)
    until = time.time() + 60
    while json.loads(api(f"{pods}/privileged"))["status"]["phase"] not in ("Succeeded", "Failed"):
        if time.time() > until:
            raise Refused("it does not start: " + str(json.loads(api(f"{pods}/privileged"))["status"])[:150])
        time.sleep(0.2)
    log = api(f"{pods}/privileged/log")
    if SECRET in log or "cmdline" in log or "looked" not in log:
        return log
    raise Refused("a privileged pod sees nothing of the machine")


attempt("a privileged pod", privileged)


# As many as there may be. (Processes: greedy.py.)
def many_files():
    files = []
    try:
        while len(files) < 5_000_000:
            files.append(os.open("/dev/null", os.O_RDONLY))
    finally:
        for file in files:
            os.close(file)
    return len(files)


attempt("five million open files", many_files)
print("tried", tried)
