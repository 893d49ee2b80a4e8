package dev.emberyard.locality;

import java.io.IOException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.apache.hadoop.fs.BlockLocation;

/**
 * Where a block is, with the executors on its nodes in the place of its DataNodes.
 *
 * <p>In their place and not beside them: Spark keeps three hosts of a task, and would keep DataNodes that match nothing.
 * Asked for when it is needed, because Spark keeps what a folder lists, and executors come later.
 */
final class NodeAwareLocation extends BlockLocation {
    private static final long serialVersionUID = 1;

    private final transient NodePrefix prefix;
    private final transient String[] dataNodes;
    private final transient String[] dataNodePaths;

    private NodeAwareLocation(BlockLocation block, NodePrefix prefix) throws IOException {
        super(block);
        this.prefix = prefix;
        dataNodes = super.getHosts();
        dataNodePaths = super.getTopologyPaths();
        settle(this);
    }

    /** As of now, in the fields: Hadoop's readers of text copy these and ask nobody. */
    private void settle(BlockLocation of) throws IOException {
        of.setHosts(getHosts());
        of.setTopologyPaths(getTopologyPaths());
    }

    static BlockLocation[] all(BlockLocation[] blocks, NodePrefix prefix) throws IOException {
        if (blocks == null || !prefix.known()) {
            return blocks;
        }
        BlockLocation[] all = new BlockLocation[blocks.length];
        for (int i = 0; i < all.length; i++) {
            all[i] = new NodeAwareLocation(blocks[i], prefix);
        }
        return all;
    }

    @Override
    public String[] getHosts() throws IOException {
        Set<String> near = near();
        return near.isEmpty() ? dataNodes : near.toArray(new String[0]);
    }

    // Readers of text ask these where a task covers more than a block.
    @Override
    public String[] getTopologyPaths() throws IOException {
        Set<String> near = near();
        return near.isEmpty()
                ? dataNodePaths
                : near.stream().map(host -> prefix.rack(host) + "/" + host).toArray(String[]::new);
    }

    /**
     * The session's executors on nodes that have the block. DataNodes are known by address and port, which the NameNode
     * sees; their hosts are what they said when they first came, and stay so when their pods come again elsewhere.
     */
    private Set<String> near() throws IOException {
        Set<String> near = new LinkedHashSet<>();
        List<String> executors = Executors.addresses();
        for (String dataNode : getNames()) {
            String address = dataNode.substring(0, Math.max(0, dataNode.lastIndexOf(':')));
            for (String executor : executors) {
                if (prefix.sameNode(address, executor)) {
                    near.add(executor);
                }
            }
        }
        return near;
    }

    /** Whoever gets it from another JVM may not know this class. */
    private Object writeReplace() throws IOException {
        BlockLocation plain = new BlockLocation(this);
        settle(plain);
        return plain;
    }
}
