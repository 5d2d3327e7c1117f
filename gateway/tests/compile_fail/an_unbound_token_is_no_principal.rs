//! Outside its layer an unbound token has no way to a principal but through the verifier, which looks at the proof.
use gatewright::identity::Unbound;

pub fn keep(unbound: &Unbound) -> &Unbound {
    unbound
}

pub fn skip(unbound: &Unbound) -> bool { unbound.bind(None, None, panic!()).is_ok() } //~ E0624
