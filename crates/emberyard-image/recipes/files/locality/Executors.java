package dev.emberyard.locality;

import java.util.ArrayList;
import java.util.List;
import org.apache.spark.SparkEnv;
import org.apache.spark.storage.BlockManagerId;
import scala.collection.Iterator;

/** The executors of the Spark application that this JVM is part of, as driver or as executor. */
final class Executors {
    /** A folder of a thousand files is one question. */
    private static final long FRESH_NANOS = 200_000_000;

    private static List<String> known = List.of();
    private static long asked = System.nanoTime() - FRESH_NANOS;

    private Executors() {}

    /** Their addresses; none where there is no Spark, or any doubt. */
    static synchronized List<String> addresses() {
        if (System.nanoTime() - asked >= FRESH_NANOS) {
            known = ask();
            asked = System.nanoTime();
        }
        return known;
    }

    private static List<String> ask() {
        try {
            SparkEnv spark = SparkEnv.get();
            if (spark == null) {
                return List.of();
            }
            List<String> found = new ArrayList<>();
            // The master of the blocks knows an executor before any task is given to it.
            Iterator<BlockManagerId> all = spark.blockManager().master().getMemoryStatus().keysIterator();
            while (all.hasNext()) {
                BlockManagerId one = all.next();
                if (!one.isDriver()) {
                    found.add(one.host());
                }
            }
            return found;
        } catch (Exception | LinkageError doubt) {
            // Scala throws what Java would have to declare.
            if (doubt instanceof InterruptedException) {
                Thread.currentThread().interrupt();
            }
            return List.of();
        }
    }
}
