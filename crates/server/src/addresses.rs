//! By which addresses other devices reach this server.

use std::net::{IpAddr, SocketAddr, UdpSocket};

use axum::http::Uri;

use crate::guard::Hosts;

/// Where packets of other machines would go: anywhere, by IPv6, and a Tailscale network.
const ELSEWHERE: [&str; 3] = ["192.0.2.1:9", "[2001:db8::1]:9", "100.100.100.100:9"];
/// The longest address a page may say it was opened by, in bytes.
const MAX_ADDRESS: usize = 512;

/// The addresses other machines may reach a server by that is bound to `bound`; none on loopback.
/// Nothing is sent to find them.
#[must_use]
pub fn reachable(bound: IpAddr) -> Vec<IpAddr> {
    if bound.is_loopback() {
        return Vec::new();
    }
    if !bound.is_unspecified() {
        return vec![bound];
    }
    let mut found: Vec<IpAddr> = Vec::new();
    for to in ELSEWHERE.iter().filter_map(|to| to.parse::<SocketAddr>().ok()) {
        // Bound to all addresses of IPv6, it is as a rule reached by those of IPv4 as well.
        if to.is_ipv6() && bound.is_ipv4() {
            continue;
        }
        let routed = routed(to).filter(|address| is_offered(*address) && !found.contains(address));
        found.extend(routed);
    }
    found
}

/// The address of this machine that packets to `to` would come from.
fn routed(to: SocketAddr) -> Option<IpAddr> {
    let any = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = UdpSocket::bind(any).ok()?;
    socket.connect(to).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

fn is_offered(address: IpAddr) -> bool {
    let local = matches!(address, IpAddr::V6(address) if address.is_unicast_link_local());
    !address.is_loopback() && !address.is_unspecified() && !local
}

/// The addresses of the page for another device: the one a page was opened by, if it leads here
/// from elsewhere too, then those of the machine.
pub(crate) fn for_others(
    from: Option<&str>,
    hosts: &Hosts,
    own: &[IpAddr],
    port: u16,
) -> Vec<String> {
    let own = own.iter().map(|ip| format!("http://{}/", SocketAddr::new(*ip, port)));
    let mut found: Vec<String> = Vec::new();
    for address in from.and_then(|from| opened_by(from, hosts)).into_iter().chain(own) {
        if !found.contains(&address) {
            found.push(address);
        }
    }
    found
}

/// The address a page says it was opened by, if others may open it too and it is this server's.
fn opened_by(from: &str, hosts: &Hosts) -> Option<String> {
    if from.len() > MAX_ADDRESS {
        return None;
    }
    let uri: Uri = from.parse().ok()?;
    let scheme = uri.scheme_str().filter(|scheme| matches!(*scheme, "http" | "https"))?;
    let authority = uri.authority()?;
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let here = match host.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    };
    if here || !hosts.allows(authority.as_str()) {
        return None;
    }
    let path = uri.path();
    let end = if path.ends_with('/') { "" } else { "/" };
    Some(format!("{scheme}://{authority}{path}{end}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_lead_here_from_elsewhere_are_offered() {
        let names = ["box.example".to_owned()];
        let loopback = Hosts::new([127, 0, 0, 1].into(), names.clone());
        let open = Hosts::new([0, 0, 0, 0].into(), names);
        let own: [IpAddr; 2] = [[192, 168, 1, 5].into(), [100, 64, 0, 9].into()];
        let check = |from: &str, hosts: &Hosts, own: &[IpAddr], wanted: &[&str]| {
            assert_eq!(for_others(Some(from), hosts, own, 4777), wanted, "{from}");
        };
        check("http://127.0.0.1:4777/", &loopback, &[], &[]);
        check("http://localhost:4777/", &loopback, &[], &[]);
        check("http://baton.localhost/", &loopback, &[], &[]);
        check("http://[::1]:4777/", &loopback, &[], &[]);
        check("https://box.example/baton", &loopback, &[], &["https://box.example/baton/"]);
        check("https://evil.example/", &loopback, &[], &[]);
        check("ftp://box.example/", &loopback, &[], &[]);
        check("nonsense", &loopback, &[], &[]);
        check(&format!("https://box.example/{}", "x".repeat(600)), &loopback, &[], &[]);
        let machine = ["http://192.168.1.5:4777/", "http://100.64.0.9:4777/"];
        check("http://localhost:4777/", &open, &own, &machine);
        check("http://192.168.1.5:4777/", &open, &own, &machine);
        check("http://10.0.0.7:4777/", &open, &own[..1], &["http://10.0.0.7:4777/", machine[0]]);
        assert_eq!(
            for_others(None, &open, &["fd00::1".parse().unwrap()], 1),
            ["http://[fd00::1]:1/"]
        );
    }

    #[test]
    fn a_server_on_loopback_is_reached_by_nobody_else() {
        assert!(reachable([127, 0, 0, 1].into()).is_empty());
        assert_eq!(reachable([10, 0, 0, 7].into()), [IpAddr::from([10, 0, 0, 7])]);
        assert!(reachable([0, 0, 0, 0].into()).iter().all(|address| is_offered(*address)));
    }
}
