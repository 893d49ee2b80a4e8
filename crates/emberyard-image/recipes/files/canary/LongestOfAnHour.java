package dev.emberyard.canary;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Optional;

/** The longest wait of the last hour. A later one that is as long makes earlier ones forgotten, so few are held. */
final class LongestOfAnHour {
    private static final Duration KEPT = Duration.ofHours(1);

    /** When it began, and how long it was. */
    record Wait(Instant began, Duration length) {}

    private final ArrayDeque<Wait> waits = new ArrayDeque<>();

    synchronized void add(Wait wait) {
        while (!waits.isEmpty() && waits.getLast().length().compareTo(wait.length()) <= 0) {
            waits.removeLast();
        }
        waits.addLast(wait);
    }

    synchronized Optional<Wait> longest(Instant now) {
        while (!waits.isEmpty() && waits.getFirst().began().plus(KEPT).isBefore(now)) {
            waits.removeFirst();
        }
        return Optional.ofNullable(waits.peekFirst());
    }
}
