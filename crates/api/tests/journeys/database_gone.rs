//! The database goes away and comes back: nothing is accepted that can't be kept, and nothing that
//! was accepted is lost (spec 80, acceptance: 503, then well again).

use crate::harness::World;
use reqwest::Method;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use store::testing::fresh_postgres;
use store::{Store, StoreOptions};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// A wire to the database that can be cut.
#[derive(Clone)]
struct Wire {
    is_cut: Arc<AtomicBool>,
    cut: Arc<Notify>,
}

impl Wire {
    /// Lays one, and gives the address of this end.
    async fn to(server: String) -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("port");
        let address = listener.local_addr().expect("address").to_string();
        let wire = Self {
            is_cut: Arc::default(),
            cut: Arc::default(),
        };
        let own = wire.clone();
        tokio::spawn(async move {
            loop {
                let (mut here, _) = listener.accept().await.expect("accept");
                let (own, server) = (own.clone(), server.clone());
                tokio::spawn(async move {
                    let cut = own.cut.notified();
                    if own.is_cut.load(Ordering::SeqCst) {
                        return;
                    }
                    let mut there = TcpStream::connect(server).await.expect("the server");
                    tokio::select! {
                        () = cut => {}
                        _ = copy_bidirectional(&mut here, &mut there) => {}
                    }
                });
            }
        });
        (wire, address)
    }

    fn cut(&self) {
        self.is_cut.store(true, Ordering::SeqCst);
        self.cut.notify_waiters();
    }

    fn mend(&self) {
        self.is_cut.store(false, Ordering::SeqCst);
    }
}

/// `postgres://user@HOST:PORT/name`, and the same over another address.
fn over(url: &str, address: &str) -> (String, String) {
    let (before, rest) = url.split_once('@').expect("a user");
    let (server, name) = rest.split_once('/').expect("a name");
    (server.to_owned(), format!("{before}@{address}/{name}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_database_everything_is_refused_and_nothing_is_lost() {
    let mut fresh = fresh_postgres().await.expect("a database");
    let (server, _) = over(&fresh.url, "");
    let (wire, address) = Wire::to(server).await;
    let (_, proxied) = over(&fresh.url, &address);
    fresh.store.close().await;
    fresh.store = Store::open(&proxied, StoreOptions::default())
        .await
        .expect("over the wire");
    let world = World::on(fresh).await;
    let patient = world.patient().await;
    let order = world.paid_dispatch(&patient).await;
    let before = world.order(&order).await;

    wire.cut();
    let readiness = world.raw(Method::GET, "/health/ready").await;
    world.send(readiness).await.refused(503, "5001");
    let seen = world.get(&patient, &format!("/orders/{order}")).await;
    seen.refused(503, "5001");
    assert!(seen.headers.contains_key("retry-after"));
    let path = format!("/orders/{order}/cancel");
    let cancel = || world.put(&patient, &path, json!({ "reason": "去别处了" }));
    let refused = cancel().await;
    let words = refused.refused(503, "5001");
    assert!(!words.is_empty() && !words.contains("postgres"), "{words}");
    let alive = world.raw(Method::GET, "/health/live").await;
    assert!(world.send(alive).await.status.is_success());

    wire.mend();
    assert_eq!(world.order(&order).await, before, "nothing was changed");
    cancel().await.data();
    world.settle().await;
    world
        .ended(
            &order,
            901,
            3000,
            3000,
            &[100, 101, 200, 500, 501, 502, 901],
        )
        .await;
    world.leaves_nothing_behind().await;
}
