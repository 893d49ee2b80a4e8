"""Fills the disk that its container is on."""

print("filling", flush=True)
try:
    with open("/tmp/everything", "wb", buffering=0) as file:
        while True:
            file.write(bytes(1 << 20))
except OSError as error:
    print("told:", error.strerror, flush=True)

import time

time.sleep(300)
