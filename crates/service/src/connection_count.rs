use crate::rate_limit::network_of;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

/// How many connections each network address has open, so that none can take the places of all others.
pub(crate) struct ConnectionCount {
    most: usize,
    open: Mutex<HashMap<IpAddr, usize>>,
}

impl ConnectionCount {
    /// At most `most` connections from one network address: an IPv4 address, or an IPv6 /64.
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, open: Mutex::default() })
    }

    /// Counts a connection of `peer` until the result is dropped; `None` when `peer` has as many as it may have.
    pub(crate) fn count(self: &Arc<Self>, peer: IpAddr) -> Option<CountedConnection> {
        let network = network_of(peer);
        let mut open = self.open.lock();
        let connections = open.entry(network).or_default();
        if *connections == self.most {
            return None;
        }
        *connections += 1;
        Some(CountedConnection { count: Arc::clone(self), network })
    }
}

/// A connection that is counted.
pub(crate) struct CountedConnection {
    count: Arc<ConnectionCount>,
    network: IpAddr,
}

impl Drop for CountedConnection {
    fn drop(&mut self) {
        let mut open = self.count.open.lock();
        if let Some(connections) = open.get_mut(&self.network) {
            *connections -= 1;
            if *connections == 0 {
                open.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_its_places_and_gets_them_back() {
        let count = ConnectionCount::new(2);
        let [ours, same, other] = ["2001:db8::1", "2001:db8::2", "192.0.2.1"].map(|text| text.parse().unwrap());
        let first = count.count(ours).unwrap();
        let second = count.count(same).unwrap();
        assert!(count.count(ours).is_none());
        assert!(count.count(other).is_some());
        drop(first);
        let third = count.count(ours).unwrap();
        assert!(count.count(same).is_none());
        drop((second, third));
        assert!(count.open.lock().is_empty());
    }
}
