"""Takes more processes, sockets and output than it should get; says what it got."""

import os
import signal
import socket
import subprocess
import time

# Forks wildly: a shell that starts processes until it may start no more.
bomb = subprocess.Popen(["sh", "-c", "while :; do sleep 1000 & done"], stderr=subprocess.PIPE, start_new_session=True)
said = bomb.stderr.readline().decode()
print("forks:", said.strip(), flush=True)
time.sleep(3)  # the pod is at its limit, others must not notice
os.killpg(bomb.pid, signal.SIGKILL)
bomb.wait()
until = time.time() + 20
while True:  # the killed ones go one after the other
    try:
        again = subprocess.run(["echo", "yes"], capture_output=True, text=True).stdout.strip()
        break
    except OSError as error:
        assert time.time() < until, error
        time.sleep(0.1)
print("forks again:", again, flush=True)

# Opens ten thousand sockets to the API server.
host, port = os.environ["KUBERNETES_SERVICE_HOST"], int(os.environ["KUBERNETES_SERVICE_PORT"])
held, refused, until = [], None, time.time() + 20
while len(held) < 10_000 and refused is None and time.time() < until:
    try:
        held.append(socket.create_connection((host, port), timeout=2))
    except OSError as error:
        refused = error
print("sockets:", len(held), refused, flush=True)
time.sleep(3)
for one in held:
    one.close()

# Prints a gigabyte.
line = "x" * 1_000_000
for _ in range(1000):
    print(line)
print("\nprinted", flush=True)
