package dev.emberyard.locality;

import java.io.IOException;
import java.net.URI;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.BlockLocation;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.PathFilter;
import org.apache.hadoop.fs.RemoteIterator;
import org.apache.hadoop.hdfs.DistributedFileSystem;

/**
 * HDFS, as a session on Kubernetes sees it: a block is also where the session's executors on its node are.
 *
 * <p>Spark compares the host of an executor, which is the address of its pod, with the hosts of a block, which are the
 * addresses of the DataNodes' pods. These are never the same, so nothing would be local. Here blocks answer with the
 * executors beside their DataNodes. All else is HDFS's own.
 */
public final class NodeAwareFileSystem extends DistributedFileSystem {
    /** How many bits of a pod's address tell its node. Without this setting everything is as HDFS says. */
    public static final String PREFIX = "emberyard.node.prefix";

    private NodePrefix prefix = NodePrefix.UNKNOWN;

    @Override
    public void initialize(URI uri, Configuration conf) throws IOException {
        super.initialize(uri, conf);
        prefix = NodePrefix.parse(conf.get(PREFIX));
    }

    // Hadoop asks for a file's status, or for its path, and comes here from both.
    @Override
    public BlockLocation[] getFileBlockLocations(Path path, long start, long length) throws IOException {
        return NodeAwareLocation.all(super.getFileBlockLocations(path, start, length), prefix);
    }

    @Override
    protected RemoteIterator<LocatedFileStatus> listLocatedStatus(Path path, PathFilter filter) throws IOException {
        RemoteIterator<LocatedFileStatus> files = super.listLocatedStatus(path, filter);
        if (!prefix.known()) {
            return files;
        }
        return new RemoteIterator<LocatedFileStatus>() {
            @Override
            public boolean hasNext() throws IOException {
                return files.hasNext();
            }

            @Override
            public LocatedFileStatus next() throws IOException {
                LocatedFileStatus file = files.next();
                BlockLocation[] blocks = file.getBlockLocations();
                return blocks == null || blocks.length == 0
                        ? file
                        : new LocatedFileStatus((FileStatus) file, NodeAwareLocation.all(blocks, prefix));
            }
        };
    }
}
