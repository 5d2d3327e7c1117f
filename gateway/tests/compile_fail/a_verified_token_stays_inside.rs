//! Outside its layer nobody can even name a verified token.
use gatewright::identity::Verifier;
use gatewright::identity::token::verified::VerifiedToken; //~ E0603

pub fn keep(verifier: Verifier) -> Verifier {
    verifier
}
