//! The closed list of reasons to refuse. A new one breaks every match until it is answered.

/// Why a request was refused. The name is stable: it stands in records, metrics and answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// No credential came with the request.
    CredentialMissing,
    /// More than one credential came with the request (RFC 6750 section 2).
    CredentialDuplicated,
    /// A credential stands in the query (RFC 6750 section 2.3 is not supported).
    CredentialInQuery,
    /// The token does not prove who is calling this server.
    TokenInvalid,
    /// The DPoP proof does not prove possession of the key (RFC 9449 section 4.3).
    DpopProofInvalid,
    /// The DPoP proof needs a nonce of this gateway (RFC 9449 section 9).
    DpopNonceRequired,
    /// The user has to authenticate again, or more strongly (RFC 9470).
    AuthenticationStale,
    /// The token was issued too long ago for this request.
    TokenTooOld,
    /// API keys are no longer accepted at this server.
    ApiKeySunset,
    /// The token ended while its request was under way.
    TokenExpired,
    /// The token lacks a scope that this request needs (RFC 6750 section 3.1).
    ScopeInsufficient,
    /// No role of the principal may call this tool.
    ToolNotAllowed,
    /// The tool is not what was pinned, and nobody approved what it is now.
    ToolWithheld,
    /// A server changed what it says of a tool. Stands in records of that alone: what follows for calls is
    /// [`Self::ToolWithheld`].
    ToolDefinitionChanged,
    /// A human has to agree first.
    ApprovalRequired,
    /// The arguments of the call are not allowed.
    ArgumentDenied,
    /// It is not allowed at this time.
    OutsideHours,
    /// What may be used in a time is used up.
    BudgetSpent,
    /// No role of the principal may use this prompt.
    PromptNotAllowed,
    /// No role of the principal may use this resource.
    ResourceNotAllowed,
    /// Nobody may call this method through the gateway, or its revision does not have it.
    MethodNotAllowed,
    /// The session is not one of this principal's.
    SessionUnknown,
    /// There are as many sessions as there may be.
    SessionsFull,
    /// The task is not one of this principal's.
    TaskUnknown,
    /// The request is about tasks, and its client did not say that it knows them.
    CapabilityMissing,
    /// A cancellation of nothing that this principal has under way in its session.
    NothingToCancel,
    /// The keys of the token's issuer were never had.
    IssuerKeysUnavailable,
    /// The issuer could not be asked about the token (RFC 7662).
    IntrospectionUnavailable,
    /// The state that replicas share could not be reached, or is full.
    StateUnavailable,
    /// The audit record could not be written.
    AuditUnavailable,
    /// The body is larger than the limit.
    BodyTooLarge,
    /// The head of the request is larger than the limit.
    HeadersTooLarge,
    /// The body ended early or came too slowly.
    BodyIncomplete,
    /// `Expect` asks for something other than `100-continue` (RFC 9110 section 10.1.1).
    ExpectationUnsupported,
    /// A large body came without `Content-Length`.
    LengthRequired,
    /// The media type is not `application/json`.
    MediaTypeUnsupported,
    /// The body is compressed.
    ContentEncodingUnsupported,
    /// The body is not strict JSON in UTF-8.
    JsonMalformed,
    /// An object of the body names a key twice, or in a spelling another parser takes for it.
    JsonDuplicateKey,
    /// The body is a JSON-RPC batch.
    BatchRefused,
    /// The body is JSON but no JSON-RPC message that a client may send.
    RequestInvalid,
    /// `params` do not have the shape the method demands.
    ParamsInvalid,
    /// A mirrored header and the body disagree.
    HeaderMismatch,
    /// The protocol revision is not supported.
    VersionUnsupported,
    /// The `Origin` is not allowed.
    OriginForbidden,
    /// The HTTP method is not one that MCP uses here.
    HttpMethodNotAllowed,
    /// The TLS server name and the host of the request differ (RFC 9110 section 7.4).
    HostMisdirected,
    /// Too many attempts to authenticate failed.
    RateLimited,
    /// Too many bytes of bodies are held already.
    Overloaded,
    /// The head of the request is ambiguous.
    RequestMalformed,
    /// No server is configured at this path.
    PathUnknown,
    /// The upstream server could not be reached.
    UpstreamUnreachable,
    /// The upstream server did not answer in time.
    UpstreamTimeout,
    /// The upstream server answered something that cannot be passed on.
    UpstreamProtocol,
    /// The client went away before its answer was complete.
    ClientGone,
    /// A stream was open for as long as one may be.
    StreamTimeout,
    /// The policy that a stream was opened under is in force no more.
    PolicyChanged,
    /// The gateway stopped before the answer was complete.
    GatewayStopped,
    /// The gateway failed in a way it did not foresee.
    Internal,
}

impl Reason {
    /// Every reason, in the order of the enum.
    pub const ALL: [Self; 59] = [
        Self::CredentialMissing,
        Self::CredentialDuplicated,
        Self::CredentialInQuery,
        Self::TokenInvalid,
        Self::DpopProofInvalid,
        Self::DpopNonceRequired,
        Self::AuthenticationStale,
        Self::TokenTooOld,
        Self::ApiKeySunset,
        Self::TokenExpired,
        Self::ScopeInsufficient,
        Self::ToolNotAllowed,
        Self::ToolWithheld,
        Self::ToolDefinitionChanged,
        Self::ApprovalRequired,
        Self::ArgumentDenied,
        Self::OutsideHours,
        Self::BudgetSpent,
        Self::PromptNotAllowed,
        Self::ResourceNotAllowed,
        Self::MethodNotAllowed,
        Self::SessionUnknown,
        Self::SessionsFull,
        Self::TaskUnknown,
        Self::CapabilityMissing,
        Self::NothingToCancel,
        Self::IssuerKeysUnavailable,
        Self::IntrospectionUnavailable,
        Self::StateUnavailable,
        Self::AuditUnavailable,
        Self::BodyTooLarge,
        Self::HeadersTooLarge,
        Self::BodyIncomplete,
        Self::ExpectationUnsupported,
        Self::LengthRequired,
        Self::MediaTypeUnsupported,
        Self::ContentEncodingUnsupported,
        Self::JsonMalformed,
        Self::JsonDuplicateKey,
        Self::BatchRefused,
        Self::RequestInvalid,
        Self::ParamsInvalid,
        Self::HeaderMismatch,
        Self::VersionUnsupported,
        Self::OriginForbidden,
        Self::HttpMethodNotAllowed,
        Self::HostMisdirected,
        Self::RateLimited,
        Self::Overloaded,
        Self::RequestMalformed,
        Self::PathUnknown,
        Self::UpstreamUnreachable,
        Self::UpstreamTimeout,
        Self::UpstreamProtocol,
        Self::ClientGone,
        Self::StreamTimeout,
        Self::PolicyChanged,
        Self::GatewayStopped,
        Self::Internal,
    ];

    /// The stable name: snake case, for records, metrics and the `reason` of an answer.
    pub const fn name(self) -> &'static str {
        self.row().0
    }

    /// The HTTP status of a refusal for this reason, before `deny_http_status` has its say.
    pub const fn status(self) -> u16 {
        self.row().1
    }

    /// The JSON-RPC code of the error body.
    pub const fn code(self) -> i64 {
        self.row().2
    }

    /// Name, HTTP status, JSON-RPC code. Own codes stay outside -32768..-32000, which MCP reserves.
    #[expect(
        clippy::too_many_lines,
        reason = "a table: one row for each reason, and the compiler misses none"
    )]
    const fn row(self) -> (&'static str, u16, i64) {
        match self {
            Self::CredentialMissing => ("credential_missing", 401, 40101),
            Self::CredentialDuplicated => ("credential_duplicated", 400, 40001),
            Self::CredentialInQuery => ("credential_in_query", 400, 40001),
            Self::TokenInvalid => ("token_invalid", 401, 40102),
            Self::DpopProofInvalid => ("dpop_proof_invalid", 401, 40103),
            Self::DpopNonceRequired => ("dpop_nonce_required", 401, 40104),
            Self::AuthenticationStale => ("insufficient_user_authentication", 401, 40105),
            Self::TokenTooOld => ("token_too_old", 401, 40106),
            Self::ApiKeySunset => ("api_key_sunset", 401, 40107),
            Self::TokenExpired => ("token_expired", 401, 40108),
            Self::ScopeInsufficient => ("insufficient_scope", 403, 40300),
            Self::ToolNotAllowed => ("tool_not_allowed", 403, 40301),
            Self::ToolWithheld => ("tool_withheld", 403, 40301),
            Self::ToolDefinitionChanged => ("tool_definition_changed", 403, 40301),
            Self::ApprovalRequired => ("approval_required", 403, 40302),
            Self::ArgumentDenied => ("argument_denied", 403, 40304),
            Self::OutsideHours => ("outside_hours", 403, 40305),
            Self::BudgetSpent => ("budget_spent", 429, 42901),
            Self::PromptNotAllowed => ("prompt_not_allowed", 403, 40301),
            Self::ResourceNotAllowed => ("resource_not_allowed", 403, 40301),
            Self::MethodNotAllowed => ("method_not_allowed", 404, -32601),
            Self::SessionUnknown => ("session_unknown", 404, 40401),
            Self::SessionsFull => ("sessions_full", 503, 50307),
            Self::TaskUnknown => ("task_unknown", 400, -32602),
            Self::CapabilityMissing => ("capability_missing", 400, -32021),
            Self::NothingToCancel => ("nothing_to_cancel", 202, -32600),
            Self::IssuerKeysUnavailable => ("issuer_keys_unavailable", 503, 50301),
            Self::IntrospectionUnavailable => ("introspection_unavailable", 503, 50304),
            Self::StateUnavailable => ("state_unavailable", 503, 50305),
            Self::AuditUnavailable => ("audit_unavailable", 503, 50302),
            Self::BodyTooLarge => ("body_too_large", 413, 41301),
            Self::HeadersTooLarge => ("headers_too_large", 431, 43101),
            Self::BodyIncomplete => ("body_incomplete", 408, 40801),
            Self::ExpectationUnsupported => ("expectation_unsupported", 417, 41701),
            Self::LengthRequired => ("length_required", 411, 41101),
            Self::MediaTypeUnsupported => ("media_type_unsupported", 415, 41501),
            Self::ContentEncodingUnsupported => ("content_encoding_unsupported", 415, 41502),
            Self::JsonMalformed => ("json_malformed", 400, -32700),
            Self::JsonDuplicateKey => ("json_duplicate_key", 400, -32600),
            Self::BatchRefused => ("batch_refused", 400, -32600),
            Self::RequestInvalid => ("request_invalid", 400, -32600),
            Self::ParamsInvalid => ("params_invalid", 400, -32602),
            Self::HeaderMismatch => ("header_mismatch", 400, -32020),
            Self::VersionUnsupported => ("version_unsupported", 400, -32022),
            Self::OriginForbidden => ("origin_forbidden", 403, 40306),
            Self::HttpMethodNotAllowed => ("http_method_not_allowed", 405, 40501),
            Self::HostMisdirected => ("host_misdirected", 421, 42101),
            Self::RateLimited => ("rate_limited", 429, 42901),
            Self::Overloaded => ("overloaded", 503, 50306),
            Self::RequestMalformed => ("request_malformed", 400, 40002),
            Self::PathUnknown => ("path_unknown", 404, 40402),
            Self::UpstreamUnreachable => ("upstream_unreachable", 502, 50201),
            Self::UpstreamTimeout => ("upstream_timeout", 504, 50401),
            Self::UpstreamProtocol => ("upstream_protocol", 502, 50202),
            Self::ClientGone => ("client_gone", 499, 49901),
            Self::StreamTimeout => ("stream_timeout", 504, 50402),
            Self::PolicyChanged => ("policy_changed", 503, 50308),
            Self::GatewayStopped => ("gateway_stopped", 503, 50303),
            Self::Internal => ("internal", 500, 50001),
        }
    }

    /// What the client is told: fixed text, nothing of what it sent.
    #[expect(
        clippy::too_many_lines,
        reason = "a table: one row for each reason, and the compiler misses none"
    )]
    pub const fn message(self) -> &'static str {
        match self {
            Self::CredentialMissing => "authentication required",
            Self::CredentialDuplicated => "send exactly one credential",
            Self::CredentialInQuery => {
                "send the token in the Authorization header, not in the query"
            }
            Self::TokenInvalid => "the token is not valid for this server",
            Self::DpopProofInvalid => "the DPoP proof is not valid for this request",
            Self::DpopNonceRequired => "use the nonce of this answer in the DPoP proof",
            Self::AuthenticationStale => {
                "authenticate again: this request needs a fresher or stronger login"
            }
            Self::TokenTooOld => "the token is too old for this request: get a new one",
            Self::ApiKeySunset => "API keys are no longer accepted here: use OAuth",
            Self::TokenExpired => "the token ended while the request was under way",
            Self::ScopeInsufficient => "the token lacks a scope that this request needs",
            Self::ToolNotAllowed => "this tool is not allowed for your role",
            Self::ToolWithheld => "this tool changed and is withheld until it is approved",
            Self::ToolDefinitionChanged => "the server changed the definition of this tool",
            Self::ApprovalRequired => "this call needs the approval of a human first",
            Self::ArgumentDenied => "these arguments are not allowed for your role",
            Self::OutsideHours => "this is not allowed for your role at this time",
            Self::BudgetSpent => "a limit on such calls is reached: wait and try again",
            Self::PromptNotAllowed => "this prompt is not allowed for your role",
            Self::ResourceNotAllowed => "this resource is not allowed for your role",
            Self::MethodNotAllowed => "method not found",
            Self::SessionUnknown => "unknown session: initialize again",
            Self::SessionsFull => "no more sessions can be opened now",
            Self::TaskUnknown => "unknown task",
            Self::CapabilityMissing => "the client did not declare that it knows tasks",
            Self::NothingToCancel => "nothing under way has this id",
            Self::IssuerKeysUnavailable => "the keys of the token's issuer are not available yet",
            Self::IntrospectionUnavailable => "the token's issuer cannot be asked about it",
            Self::StateUnavailable => "shared state is not available",
            Self::AuditUnavailable => "the audit record cannot be written",
            Self::BodyTooLarge => "the body is larger than the limit",
            Self::HeadersTooLarge => "the headers are larger than the limit",
            Self::BodyIncomplete => "the body did not arrive whole and in time",
            Self::ExpectationUnsupported => "expect nothing but 100-continue",
            Self::LengthRequired => "send Content-Length with a body of this size",
            Self::MediaTypeUnsupported => "send application/json in UTF-8",
            Self::ContentEncodingUnsupported => "send the body without Content-Encoding",
            Self::JsonMalformed => "the body is not valid JSON",
            Self::JsonDuplicateKey => "an object of the body names a key twice",
            Self::BatchRefused => "batches are not supported: send one message",
            Self::RequestInvalid => "the body is not a JSON-RPC message a client may send",
            Self::ParamsInvalid => "the params do not fit the method",
            Self::HeaderMismatch => "a header and the body disagree",
            Self::VersionUnsupported => "unsupported protocol version",
            Self::OriginForbidden => "this origin is not allowed",
            Self::HttpMethodNotAllowed => "use POST, GET or DELETE",
            Self::HostMisdirected => "this connection was made for another host",
            Self::RateLimited => "too many attempts: wait and try again",
            Self::Overloaded => "the gateway holds too many bodies: wait and try again",
            Self::RequestMalformed => "the head of the request is ambiguous",
            Self::PathUnknown => "not found",
            Self::UpstreamUnreachable => "the server behind the gateway cannot be reached",
            Self::UpstreamTimeout => "the server behind the gateway did not answer in time",
            Self::UpstreamProtocol => {
                "the server behind the gateway gave an answer that cannot be passed on"
            }
            Self::ClientGone => "the client went away",
            Self::StreamTimeout => "the stream was open for as long as one may be",
            Self::PolicyChanged => "the policy changed while the stream was open: open it again",
            Self::GatewayStopped => "the gateway stopped",
            Self::Internal => "the gateway failed",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::Reason;

    #[test]
    fn every_reason_has_its_own_name_and_a_status_that_refuses() {
        let names: HashSet<_> = Reason::ALL.iter().map(|reason| reason.name()).collect();
        assert_eq!(names.len(), Reason::ALL.len());
        for reason in Reason::ALL {
            // Nobody is told that a notification had no effect (JSON-RPC 2.0 section 4.1).
            let is_silent = reason == Reason::NothingToCancel;
            let refuses = (400..600).contains(&reason.status());
            assert!(
                refuses || (is_silent && reason.status() == 202),
                "{reason:?}"
            );
        }
    }
}
