package dev.emberyard.locality;

/** How many bits of a pod's address tell the node it is on: every node has a range of addresses, and all are of one size. */
final class NodePrefix {
    static final NodePrefix UNKNOWN = new NodePrefix(0);

    private final int bits;

    private NodePrefix(int bits) {
        this.bits = bits;
    }

    static NodePrefix parse(String text) {
        try {
            int bits = text == null ? 0 : Integer.parseInt(text.trim());
            return bits > 0 && bits < 32 ? new NodePrefix(bits) : UNKNOWN;
        } catch (NumberFormatException notANumber) {
            return UNKNOWN;
        }
    }

    boolean known() {
        return bits > 0;
    }

    /** Whether two addresses are of one node; names are of none. */
    boolean sameNode(String one, String other) {
        long first = network(one);
        return known() && first >= 0 && first == network(other);
    }

    /** What HDFS calls the place of an address, as the NameNodes' script has it. */
    String rack(String address) {
        long network = network(address);
        return "/" + (network >> 24) + "." + (network >> 16 & 255) + "." + (network >> 8 & 255) + "." + (network & 255);
    }

    /** The address of the node's range, as a number; negative where this is no IPv4 address. */
    private long network(String text) {
        String[] parts = text.split("\\.", -1);
        if (parts.length != 4) {
            return -1;
        }
        long address = 0;
        for (String part : parts) {
            if (!part.matches("[0-9]{1,3}") || Integer.parseInt(part) > 255) {
                return -1;
            }
            address = address << 8 | Integer.parseInt(part);
        }
        return address >> 32 - bits << 32 - bits;
    }
}
