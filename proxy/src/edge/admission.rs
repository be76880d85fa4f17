//! How many connections may be open: all together, and from one address.
//!
//! # Invariants
//! * What is counted is given back when the connection ends, however it ends (`a_slot_is_given_back`).
//! * There are never more addresses remembered than connections open.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

/// Open connections.
#[derive(Debug, Default)]
pub struct Connections {
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    all: u32,
    by_address: HashMap<IpAddr, u32>,
}

/// Why there is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// Too many connections.
    All,
    /// Too many from this address.
    Address,
}

/// The bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Open connections.
    pub all_max: u32,
    /// From one address; `None` for a trusted proxy, behind which there are many clients.
    pub per_address_max: Option<u32>,
}

impl Connections {
    /// Room for one more connection.
    ///
    /// # Errors
    /// There is none.
    pub fn admit(self: &Arc<Self>, address: IpAddr, bounds: Bounds) -> Result<Slot, Full> {
        // an IPv4 client is the same client on a socket for both families
        let address = address.to_canonical();
        let mut open = self.open.lock();
        if open.all >= bounds.all_max {
            return Err(Full::All);
        }
        let here = open.by_address.get(&address).copied().unwrap_or(0);
        if bounds.per_address_max.is_some_and(|max| here >= max) {
            return Err(Full::Address);
        }
        open.all = open.all.saturating_add(1);
        open.by_address.insert(address, here.saturating_add(1));
        Ok(Slot { connections: self.clone(), address })
    }
}

/// A connection's place, for as long as the value lives.
#[must_use]
#[derive(Debug)]
pub struct Slot {
    connections: Arc<Connections>,
    address: IpAddr,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut open = self.connections.open.lock();
        open.all = open.all.saturating_sub(1);
        let left = open.by_address.get(&self.address).copied().unwrap_or(0).saturating_sub(1);
        if left == 0 {
            open.by_address.remove(&self.address);
        } else {
            open.by_address.insert(self.address, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const B: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    #[test]
    fn a_slot_is_given_back() {
        let connections = Arc::new(Connections::default());
        let bounds = Bounds { all_max: 3, per_address_max: Some(2) };
        let first = connections.admit(A, bounds).unwrap();
        let mapped = "::ffff:192.0.2.1".parse().unwrap();
        let _second = connections.admit(mapped, bounds).unwrap();
        assert_eq!(connections.admit(A, bounds).unwrap_err(), Full::Address);
        let _third = connections.admit(B, bounds).unwrap();
        assert_eq!(connections.admit(B, bounds).unwrap_err(), Full::All);
        drop(first);
        let again = connections.admit(A, bounds).unwrap();
        drop(again);
        assert_eq!(connections.open.lock().by_address.len(), 2);
    }

    #[test]
    fn trusted_proxies_are_not_bounded_by_address() {
        let connections = Arc::new(Connections::default());
        let bounds = Bounds { all_max: 3, per_address_max: None };
        let slots: Vec<_> = (0..3).map(|_| connections.admit(A, bounds).unwrap()).collect();
        assert_eq!(connections.admit(A, bounds).unwrap_err(), Full::All);
        drop(slots);
        assert_eq!(connections.open.lock().by_address.len(), 0);
    }
}
