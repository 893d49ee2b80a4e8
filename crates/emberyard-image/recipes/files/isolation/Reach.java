package dev.emberyard.isolation;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;

/** When a server was reached last. It is asked all the time, on a thread of its own: a name that nobody tells holds up no other. */
final class Reach {
    private static final int PATIENCE_MILLIS = 500;
    private static final long PAUSE_MILLIS = 250;

    private final String host;
    private final int port;
    /** When the last try that succeeded began, by {@link System#nanoTime}. */
    private volatile long reached = System.nanoTime();

    Reach(String host, int port) {
        this.host = host;
        this.port = port;
        Thread asks = new Thread(this::ask, "reach " + host);
        asks.setDaemon(true);
        asks.start();
    }

    boolean isWithin(long millis) {
        return System.nanoTime() - reached <= millis * 1_000_000;
    }

    private void ask() {
        while (true) {
            long began = System.nanoTime();
            try (Socket socket = new Socket()) {
                // Its name is asked anew: a pod that comes back has another address.
                socket.connect(new InetSocketAddress(host, port), PATIENCE_MILLIS);
                reached = began;
            } catch (IOException e) {
                // It was not reached.
            }
            try {
                Thread.sleep(PAUSE_MILLIS);
            } catch (InterruptedException e) {
                return;
            }
        }
    }
}
