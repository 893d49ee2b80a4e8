//! What a kubelet decides: phases, restarts, probes, grace, volume plans.
