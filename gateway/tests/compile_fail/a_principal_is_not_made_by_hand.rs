//! A principal comes from a verified token and from nowhere else.
use gatewright::identity::Principal;

pub fn keep(principal: Principal) -> Principal {
    principal
}

pub fn forge(principal: Principal) -> Principal { Principal { ..principal } } //~ E0451
