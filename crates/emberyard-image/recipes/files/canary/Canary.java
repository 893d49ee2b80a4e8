package dev.emberyard.canary;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.apache.hadoop.fs.Path;

/**
 * Uses a file system all the time, as a client would, and tells over HTTP how long a client had to wait. What comes before the
 * first success is a start, not a wait.
 */
public final class Canary {
    private static final long PAUSE_MILLIS = 250;

    private final LongestOfAnHour longest = new LongestOfAnHour();
    /** When the use began that has not succeeded yet; null between two. */
    private volatile Instant waitingSince;
    private volatile boolean served;

    public static void main(String[] arguments) throws IOException, InterruptedException {
        if (arguments.length != 2) {
            System.err.println("usage: canary PORT FILE");
            System.exit(2);
        }
        Canary canary = new Canary();
        HttpServer server = HttpServer.create(new InetSocketAddress(Integer.parseInt(arguments[0])), 0);
        server.createContext("/", canary::tell);
        server.start();
        canary.run(new Beat(new Path(arguments[1])));
    }

    private void run(Beat beat) throws InterruptedException {
        while (true) {
            waitingSince = Instant.now();
            LongestOfAnHour.Wait wait = beat.once();
            waitingSince = null;
            if (served) {
                longest.add(wait);
            }
            served = true;
            Thread.sleep(PAUSE_MILLIS);
        }
    }

    private void tell(HttpExchange exchange) throws IOException {
        byte[] page = page().getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(200, page.length);
        try (OutputStream body = exchange.getResponseBody()) {
            body.write(page);
        }
    }

    private String page() {
        Instant now = Instant.now();
        Instant since = waitingSince;
        String waiting = since == null ? "null" : wait(since, Duration.between(since, now));
        Optional<String> ofTheHour = longest.longest(now).map(wait -> wait(wait.began(), wait.length()));
        return "{\"served\": " + served + ", \"waiting\": " + waiting + ", \"longest\": " + ofTheHour.orElse("null") + "}\n";
    }

    private static String wait(Instant began, Duration length) {
        return "{\"began\": \"" + began + "\", \"millis\": " + length.toMillis() + "}";
    }
}
