package dev.emberyard.canary;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * One use of the file system, from its beginning until it succeeded: mostly a look at a file, which asks the active NameNode and
 * leaves no trace in journals and logs; every few seconds, and whenever a look failed or was slow, the file is written and read.
 */
final class Beat {
    private static final Duration SLOW = Duration.ofMillis(250);
    private static final Duration WRITTEN_EVERY = Duration.ofSeconds(5);
    private static final long RETRY_MILLIS = 100;

    private final FileSystem files;
    private final Path path;
    private long written;
    /** By {@link System#nanoTime}. */
    private long lastWrite;

    Beat(Path path) throws IOException {
        this.path = path;
        this.files = path.getFileSystem(new Configuration());
    }

    /** Returns once the file system has done what was asked of it. */
    LongestOfAnHour.Wait once() throws InterruptedException {
        Instant began = Instant.now();
        long start = System.nanoTime();
        boolean writes = written == 0 || since(lastWrite).compareTo(WRITTEN_EVERY) >= 0;
        if (!writes) {
            writes = !looks() || since(start).compareTo(SLOW) >= 0;
        }
        while (writes && !writesAndReads()) {
            Thread.sleep(RETRY_MILLIS);
        }
        return new LongestOfAnHour.Wait(began, since(start));
    }

    private boolean looks() {
        try {
            files.getFileStatus(path);
            return true;
        } catch (IOException error) {
            return failed(error);
        }
    }

    private boolean writesAndReads() {
        byte[] text = ("written " + written + " times before\n").getBytes(StandardCharsets.UTF_8);
        try {
            // What an attempt that failed left open is written over.
            try (FSDataOutputStream out = files.create(path, true)) {
                out.write(text);
            }
            byte[] read = new byte[text.length];
            try (FSDataInputStream in = files.open(path)) {
                in.readFully(read);
            }
            if (!Arrays.equals(text, read)) {
                throw new IOException(path + " holds something else than was just written to it");
            }
        } catch (IOException error) {
            return failed(error);
        }
        written++;
        lastWrite = System.nanoTime();
        return true;
    }

    private static boolean failed(IOException error) {
        System.err.println(Instant.now() + " " + error);
        return false;
    }

    private static Duration since(long start) {
        return Duration.ofNanos(System.nanoTime() - start);
    }
}
