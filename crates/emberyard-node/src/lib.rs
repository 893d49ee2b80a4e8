//! Node agent, pod network, DNS, service forwarding.
