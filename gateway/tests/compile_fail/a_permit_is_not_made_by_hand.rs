//! A permit comes from a recorded verdict and from nowhere else.
use gatewright::decision::Permit;

pub fn keep(permit: Permit) -> Permit {
    permit
}

pub fn forge(permit: Permit) -> Permit { Permit { ..permit } } //~ E0451
