# Servers on the pod's own loopback: one says all back at once, one when it has read all, one never reads nor ends.
import socket
import threading


def echo(peer):
    while piece := peer.recv(65536):
        peer.sendall(piece)
    peer.close()


def later(peer):
    seen = bytearray()
    while piece := peer.recv(65536):
        seen += piece
    peer.sendall(seen)
    peer.close()


def flood(peer):
    while True:
        peer.sendall(b"x" * 65536)


def serve(port, answer):
    server = socket.create_server(("127.0.0.1", port))
    while True:
        threading.Thread(target=answer, args=(server.accept()[0],), daemon=True).start()


for port, answer in [(7002, flood), (7001, later), (7000, echo)]:
    threading.Thread(target=serve, args=(port, answer)).start()
