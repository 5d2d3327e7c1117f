//! Tells clients that a list or a resource changed: 2026-07-28 subscribers on their
//! `subscriptions/listen` stream, legacy sessions on their GET stream. Never tells anyone about a kind
//! of change they did not subscribe to.

use std::sync::{Arc, Mutex, PoisonError};

use rmcp::service::{Peer, SubscriptionContext};
use rmcp::{RoleServer, model::ResourceUpdatedNotificationParam};
use tokio::sync::broadcast;

use super::resources::WATCHED;
use super::session::Session;

/// What can change.
#[derive(Clone, Copy)]
pub(super) enum Change {
    /// The list of prompts.
    Prompts,
    /// The list of tools.
    Tools,
    /// The contents of the watched resource.
    WatchedResource,
}

/// Everyone who wants to hear about changes.
pub(super) struct Changes {
    subscribers: broadcast::Sender<Change>,
    sessions: Mutex<Vec<Listener>>,
}

#[derive(Clone)]
struct Listener {
    peer: Peer<RoleServer>,
    session: Arc<Session>,
}

impl Changes {
    /// Nobody listens yet.
    pub(super) fn new() -> Self {
        Self {
            subscribers: broadcast::channel(BACKLOG).0,
            sessions: Mutex::new(Vec::new()),
        }
    }

    /// Tells this legacy session about changes for as long as it lives.
    pub(super) fn enroll(&self, peer: Peer<RoleServer>, session: Arc<Session>) {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|listener| !listener.peer.is_transport_closed());
        sessions.push(Listener { peer, session });
    }

    /// Tells everyone concerned. A client that cannot be reached is not an error of the caller.
    pub(super) async fn announce(&self, change: Change) {
        let _ = self.subscribers.send(change);
        let listeners = self
            .sessions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        for listener in listeners {
            listener.hear(change).await;
        }
    }

    /// Runs one subscription until the client ends it.
    pub(super) async fn follow(&self, subscription: SubscriptionContext) {
        let mut changes = self.subscribers.subscribe();
        loop {
            let change = tokio::select! {
                () = subscription.cancelled() => return,
                change = changes.recv() => change,
            };
            match change {
                Ok(change) => forward(change, &subscription).await,
                // A change was missed, not the next one.
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return,
            }
        }
    }
}

impl Listener {
    async fn hear(&self, change: Change) {
        let _ = match change {
            Change::Prompts => self.peer.notify_prompt_list_changed().await,
            Change::Tools => self.peer.notify_tool_list_changed().await,
            Change::WatchedResource if self.session.watches(WATCHED) => {
                let update = ResourceUpdatedNotificationParam::new(WATCHED);
                self.peer.notify_resource_updated(update).await
            }
            Change::WatchedResource => Ok(()),
        };
    }
}

// The sink drops what the accepted filter leaves out and reports it as an error; both are fine here.
async fn forward(change: Change, subscription: &SubscriptionContext) {
    let sink = subscription.sink();
    let _ = match change {
        Change::Prompts => sink.notify_prompt_list_changed().await,
        Change::Tools => sink.notify_tool_list_changed().await,
        Change::WatchedResource => sink.notify_resource_updated(WATCHED).await,
    };
}

const BACKLOG: usize = 16;
