//! The configuration files of the contenders that need one. Nothing here makes one of them faster than a careful
//! operator would.

use std::net::SocketAddr;

use crate::issuer::{ISSUER, LIFETIME_HOURS, ROLE};
use crate::judge::Expected;

/// nginx: one worker, no access log, bodies in memory, a keep-alive pool as large as pingora's.
pub(crate) fn nginx(listen: SocketAddr, upstream: SocketAddr) -> String {
    format!(
        "daemon off; master_process off; worker_processes 1; worker_rlimit_nofile 8192;\n\
         pid nginx.pid; error_log stderr warn;\n\
         events {{ worker_connections 4096; multi_accept on; }}\n\
         http {{\n  \
           access_log off; tcp_nodelay on;\n  \
           keepalive_requests 1000000000; keepalive_timeout 300s;\n  \
           client_max_body_size 4m; client_body_buffer_size 2m;\n  \
           proxy_buffer_size 16k; proxy_buffers 8 16k;\n  \
           client_body_temp_path nginx-body; proxy_temp_path nginx-proxy; fastcgi_temp_path nginx-fastcgi;\n  \
           uwsgi_temp_path nginx-uwsgi; scgi_temp_path nginx-scgi;\n  \
           upstream bench {{ server {upstream}; keepalive 512; keepalive_requests 1000000000; keepalive_timeout 300s; }}\n  \
           server {{\n    \
             listen {listen} backlog=4096;\n    \
             location / {{ proxy_pass http://bench; proxy_http_version 1.1; proxy_set_header Connection \"\"; }}\n  \
           }}\n\
         }}\n"
    )
}

/// What Gatewright is told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gateway<'a> {
    pub(crate) listen: SocketAddr,
    pub(crate) ops: SocketAddr,
    pub(crate) upstream: SocketAddr,
    pub(crate) path: &'a str,
}

impl Gateway<'_> {
    /// `gatewright.yaml`: paths are relative to its folder.
    pub(crate) fn text(&self) -> String {
        let Self {
            listen,
            ops,
            upstream,
            path,
        } = self;
        let tools = match Expected::permitted_tools() {
            Expected::Tools(names) => names.join(", "),
            Expected::Text(_) => String::new(),
        };
        format!(
            "version: 1\n\
             listen:\n  address: {listen}\n\
             public_url: http://{listen}\n\
             issuers:\n  - name: bench\n    url: {ISSUER}\n    jwks_file: jwks.json\n    algorithms: [ES256]\n    \
               roles_claim: roles\n    max_token_lifetime: {LIFETIME_HOURS}h\n\
             servers:\n  - name: bench\n    path: {path}\n    upstream: http://{upstream}{path}\n\
             policy:\n  roles:\n    {ROLE}:\n      bench: [{tools}]\n\
             audit:\n  ledger: ./audit\n\
             ops:\n  address: {ops}\n\
             admin:\n  socket: ./gatewright.sock\n"
        )
    }
}
