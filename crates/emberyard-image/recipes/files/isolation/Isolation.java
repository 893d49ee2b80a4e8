package dev.emberyard.isolation;

import java.net.URI;
import java.util.List;
import java.util.stream.Stream;
import org.apache.hadoop.hdfs.DFSConfigKeys;
import org.apache.hadoop.hdfs.server.namenode.NameNode;
import org.apache.hadoop.util.ServicePlugin;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends an active NameNode that reaches no majority of its JournalNodes any more. The other one becomes active then, and JournalNodes
 * refuse this one's writes; but until it writes it goes on to answer readers, with what was before, and those that reach it
 * again when the network is back would not know. It is over before the other one can be active: that takes ZooKeeper's session
 * without a heartbeat, and a call to this one that is not answered.
 */
public final class Isolation implements ServicePlugin {
    /** How long a majority may be out of reach, in milliseconds; not set where a NameNode has no other beside it. */
    private static final String LIMIT = "emberyard.isolation.limit.ms";
    private static final Logger LOG = LoggerFactory.getLogger(Isolation.class);
    private static final long TICK_MILLIS = 50;

    @Override
    public void start(Object service) {
        NameNode nameNode = (NameNode) service;
        long limit = nameNode.getConf().getLong(LIMIT, 0);
        String journal = nameNode.getConf().get(DFSConfigKeys.DFS_NAMENODE_SHARED_EDITS_DIR_KEY, "");
        if (limit == 0 || !journal.startsWith("qjournal:")) {
            return;
        }
        List<Reach> journals = Stream.of(URI.create(journal).getAuthority().split(";")).map(Isolation::reach).toList();
        Thread watch = new Thread(() -> watch(nameNode, journals, limit), "isolation");
        watch.setDaemon(true);
        watch.start();
    }

    private static Reach reach(String address) {
        int colon = address.lastIndexOf(':');
        return new Reach(address.substring(0, colon), Integer.parseInt(address.substring(colon + 1)));
    }

    /** A process that stood still for so long has reached nobody meanwhile, and ends as well. */
    private static void watch(NameNode nameNode, List<Reach> journals, long limit) {
        while (true) {
            long reached = journals.stream().filter(journal -> journal.isWithin(limit)).count();
            if (2 * reached <= journals.size() && nameNode.isActiveState()) {
                LOG.error("{} of {} JournalNodes were reached within {} ms: another NameNode may be active. This one ends, so that"
                        + " it tells nobody what was before.", reached, journals.size(), limit);
                Runtime.getRuntime().halt(1);
            }
            try {
                Thread.sleep(TICK_MILLIS);
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    @Override
    public void stop() {
        // The process ends.
    }

    @Override
    public void close() {
        // The process ends.
    }
}
