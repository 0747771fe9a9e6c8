//! HTTPS: which certificates are accepted.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use rcgen::CertificateParams;
use tollgate_remote::{RemoteKeys, RemoteKeysBuilder};

use crate::support::*;

#[test]
fn provider_with_a_trusted_certificate_is_taken() {
    simulate(async {
        let (signer, authority) = (Signer::new(), Authority::new());
        let provider = Provider::start_tls(publishes(signer.jwks()), authority.server("127.0.0.1"));
        let remote = Remote::start(trusting(&provider, &authority)).await;
        assert!(accepts(&remote.engine, &signer.header()), "{:?}", remote.keys.health());
    });
}

#[test]
fn byte_order_mark_before_the_root_certificates_is_skipped() {
    simulate(async {
        let (signer, authority) = (Signer::new(), Authority::new());
        let provider = Provider::start_tls(publishes(signer.jwks()), authority.server("127.0.0.1"));
        let roots = format!("\u{feff}{}", authority.pem());
        let remote = Remote::start(remote(&provider).root_certificates(roots.as_bytes())).await;
        assert!(accepts(&remote.engine, &signer.header()), "{:?}", remote.keys.health());
    });
}

#[test]
fn untrusted_certificate_is_a_tls_failure() {
    simulate(async {
        let (signer, authority) = (Signer::new(), Authority::new());
        let provider = Provider::start_tls(publishes(signer.jwks()), authority.server("127.0.0.1"));
        for builder in [trusting(&provider, &Authority::new()), remote(&provider)] {
            let remote = Remote::start(builder).await;
            assert_eq!(remote.last_failure(), Some("tls-failed"));
            assert!(!remote.keys.health().is_serving());
        }
        assert_eq!(provider.request_count(), 0);
    });
}

#[test]
fn certificate_of_another_host_is_a_tls_failure() {
    simulate(async {
        let (signer, authority) = (Signer::new(), Authority::new());
        let provider = Provider::start_tls(publishes(signer.jwks()), authority.server("127.0.0.2"));
        let remote = Remote::start(trusting(&provider, &authority)).await;
        assert_eq!(remote.last_failure(), Some("tls-failed"));
    });
}

#[test]
fn expired_certificate_is_a_tls_failure() {
    simulate(async {
        let (signer, authority) = (Signer::new(), Authority::new());
        let mut certificate = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        certificate.not_after = rcgen::date_time_ymd(2020, 1, 1);
        let provider = Provider::start_tls(publishes(signer.jwks()), authority.server_with(certificate));
        let remote = Remote::start(trusting(&provider, &authority)).await;
        assert_eq!(remote.last_failure(), Some("tls-failed"));
    });
}

#[test]
fn plain_http_where_tls_is_expected_is_a_tls_failure() {
    simulate(async {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let uri = format!("https://{}/jwks.json", listener.local_addr().unwrap());
        thread::spawn(move || {
            let mut peer = listener.accept().unwrap().0;
            peer.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
            // Waits for the other side to close, so that the written bytes arrive.
            while peer.read(&mut [0; 512]).is_ok_and(|bytes| bytes > 0) {}
        });
        let builder = RemoteKeys::from_jwks_uri(&uri).root_certificates(Authority::new().pem().as_bytes());
        let remote = Remote::start(builder.clocks(clocks())).await;
        assert_eq!(remote.last_failure(), Some("tls-failed"));
    });
}

#[test]
fn tls_error_after_a_good_set_costs_no_token() {
    simulate(async {
        let (signer, authority) = (Signer::new(), Authority::new());
        let good = Provider::start_tls(publishes(signer.jwks()), authority.server("127.0.0.1"));
        let remote = Remote::start(trusting(&good, &authority)).await;
        let header = signer.header();
        let address = good.address();
        drop(good);
        let bad = Provider::start_tls_at(address, publishes(signer.jwks()), Authority::new().server("127.0.0.1"));
        remote.pass_a_refresh().await;
        assert_eq!(remote.last_failure(), Some("tls-failed"));
        assert!(accepts(&remote.engine, &header));
        drop(bad);
    });
}

fn trusting(provider: &Provider, authority: &Authority) -> RemoteKeysBuilder {
    remote(provider).root_certificates(authority.pem().as_bytes())
}
