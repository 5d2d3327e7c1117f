//! The end of a request: its outcome goes on record, into the metrics and into the log, once.

use std::time::{Duration, Instant};

use pingora::proxy::Session;
use pingora::{Error, ErrorSource, ErrorType};

use crate::audit::part::Outcome;
use crate::decision::{Circumstance, Ended};
use crate::model::Reason;
use crate::proxy::progress::{Forwarding, Progress, Stage};
use crate::telemetry::Ending;

/// Which reason a failed exchange has.
pub(crate) fn failure(error: &Error) -> Reason {
    if *error.esource() == ErrorSource::Downstream {
        return Reason::ClientGone;
    }
    let kind = error.etype();
    if matches!(
        kind,
        ErrorType::ConnectTimedout
            | ErrorType::ReadTimedout
            | ErrorType::WriteTimedout
            | ErrorType::TLSHandshakeTimedout
    ) {
        return Reason::UpstreamTimeout;
    }
    if matches!(
        kind,
        ErrorType::InvalidHTTPHeader
            | ErrorType::H1Error
            | ErrorType::InvalidH2
            | ErrorType::Custom(_)
    ) {
        return Reason::UpstreamProtocol;
    }
    if *error.esource() == ErrorSource::Upstream {
        Reason::UpstreamUnreachable
    } else {
        Reason::Internal
    }
}

/// Which reason the failure of this very request has: whatever broke it off at the end of its token, that was it.
pub(crate) fn reason(error: &Error, progress: &mut Progress) -> Reason {
    let reason = failure(error);
    let Some(forwarding) = progress.forwarding() else {
        return reason;
    };
    if let Some(reason) = forwarding.is_over() {
        forwarding.end(reason);
    }
    forwarding.failure.unwrap_or(reason)
}

/// Closes the books on a request.
pub(crate) fn finish(session: &Session, error: Option<&Error>, progress: &mut Progress) {
    let stage = std::mem::replace(&mut progress.stage, Stage::Answered);
    if let Stage::Forwarding(forwarding) = stage {
        let written = session
            .response_written()
            .filter(|head| !head.status.is_informational())
            .map(|head| head.status.as_u16());
        close(*forwarding, written, error.map(failure));
    }
    // Last: who waits for requests to end closes the ledger next.
    drop(progress.inflight.take());
}

/// Closes the books on a request that is cut before its end: no call is without an outcome.
pub(crate) fn abandon(progress: &mut Progress) {
    let stage = std::mem::replace(&mut progress.stage, Stage::Answered);
    if let Stage::Forwarding(forwarding) = stage {
        let written = forwarding.passed.or(forwarding.status);
        let reason = forwarding.is_over().unwrap_or(Reason::GatewayStopped);
        close(*forwarding, written, Some(reason));
    }
}

fn close(mut forwarding: Forwarding, written: Option<u16>, failure: Option<Reason>) {
    drop((forwarding.hold.take(), forwarding.term.take()));
    let ended = Instant::now();
    let failure = forwarding.failure.or(failure);
    let outcome = outcome(written, &forwarding, ended);
    let duration = ended.duration_since(forwarding.started);
    observe(&forwarding, &outcome, failure, duration);
    let action = forwarding.action();
    let circumstance = Circumstance {
        request: forwarding.permit.request(),
        principal: Some(forwarding.permit.principal()),
        action: Some(&action),
        revision: Some(forwarding.revision),
        arguments: None,
        asserted: None,
        needed: &[],
        in_force: &forwarding.services.in_force,
    };
    let at = forwarding.services.clock.now();
    let ended = Ended {
        at,
        outcome,
        failure,
    };
    let services = &forwarding.services;
    if !forwarding
        .permit
        .record_outcome(&services.ledger, &circumstance, ended)
    {
        services.metrics.audit_failed();
        tracing::error!(
            request_id = forwarding.permit.request_id(),
            "the outcome could not be recorded"
        );
    }
}

fn outcome(written: Option<u16>, forwarding: &Forwarding, ended: Instant) -> Outcome {
    let summary = forwarding.trim.summary();
    Outcome {
        http_status: written,
        jsonrpc_error: summary.as_ref().and_then(|summary| summary.error_code),
        is_error: summary.as_ref().map(|summary| summary.is_error),
        duration_ms: millis(ended.duration_since(forwarding.started)),
        upstream_ms: forwarding
            .answered
            .map(|at| millis(at.duration_since(forwarding.started))),
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

fn observe(
    forwarding: &Forwarding,
    outcome: &Outcome,
    failure: Option<Reason>,
    duration: Duration,
) {
    let ending = match (failure, outcome.jsonrpc_error, outcome.is_error) {
        (Some(Reason::ClientGone | Reason::GatewayStopped), _, _) => Ending::Aborted,
        (Some(reason), _, _) => Ending::Refused(reason),
        (None, Some(code), _) => Ending::RpcError(code),
        (None, None, Some(true)) => Ending::ToolError,
        (None, None, _) => Ending::Success,
    };
    let metrics = &forwarding.route.metrics;
    let (method, tool) = (forwarding.passage.method_label(), forwarding.passage.tool());
    metrics.ended(method, tool, ending, duration);
    match failure {
        Some(Reason::UpstreamUnreachable | Reason::UpstreamTimeout) => metrics.upstream_failed(),
        Some(_) => {}
        None => metrics.upstream_answered(),
    }
    tracing::debug!(
        server = %forwarding.route.audience.server,
        request_id = forwarding.permit.request_id(),
        method,
        status = outcome.http_status,
        duration_ms = outcome.duration_ms,
        ?ending,
        "request"
    );
}
