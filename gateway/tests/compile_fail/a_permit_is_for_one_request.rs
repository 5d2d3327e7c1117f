//! A permit cannot be copied: one recorded decision, one request.
use gatewright::decision::Permit;

pub fn keep(permit: Permit) -> Permit {
    permit
}

pub fn double(permit: Permit) -> (Permit, Permit) { (permit.clone(), permit) } //~ E0599
