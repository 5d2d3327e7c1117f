//! stub
use crate::model::*;
use std::time::Duration;
pub mod logs {
    #[derive(Debug)]
    pub enum LogFormat {
        Text,
        Json,
    }
    pub fn install(_: LogFormat, _: &str) -> Result<(), String> {
        Ok(())
    }
}
#[derive(Debug)]
pub struct Metrics;
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub struct MetricsError;
#[derive(Debug, Clone)]
pub struct ServerMetrics;
#[derive(Debug)]
pub struct StreamGuard;
impl Metrics {
    pub fn new(_: &[ServerName], _: &[String]) -> Result<Self, MetricsError> {
        Ok(Self)
    }
    pub fn server(&self, _: &ServerName) -> ServerMetrics {
        ServerMetrics
    }
    pub fn refused(&self, _: Reason) {}
    pub fn reloaded(&self, _: bool) {}
    pub fn keys_fetched(&self, _: &str, _: UnixTime) {}
    pub fn audit_queue(&self, _: usize) {}
    pub fn render(&self) -> String {
        String::new()
    }
}
impl ServerMetrics {
    pub fn challenged(&self, _: u16, _: &str) {}
    pub fn authenticated(&self, _: &str, _: &str) {}
    pub fn decided(&self, _: Option<Reason>, _: Duration) {}
    pub fn tool_seen(&self, _: &str) {}
    pub fn stream_opened(&self) -> StreamGuard {
        StreamGuard
    }
    pub fn operation(&self, _: &str, _: Option<&str>, _: &str, _: Duration) {}
    pub fn upstream_up(&self) {}
    pub fn upstream_down(&self) {}
}
