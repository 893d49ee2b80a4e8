//! Ranges of addresses.

use std::fmt;
use std::net::Ipv4Addr;

/// A range of IPv4 addresses that begin with the same bits (CIDR, RFC 4632).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Block {
    address: Ipv4Addr,
    prefix: u8,
}

impl Block {
    /// All addresses.
    pub const ALL: Self = Self { address: Ipv4Addr::UNSPECIFIED, prefix: 0 };

    /// The range of the first `prefix` bits (32 at most) of an address.
    pub const fn new(address: Ipv4Addr, prefix: u8) -> Self {
        let prefix = if prefix > 32 { 32 } else { prefix };
        Self { address: Ipv4Addr::from_bits(address.to_bits() & mask(prefix)), prefix }
    }

    /// Reads `10.42.0.0/16`; `None` for anything else, IPv6 included.
    pub fn read(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/')?;
        let prefix = prefix.parse().ok().filter(|prefix| *prefix <= 32)?;
        Some(Self::new(address.parse().ok()?, prefix))
    }

    /// One address alone.
    pub const fn of(address: Ipv4Addr) -> Self {
        Self::new(address, 32)
    }

    /// The lowest address.
    pub const fn address(self) -> Ipv4Addr {
        self.address
    }

    /// The fixed bits, all set.
    pub const fn mask(self) -> u32 {
        mask(self.prefix)
    }

    /// Whether an address lies in it.
    pub fn contains(self, address: Ipv4Addr) -> bool {
        address.to_bits() & self.mask() == self.address.to_bits()
    }

    /// What is left of it without another range, in as few ranges as can be.
    pub fn without(self, hole: Self) -> Vec<Self> {
        if hole.prefix <= self.prefix {
            return if hole.contains(self.address) { Vec::new() } else { vec![self] };
        }
        if !self.contains(hole.address) {
            return vec![self];
        }
        let prefix = self.prefix + 1;
        let upper = Ipv4Addr::from_bits(self.address.to_bits() | 1 << (32 - prefix));
        [self.address, upper].into_iter().flat_map(|address| Self { address, prefix }.without(hole)).collect()
    }
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

const fn mask(prefix: u8) -> u32 {
    if prefix == 0 { 0 } else { u32::MAX << (32 - prefix) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranges_are_read() {
        for (text, read) in [
            ("10.42.3.9/16", Some("10.42.0.0/16")),
            ("0.0.0.0/0", Some("0.0.0.0/0")),
            ("10.0.0.1/32", Some("10.0.0.1/32")),
            ("10.0.0.1/33", None),
            ("10.0.0.1", None),
            ("fd00::/8", None),
        ] {
            assert_eq!(Block::read(text).map(|block| block.to_string()).as_deref(), read, "{text}");
        }
    }

    proptest! {
        /// What is left has every address of the range but those of the hole.
        #[test]
        fn a_hole_is_left_out(bits: u32, prefix in 0_u8..=32, hole: u32, hole_prefix in 0_u8..=32, probe: u32) {
            let block = Block::new(Ipv4Addr::from_bits(bits), prefix);
            // A hole in the neighbourhood, else most would lie outside.
            let hole = Block::new(Ipv4Addr::from_bits(block.address().to_bits() | hole >> prefix.min(31)), hole_prefix);
            let left = block.without(hole);
            for bits in [probe, block.address().to_bits(), hole.address().to_bits(), hole.address().to_bits() ^ 1] {
                let address = Ipv4Addr::from_bits(bits);
                let wanted = block.contains(address) && !hole.contains(address);
                prop_assert_eq!(left.iter().filter(|part| part.contains(address)).count(), usize::from(wanted));
            }
        }
    }
}
