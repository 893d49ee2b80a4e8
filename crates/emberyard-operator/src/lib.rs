//! Watches to World, plans to requests: sessions and fleet on any cluster.
