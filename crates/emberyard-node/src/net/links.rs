//! Links, addresses and routes of one network namespace, in the few forms used here. Each call may be repeated.

use crate::error::NetError;
use futures::TryStreamExt;
use rtnetlink::packet_route::link::{InfoData, InfoVeth};
use rtnetlink::packet_route::rule::RuleAction;
use rtnetlink::{Error, Handle, LinkBridge, LinkMessageBuilder, LinkUnspec, LinkVeth, RouteMessageBuilder};
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::{AsRawFd, BorrowedFd};

/// A route netlink connection to the namespace of the thread that opened it.
pub(crate) struct Links {
    handle: Handle,
    driver: tokio::task::JoinHandle<()>,
}

impl Drop for Links {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

const EEXIST: i32 = 17;
const ENOENT: i32 = 2;
const ENODEV: i32 = 19;
const ESRCH: i32 = 3;
const EADDRNOTAVAIL: i32 = 99;

/// The main table of routes is asked at priority 32766.
const BEFORE_ROUTES: u32 = 100;

/// Success, also when the kernel says that it is so already (or gone already).
fn settled(result: Result<(), Error>, harmless: &[i32], what: impl Fn() -> String) -> Result<(), NetError> {
    match result {
        Ok(()) => Ok(()),
        Err(Error::NetlinkError(e)) if harmless.contains(&-e.raw_code()) => Ok(()),
        Err(e) => Err(failed(what(), &e)),
    }
}

fn failed(what: String, error: &Error) -> NetError {
    NetError::Link { what, reason: error.to_string() }
}

impl Links {
    /// Connects, from inside a runtime.
    pub(crate) fn open() -> Result<Self, NetError> {
        let (connection, handle, _) = rtnetlink::new_connection()
            .map_err(|e| NetError::Link { what: "open a route netlink socket".into(), reason: e.to_string() })?;
        Ok(Self { handle, driver: tokio::spawn(connection) })
    }

    /// The index of a link, `None` if there is none of that name.
    pub(crate) async fn index(&self, name: &str) -> Result<Option<u32>, NetError> {
        match self.handle.link().get().match_name(name.to_owned()).execute().try_next().await {
            Ok(link) => Ok(link.map(|l| l.header.index)),
            Err(Error::NetlinkError(e)) if -e.raw_code() == ENODEV => Ok(None),
            Err(e) => Err(failed(format!("look up link {name}"), &e)),
        }
    }

    async fn need(&self, name: &str) -> Result<u32, NetError> {
        let found = self.index(name).await?;
        found.ok_or_else(|| NetError::Link { what: format!("find link {name}"), reason: "there is none".into() })
    }

    /// Makes a bridge with a fixed hardware address: else it would change with the ports, and gateways with it.
    pub(crate) async fn bridge(&self, name: &str, mac: [u8; 6]) -> Result<(), NetError> {
        let message = LinkBridge::new(name).address(mac.to_vec()).up().build();
        settled(self.handle.link().add(message).execute().await, &[EEXIST], || format!("make bridge {name}"))
    }

    /// Makes a veth pair whose other end is born as `eth0` in the namespace `target`. Its hardware address follows from its
    /// IP address: whoever has that address next is reached by neighbours that remember the one before.
    pub(crate) async fn veth(&self, name: &str, ip: Ipv4Addr, target: BorrowedFd<'_>) -> Result<(), NetError> {
        let [a, b, c, d] = ip.octets();
        let peer = LinkMessageBuilder::<LinkUnspec>::new().name("eth0").address(vec![0x0a, 0, a, b, c, d]);
        let peer = peer.setns_by_fd(target.as_raw_fd()).build();
        let message = LinkVeth::new(name, "unused").set_info_data(InfoData::Veth(InfoVeth::Peer(peer))).build();
        let result = self.handle.link().add(message).execute().await;
        result.map_err(|e| failed(format!("make link {name}"), &e))
    }

    /// Makes a link a port of a bridge and sets it up.
    pub(crate) async fn join(&self, name: &str, bridge: &str) -> Result<(), NetError> {
        let (link, bridge) = (self.need(name).await?, self.need(bridge).await?);
        let message = LinkUnspec::new_with_index(link).controller(bridge).up().build();
        self.handle.link().set(message).execute().await.map_err(|e| failed(format!("set up link {name}"), &e))
    }

    /// Sets a link up.
    pub(crate) async fn up(&self, name: &str) -> Result<(), NetError> {
        let message = LinkUnspec::new_with_index(self.need(name).await?).up().build();
        self.handle.link().set(message).execute().await.map_err(|e| failed(format!("set up link {name}"), &e))
    }

    /// Sets up a namespace that one link, `eth0`, leads out of.
    pub(crate) async fn furnish(&self, address: Ipv4Addr, prefix: u8, gateway: Ipv4Addr) -> Result<(), NetError> {
        self.up("lo").await?;
        self.address("eth0", address, prefix).await?;
        self.up("eth0").await?;
        self.route(Ipv4Addr::UNSPECIFIED, 0, gateway).await
    }

    /// Sets a link down.
    pub(crate) async fn down(&self, name: &str) -> Result<(), NetError> {
        let message = LinkUnspec::new_with_index(self.need(name).await?).down().build();
        self.handle.link().set(message).execute().await.map_err(|e| failed(format!("set down link {name}"), &e))
    }

    /// Removes a link, if it is there.
    pub(crate) async fn remove(&self, name: &str) -> Result<(), NetError> {
        let Some(index) = self.index(name).await? else { return Ok(()) };
        settled(self.handle.link().del(index).execute().await, &[ENODEV], || format!("remove link {name}"))
    }

    /// Adds an address.
    pub(crate) async fn address(&self, name: &str, address: Ipv4Addr, prefix: u8) -> Result<(), NetError> {
        let request = self.handle.address().add(self.need(name).await?, IpAddr::V4(address), prefix);
        settled(request.execute().await, &[EEXIST], || format!("give {address}/{prefix} to {name}"))
    }

    /// Takes an address away, if it is there.
    pub(crate) async fn no_address(&self, name: &str, address: Ipv4Addr, prefix: u8) -> Result<(), NetError> {
        let request = self.handle.address().add(self.need(name).await?, IpAddr::V4(address), prefix);
        let message = {
            let mut request = request;
            request.message_mut().clone()
        };
        let result = self.handle.address().del(message).execute().await;
        settled(result, &[EADDRNOTAVAIL], || format!("take {address}/{prefix} from {name}"))
    }

    /// Adds a route through a gateway; prefix 0 is the default route.
    pub(crate) async fn route(&self, network: Ipv4Addr, prefix: u8, via: Ipv4Addr) -> Result<(), NetError> {
        let route = RouteMessageBuilder::<Ipv4Addr>::new().destination_prefix(network, prefix).gateway(via).build();
        settled(self.handle.route().add(route).execute().await, &[EEXIST], || format!("route {network}/{prefix}"))
    }

    /// Adds a route straight onto a link; prefix 0 is the default route.
    pub(crate) async fn route_onto(&self, network: Ipv4Addr, prefix: u8, link: &str) -> Result<(), NetError> {
        let index = self.need(link).await?;
        let route =
            RouteMessageBuilder::<Ipv4Addr>::new().destination_prefix(network, prefix).output_interface(index).build();
        settled(self.handle.route().add(route).execute().await, &[EEXIST], || format!("route {network}/{prefix}"))
    }

    /// Drops what is forwarded from one network to another.
    pub(crate) async fn drop_between(&self, from: Ipv4Addr, to: Ipv4Addr, prefix: u8) -> Result<(), NetError> {
        let rule = self.rule(from, to, prefix);
        settled(rule.execute().await, &[EEXIST], || format!("drop from {from} to {to}"))
    }

    /// Undoes [`Links::drop_between`].
    pub(crate) async fn no_drop_between(&self, from: Ipv4Addr, to: Ipv4Addr, prefix: u8) -> Result<(), NetError> {
        let message = self.rule(from, to, prefix).message_mut().clone();
        let result = self.handle.rule().del(message).execute().await;
        settled(result, &[ENOENT], || format!("no longer drop from {from} to {to}"))
    }

    fn rule(&self, from: Ipv4Addr, to: Ipv4Addr, prefix: u8) -> rtnetlink::RuleAddRequest<Ipv4Addr> {
        let rule = self.handle.rule().add().v4().action(RuleAction::Blackhole).priority(BEFORE_ROUTES);
        rule.source_prefix(from, prefix).destination_prefix(to, prefix)
    }

    /// Removes a route through a gateway, if it is there.
    pub(crate) async fn no_route(&self, network: Ipv4Addr, prefix: u8, via: Ipv4Addr) -> Result<(), NetError> {
        let route = RouteMessageBuilder::<Ipv4Addr>::new().destination_prefix(network, prefix).gateway(via).build();
        settled(self.handle.route().del(route).execute().await, &[ESRCH], || format!("unroute {network}/{prefix}"))
    }
}
