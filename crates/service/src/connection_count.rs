use crate::limits::{CONNECTION_FIFTHS, NETWORKS, RESERVED_CONNECTIONS};
use crate::network::{FACTORS, networks};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

/// How many connections each network has open, so that no few of them can take the places of all others.
///
/// A network may have a share of the places that are free, not of all: each that takes what it can leaves the next one less (dynamic
/// thresholds: Choudhury and Hahne, "Dynamic queue length thresholds for shared-memory packet switches", IEEE/ACM Transactions on Networking
/// 6(2), 1998). The last places are for networks that have none.
#[derive(Default)]
pub(crate) struct ConnectionCount {
    open: Mutex<HashMap<(usize, IpAddr), usize>>,
}

impl ConnectionCount {
    /// Counts a connection of `peer` in each of its networks until the result is dropped; `None` when one of these has as many as it may
    /// have while so many places are `free`, that of this connection included.
    pub(crate) fn count(self: &Arc<Self>, peer: IpAddr, free: usize) -> Option<CountedConnection> {
        let networks = networks(peer);
        let shared = free.saturating_sub(RESERVED_CONNECTIONS) * CONNECTION_FIFTHS;
        let mut open = self.open.lock();
        let has_room = networks.iter().zip(FACTORS).enumerate().all(|(level, (network, factor))| {
            let connections = open.get(&(level, *network)).copied().unwrap_or(0);
            connections == 0 || connections * 5 < shared * factor as usize
        });
        if !has_room {
            return None;
        }
        for (level, network) in networks.iter().enumerate() {
            *open.entry((level, *network)).or_default() += 1;
        }
        Some(CountedConnection { count: Arc::clone(self), networks })
    }
}

/// A connection that is counted.
pub(crate) struct CountedConnection {
    count: Arc<ConnectionCount>,
    networks: [IpAddr; NETWORKS],
}

impl Drop for CountedConnection {
    fn drop(&mut self) {
        let mut open = self.count.open.lock();
        for (level, network) in self.networks.iter().enumerate() {
            if let Some(connections) = open.get_mut(&(level, *network)) {
                *connections -= 1;
                if *connections == 0 {
                    open.remove(&(level, *network));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::MAX_CONNECTIONS;

    /// How many connections `peers`, one after the other, get when each takes all that it can.
    fn taken(count: &Arc<ConnectionCount>, held: &mut Vec<CountedConnection>, peers: &[IpAddr]) -> Vec<usize> {
        let take = |peer: &IpAddr| {
            let before = held.len();
            while let Some(connection) = count.count(*peer, MAX_CONNECTIONS - held.len()) {
                held.push(connection);
            }
            held.len() - before
        };
        peers.iter().map(take).collect()
    }

    #[test]
    fn an_address_has_its_places_and_gets_them_back() {
        let (count, mut held) = (Arc::new(ConnectionCount::default()), Vec::new());
        let [ours, same, other] = ["2001:db8::1", "2001:db8::2", "192.0.2.1"].map(|text| text.parse().unwrap());
        assert_eq!(taken(&count, &mut held, &[ours, same]), [MAX_CONNECTIONS / 4, 0]);
        assert!(count.count(other, MAX_CONNECTIONS - held.len()).is_some());
        drop(held.pop());
        assert_eq!(taken(&count, &mut held, &[same, ours]), [1, 0]);
        held.clear();
        assert!(count.open.lock().is_empty());
    }

    #[test]
    fn a76_forty_networks_leave_places_for_others() {
        let (count, mut held) = (Arc::new(ConnectionCount::default()), Vec::new());
        let peers: Vec<IpAddr> = (0..40).map(|number| [198, 18, number, 1].into()).collect();
        let shares = taken(&count, &mut held, &peers);
        assert_eq!(shares[0], MAX_CONNECTIONS / 4);
        assert!(shares.iter().all(|share| *share > 0), "{shares:?}");
        assert!(held.len() < MAX_CONNECTIONS - 20, "{}", held.len());
    }

    #[test]
    fn a76_a_block_of_addresses_has_no_more_than_its_networks_may() {
        let (count, mut held) = (Arc::new(ConnectionCount::default()), Vec::new());
        let of_a_block: Vec<IpAddr> = (0..=255).map(|number| [192, 0, 2, number].into()).collect();
        let total: usize = taken(&count, &mut held, &of_a_block).iter().sum();
        assert!(total < MAX_CONNECTIONS * 4 / 7 + NETWORKS, "{total}");
        assert!(taken(&count, &mut held, &[[198, 51, 100, 1].into()])[0] > MAX_CONNECTIONS / 16);
    }
}
